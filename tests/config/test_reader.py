# ruff: noqa: E501  # each mistake and its message are on one line
"""Invalid configs are reported as by a compiler: every mistake, its place, and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imgcls.config import reader
from imgcls.errors import ConfigError, UsageError
from tests import processor

RIGHT = """\
dataset: {name: digits}
augmentation:
  - RandomFlip: {mode: horizontal}
layers:
  - Conv2D: {filters: 8, kernel_size: 3, activation: relu}
  - Dropout: {rate: 0.5}
  - Flatten
  - Dense: {units: classes, activation: softmax}
optimizer:
  SGD: {learning_rate: 1e-2, momentum: 0.9}
loss: categorical_crossentropy
training: {epochs: 2}
seed: 0
"""


@pytest.fixture
def said(tmp_path):
    """Returns a function that reads a config and returns its mistakes, without the path."""

    def read(text: str | bytes, *overrides: str) -> list[str]:
        file = tmp_path / "cnn.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            reader.read(file, overrides)
        except ConfigError as error:
            return [str(mistake).removeprefix(f"{file}") for mistake in error.mistakes]
        return []

    return read


def changed(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new, 1)


MISTAKES = {
    "unknown key": (
        "filters: 8",
        "filtres: 8",
        ":5:14: layers[0].Conv2D.filtres: unknown key; did you mean filters?",
    ),
    "wrong type": (
        "epochs: 2",
        "epochs: ten",
        ":12:20: training.epochs: expected a whole number, got 'ten'",
    ),
    "number in quotes": (
        "epochs: 2",
        'epochs: "2"',
        ":12:20: training.epochs: expected a whole number, got text",
    ),
    "out of bounds": (
        "rate: 0.5",
        "rate: 1.5",
        ":6:21: layers[1].Dropout.rate: must be between 0 and 1, got 1.5",
    ),
    "nothing": (
        "rate: 0.5",
        "rate: ",
        ":6:20: layers[1].Dropout.rate: expected a number, got nothing",
    ),
    "not finite": (
        "1e-2",
        ".nan",
        ":10:24: optimizer.SGD.learning_rate: expected a positive number",
    ),
    "missing": (
        "filters: 8, ",
        "",
        ":5:5: layers[0].Conv2D.filters: missing; expected a whole number",
    ),
    "choice": (
        "mode: horizontal",
        "mode: horizontl",
        ":3:24: augmentation[0].RandomFlip.mode: expected one of horizontal, ",
    ),
    "unknown name": (
        "  - Flatten",
        "  - Flaten",
        ":7:5: layers[2]: unknown layer 'Flaten'; did you mean Flatten?",
    ),
    "unknown name with fields": (
        "  - Dropout",
        "  - Dropot",
        ":6:5: layers[1].Dropot: unknown layer 'Dropot'; did you mean ",
    ),
    "two names": (
        "  - Dropout: {rate: 0.5}",
        "  - {Dropout: {rate: 0.5}, Flatten: {}}",
        ":6:5: layers[1]: expected one layer, got Dropout, Flatten",
    ),
    "duplicate key": (
        "seed: 0",
        "seed: 0\nseed: 1",
        ":14:1: seed: duplicate key; first used in line 13",
    ),
    "no effect": (
        "momentum: 0.9",
        "nesterov: true",
        ":10:30: optimizer.SGD.nesterov: no effect without momentum",
    ),
    "section missing": (
        "dataset: {name: digits}\n",
        "",
        ":1:1: dataset: missing; expected a dataset",
    ),
    "section misspelled": ("seed: 0", "sed: 0", ":13:1: sed: unknown key; did you mean seed?"),
    "name from a tutorial": (
        "learning_rate: 1e-2",
        "lr: 1e-2",
        ":10:9: optimizer.SGD.lr: unknown key; use learning_rate",
    ),
    "last layer sigmoid": (
        "activation: softmax",
        "activation: sigmoid",
        ":8:29: layers[3].Dense.activation: must be softmax or linear in the last layer, got 'sigmoid'",
    ),
    "last layer of one": (
        "units: classes",
        "units: 1",
        ":8:13: layers[3].Dense.units: must be one per class, got 1",
    ),
    "anchor": (
        "rate: 0.5",
        "rate: &a 0.5",
        ":6:21: layers[1].Dropout.rate: anchors and aliases (&a) are not allowed",
    ),
    "tag": (
        "rate: 0.5",
        "rate: !!python/name:os.system 0.5",
        ":6:21: layers[1].Dropout.rate: tags (tag:yaml.org,2002:python/name:os.system) are not allowed",
    ),
    "merge key": (
        "seed: 0",
        "<<: {seed: 0}",
        ":13:1: merge keys (<<) are not allowed; write the keys out",
    ),
    "too large for TensorFlow": (
        "epochs: 2",
        "epochs: 99999999999999999999",
        ":12:20: training.epochs: must be at most 2147483647, got 1e+20",
    ),
    "tab": ("  SGD", "\tSGD", ":10:1: line is indented with a tab; use spaces"),
    "no YAML": ("seed: 0", "seed: [0", ":14:1: invalid YAML: "),
}


PLAIN = {
    "Conv2D: {filters: 8, kernel_size: 3, activation: relu}": "Conv2D: 32",
    "Dropout: {rate: 0.5}": "Dropout: 0.5",
    "Dense: {units: classes, activation: softmax}": "Dense: classes",
    "SGD: {learning_rate: 1e-2, momentum: 0.9}": "SGD: 0.1",
    "{epochs: 2}": "10",
    "epochs: 2": "average: 0.9",
    "learning_rate: 1e-2": "learning_rate: {CosineDecay: 3}",
    "loss: categorical_crossentropy": "loss: {mse: yes}",
}


@pytest.mark.parametrize("old", PLAIN)
def test_a_value_in_place_of_fields_is_answered_with_an_example(old, said, recorded):
    """
    Users who forget that a layer has fields do not know their names either.
    """
    recorded(PLAIN[old], said(changed(old, PLAIN[old])))


LOSSES = ("crossentropy", "{crossentropy: {}}", "bce", "hinge", "3")


@pytest.mark.parametrize("loss", LOSSES)
def test_an_unknown_loss_is_answered_with_what_to_write(loss, said, recorded):
    """
    Tutorials use more names for losses than for anything else.
    """
    recorded(loss, said(changed("categorical_crossentropy", loss)))


ENDINGS = {
    "{Residual: {layers: [{Dense: {units: classes}}], activation: relu}}": "must be softmax or linear",
    "{Activation: {activation: relu}}": "must be softmax or linear",
    "[]": "expected a layer, got a list of 0",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_logits_or_a_softmax_end_the_network(ending, said):
    """
    A network with any other ending would train without an error and never be right.
    """
    last = "{units: classes, activation: softmax}"
    (found,) = said(changed(last, f"{{units: classes}}\n  - {ending}"))

    assert ENDINGS[ending] in found


def test_the_moments_of_the_images_normalize_images_only(said):
    """
    After a convolution, they would scale activations that they do not describe.
    """
    (found,) = said(changed("  - Flatten", "  - Normalization\n  - Flatten"))

    assert "layers[2].Normalization: takes the moments of the images" in found
    assert [] == said(changed("layers:\n", "layers:\n  - Normalization\n"))


def test_a_softmax_of_a_softmax_is_a_mistake(said):
    """
    Such a network learns, but slowly and badly, and nothing shows the user why.
    """
    (found,) = said(changed("softmax}", "softmax}\n  - Softmax"))

    assert "is a softmax before a softmax" in found


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_what_to_do(case, said):
    """
    Users can jump to the place and fix the mistake without consulting the manual.
    """
    old, new, expected = MISTAKES[case]
    found = said(changed(old, new))

    assert 1 == len(found), found
    assert found[0].startswith(expected)


def test_a_right_config_has_no_mistakes(said):
    """
    If the original config were invalid too, the table above would prove nothing.
    """
    assert [] == said(RIGHT)


EIGHT = """\
dataset: {name: cifar10, validation: 1.5}
augmentation:
  - RandomFlip: {mode: sideways}
layers:
  - Conv2D: {filtres: 8, kernel_size: 3}
  - Dropout: {rate: half}
  - Flaten
  - Dense: {units: classes, units: classes}
optimizer:
  SGD: {nesterov: true}
loss: categorical_crossentropy
training: {epochs: 2, metrics: [accuracy]}
"""


def test_eight_mistakes_of_eight_kinds_are_said_at_once_in_their_order(said):
    """
    Users should need one run of the tool to fix a config, not eight.
    """
    found = said(EIGHT)

    assert [
        ":1:38: dataset.validation",
        ":3:24: augmentation[0].RandomFlip.mode",
        ":5:14: layers[0].Conv2D.filtres",
        ":6:21: layers[1].Dropout.rate",
        ":7:5: layers[2]",
        ":8:29: layers[3].Dense.units",
        ":10:9: optimizer.SGD.nesterov",
        ":12:23: training.metrics",
    ] == [": ".join(each.split(": ")[:2]) for each in found]


@pytest.mark.timing
def test_eight_mistakes_take_less_than_a_second_and_no_tensorflow(tmp_path):
    """
    TensorFlow takes 2.5 s or more to import; users must not wait that long to learn of a typo.
    """
    file = tmp_path / "eight.yaml"
    file.write_text(EIGHT, encoding="utf-8")
    command = ["-m", "imgcls", "train", str(file)]

    def run(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, *options, *command], capture_output=True, text=True, check=False
        )
        assert 4 == done.returncode
        assert 8 == done.stderr.count(f"{file}:")
        return done.stderr

    imported = run("-X", "importtime")
    for heavy in ("tensorflow", "keras", "numpy", "PIL", "imgcls.data"):
        assert heavy not in imported
    assert min(processor.seconds(run) for _ in range(5)) < 0.8


def test_the_smallest_config_has_a_dataset_and_layers(tmp_path):
    """
    Beginners know their images and their network, but not yet optimizers and losses.
    """
    file = tmp_path / "smallest.yaml"
    text = "dataset: {name: digits}\nlayers: [Flatten, {Dense: {units: classes}}]\n"
    file.write_text(text, encoding="utf-8")
    smallest = reader.read(file).config
    file.write_text(f"{text}optimizer: Adam\nloss: categorical_crossentropy\n", encoding="utf-8")

    assert reader.read(file).config == smallest
    rate = "optimizer.Adam.learning_rate=0.5"
    file.write_text(text, encoding="utf-8")
    assert reader.read(file, [rate]).config.optimizer.learning_rate == 0.5


def test_text_stays_text_and_numbers_are_numbers(tmp_path):
    """
    YAML 1.1 reads `1e-3` as text, `010` as eight and a class named `no` as false.
    """
    file = tmp_path / "cnn.yaml"
    file.write_text(
        RIGHT.replace("name: digits", "npz: a.npz, classes: [no, 010, 12:30, 'null', 1e3]"),
        encoding="utf-8",
    )
    config = reader.read(file).config

    assert ("no", "010", "12:30", "null", "1e3") == config.dataset.classes  # type: ignore[attr-defined]
    assert config.optimizer.learning_rate == 0.01


def test_paths_are_relative_to_the_file_and_those_of_set_to_the_current_folder(
    tmp_path, monkeypatch
):
    """
    A config must still work after it is moved along with its data, whereas the shell completes
    paths from the current folder.
    """
    folder = tmp_path / "configs"
    folder.mkdir()
    file = folder / "cnn.yaml"
    file.write_text(RIGHT.replace("name: digits", "npz: a.npz"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert folder / "a.npz" == reader.read(file).config.dataset.npz  # type: ignore[attr-defined]
    set_there = reader.read(file, ["dataset.npz=b.npz"]).config.dataset
    assert tmp_path / "b.npz" == set_there.npz  # type: ignore[attr-defined]


OVERRIDES = {
    "training.epochs=5": [],
    "layers[0].Conv2D.filters=16": [],
    "optimizer=Adam": [],
    "training.early_stopping.patience=3": [],
    "training.epochs=five": ["--set #1: training.epochs: expected a whole number, got 'five'"],
    "training.epoch=5": ["--set #1: training.epoch: unknown key; did you mean epochs?"],
    "optimizer.Adam.learning_rate=0.1": [":10:3: optimizer: expected one optimizer, got SGD, Adam"],
    "layers[9].Flatten={}": ["--set #1: layers[9]: no such entry; layers has [0] to [3]"],
    "training={epochs: 1, epochs: 3}": ["--set #1:1:13: training.epochs: duplicate key"],
    "training.report_steps=*foo": ["--set #1:1:1: training.report_steps: anchors and aliases"],
    "training.epochs=[1": ["--set #1:1:3: invalid YAML: "],
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_an_override_goes_through_the_same_checker(override, said):
    """
    A typo on the command line must be reported just like one in the file.
    """
    found, expected = said(RIGHT, override), OVERRIDES[override]

    assert len(expected) == len(found), found
    for mine, start in zip(found, expected, strict=True):
        assert mine.startswith(start)


def test_an_override_can_give_fields_to_a_bare_name(tmp_path):
    """
    `optimizer: adam` and `--set optimizer.Adam.learning_rate` refer to the same optimizer.
    """
    file = tmp_path / "cnn.yaml"
    text = changed("\n  SGD: {learning_rate: 1e-2, momentum: 0.9}", " Adam")
    file.write_text(text, encoding="utf-8")
    config = reader.read(file, ["optimizer.Adam.learning_rate=0.5", "seed=3"]).config

    assert (config.optimizer.learning_rate, config.seed) == (0.5, 3)


def test_an_override_without_a_value_is_a_wrong_command_line(tmp_path):
    """
    There is no place in a file to report, so it is a usage error.
    """
    file = tmp_path / "cnn.yaml"
    file.write_text(RIGHT, encoding="utf-8")

    with pytest.raises(UsageError, match="expected key=value"):
        reader.read(file, ["training.epochs"])


def test_the_resolved_config_reads_back_equal(tmp_path):
    """
    A run is resumed, evaluated and repeated from the config that it saved.
    """
    file = tmp_path / "cnn.yaml"
    file.write_text(RIGHT, encoding="utf-8")
    config = reader.read(file).config
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")

    assert config == reader.read(again).config


def test_a_run_reads_back_a_config_whose_every_field_is_written_out(tmp_path):
    """
    A resolved config can have thirty times as many values as the user's file; the limit on values
    must not lock users out of a run that took all night.
    """
    file = tmp_path / "deep.yaml"
    block = "  - Conv2D: {filters: 8, kernel_size: 3}\n  - BatchNormalization\n  - ReLU\n"
    file.write_text(changed("  - Flatten\n", block * 160 + "  - Flatten\n"), encoding="utf-8")
    config = reader.read(file).config
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")

    assert config == reader.read_own(again).config
    with pytest.raises(ConfigError, match="more than 10,000 values"):
        reader.read(again)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "comments only": b"# nothing\n",
    "a list": b"- a\n- b\n",
    "text": b"hello",
    "UTF-16": "dataset: {}".encode("utf-16"),
    "no UTF-8": b"dataset: \xff\xfe",
    "a null byte": b"dataset: a\x00b",
    "two documents": b"a: 1\n---\nb: 2\n",
    "brackets": b"[" * 100_000,
    "nested": b"a: " + b"[" * 40 + b"]" * 40,
    "a bomb": b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "an alias of itself": b"a: &a [*a]\n",
    "a huge number": b"seed: " + b"9" * 5000,
    "too many values": b"a: [" + b"1," * 20_000 + b"1]",
    "too large": b"#" * (1 << 20) + b"\n# more",
    "a timestamp tag": b"seed: !!timestamp abc",
    "complex keys": b"? [a, b]\n: 1\n",
    "a picture": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_config_is_refused_by_a_message(case, said):
    """
    A YAML bomb, an image or a half-written file must never cause a traceback or a crash.
    """
    assert said(HOSTILE[case])


def test_a_byte_order_mark_is_no_mistake(said):
    """
    Editors on Windows write one.
    """
    assert [] == said(b"\xef\xbb\xbf" + RIGHT.encode())


def test_a_missing_file_names_those_that_are_there(tmp_path):
    """
    Most often the name is mistyped, so the hint lists the configs in the folder.
    """
    (tmp_path / "cnn.yaml").write_text(RIGHT, encoding="utf-8")

    with pytest.raises(ConfigError, match="cannot be read: No such file") as error:
        reader.read(tmp_path / "cn.yaml")
    assert "cnn.yaml" in str(error.value.hint)


def test_a_pipe_without_a_writer_is_refused_and_does_not_hang(tmp_path):
    """
    Opening such a pipe would wait forever for its other end.
    """
    os.mkfifo(tmp_path / "pipe.yaml")

    with pytest.raises(ConfigError, match="not a regular file"):
        reader.read(tmp_path / "pipe.yaml")


def test_a_folder_and_a_closed_stdin_are_refused(tmp_path, monkeypatch):
    """
    A user may forget the file name, and a job may have no terminal.
    """
    with pytest.raises(ConfigError, match="not a regular file"):
        reader.read(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ConfigError, match="stdin is closed"):
        reader.read(Path("-"))


def test_a_late_error_gets_the_place_of_its_key(tmp_path):
    """
    Mistakes that show only when the network is built must have a file, line and column too.
    """
    file = tmp_path / "cnn.yaml"
    file.write_text(RIGHT, encoding="utf-8")
    late = ConfigError.at("layers[1].Dropout", "does not fit")

    assert f"{file}:6:5: layers[1].Dropout: does not fit" == str(reader.read(file).located(late))


def test_every_shipped_config_is_right():
    """
    Users copy the shipped configs.
    """
    for file in Path(__file__).parents[2].glob("configs/*.yaml"):
        assert reader.read(file).config.layers
