"""Checkpoints are restored bit for bit, or rejected with a reason."""

import os
import random
import shutil
import subprocess
import sys

import pytest

import imgcls
from imgcls.errors import RunError
from imgcls.runs import checkpoints, manifest
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER, Checkpoint
from tests import damage


@pytest.fixture
def run(tmp_path):
    """A run with its two files and the checkpoints of steps 5 and 10."""
    damage.make(tmp_path)
    return tmp_path


def test_a_checkpoint_comes_back_bit_for_bit(run):
    """
    Everything that a bit-identical resume needs is stored here.
    """
    loaded = checkpoints.load(run / "checkpoints" / "step-10")

    assert (10, {"epoch": 2, "best": 0.1 + 0.2, "waited": None}) == (loaded.step, loaded.state)
    for part, arrays in damage.parts(10).items():
        read = loaded.read(part)

        assert loaded.has(part)
        assert arrays.keys() == read.keys()
        for name, array in arrays.items():
            assert (array.dtype, array.shape) == (read[name].dtype, read[name].shape)
            assert array.tobytes() == read[name].tobytes()


def test_equal_states_are_equal_files(run, tmp_path_factory):
    """
    Users can compare two runs with `cmp`.
    """
    other = tmp_path_factory.mktemp("other")
    damage.make(other)
    for name in damage.FILES:
        path = other / "checkpoints" / "step-5" / name

        assert path.read_bytes() == (run / "checkpoints" / "step-5" / name).read_bytes()


def test_a_part_that_was_not_saved_is_not_there(run):
    """
    Without averaged weights, there is nothing to write, and nothing to predict with.
    """
    arrays = {MODEL: damage.parts(15)[MODEL]}
    loaded = checkpoints.load(checkpoints.save(run / "checkpoints", 15, arrays, {}))

    assert loaded.has(MODEL)
    assert not loaded.has(AVERAGED)
    with pytest.raises(RunError, match=r"averaged\.safetensors does not belong to the checkpoint"):
        loaded.read(AVERAGED)


def damaged(data, dice):
    """One truncation, one flipped bit, or one run of zeros as left by a power failure."""
    place = dice.randrange(len(data))
    kind = dice.randrange(3)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
    return data[:place] + bytes(len(data) - place)


@pytest.mark.parametrize("name", damage.FILES + damage.ATTACHED)
def test_no_damage_is_loaded_silently_and_the_older_checkpoint_takes_over(run, name):
    """
    Keras loaded 24 of 100 weight files with bit rot: the model is just worse, with no error.
    """
    path = run / "checkpoints" / "step-10" / name
    data = path.read_bytes()
    dice = random.Random(name)  # noqa: S311 - no secret
    tried = 0
    while tried < 100:
        if (changed := damaged(data, dice)) == data:
            continue
        path.write_bytes(changed)
        tried += 1
        with pytest.raises(RunError, match=path.name):
            damage.read_all(run / "checkpoints" / "step-10")
    found, problems = checkpoints.newest(run / "checkpoints", Checkpoint.verify)

    if name in damage.FILES:
        assert found is not None
        assert 5 == found.step
        assert [str(run / "checkpoints" / "step-10" / name)] == [p.split(" ")[0] for p in problems]
    else:
        assert (None, 2) == (found, len(problems))
        assert all("has changed since step" in problem for problem in problems)


READ = """
import sys
from pathlib import Path
from imgcls.runs import checkpoints, tensors
folder, what = Path(sys.argv[1]), sys.argv[2]
opened = []
def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith(str(folder)):
        opened.append(str(Path(arguments[0]).relative_to(folder)))
sys.addaudithook(note)
found, problems = checkpoints.newest(folder / "checkpoints")
for part in what.split():
    found.read(part)
print(*opened, sep="\\n")
"""


def opened(run, what):
    """Returns the run's files that are opened for the newest checkpoint and these parts of it."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(run), what],
        env=os.environ | {"PYTHONPATH": str(imgcls.__path__[0] + "/..")},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


CHOSEN = ["MANIFEST.json", "../../config.yaml", "../../model.json", "state.json"]


@pytest.mark.parametrize("parts", [[], [MODEL], [AVERAGED], [MODEL, OPTIMIZER]])
def test_choosing_a_checkpoint_opens_no_arrays_and_reading_a_part_its_file_once(run, parts):
    """
    An optimizer is twice as large as its network: predicting must not wait to read a gigabyte.
    """
    names = CHOSEN + [f"{part}.safetensors" for part in parts]
    expected = [os.path.normpath(f"checkpoints/step-10/{name}") for name in names]

    assert expected == opened(run, " ".join(parts))


@pytest.mark.parametrize("name", damage.ARRAYS)
def test_damaged_arrays_are_noticed_by_whoever_reads_them(run, name):
    """
    A damaged optimizer must not prevent predicting, and must be noticed when resuming.
    """
    path = run / "checkpoints" / "step-10" / name
    path.write_bytes(path.read_bytes()[:-1])
    found, problems = checkpoints.newest(run / "checkpoints")

    assert found is not None
    assert (10, []) == (found.step, problems)
    with pytest.raises(RunError, match=rf"{name} is damaged: it has [\d,]+ bytes instead of"):
        found.read(name.removesuffix(".safetensors"))
    with pytest.raises(RunError, match=rf"{name} is damaged: it has [\d,]+ bytes instead of"):
        found.verify()
    for other in set(damage.ARRAYS) - {name}:
        assert found.read(other.removesuffix(".safetensors"))


def _other_step(run):
    (run / "checkpoints" / "step-10").rename(run / "checkpoints" / "step-11")


def _link_of(name):
    def change(run):
        path = run / "checkpoints" / "step-10" / name
        path.rename(run / "elsewhere")
        path.symlink_to(run / "elsewhere")

    return change


def _pipe(run):
    (run / "checkpoints" / "step-10" / "MANIFEST.json").unlink()
    os.mkfifo(run / "checkpoints" / "step-10" / "MANIFEST.json")


def _manifest(**changes):
    def change(run):
        path = run / "checkpoints" / "step-10" / "MANIFEST.json"
        content = manifest.read(path)
        del content["sha256"]
        path.write_bytes(manifest.to_bytes(content | changes))

    return change


def _entries(*names):
    return {name: {"bytes": 0, "sha256": ""} for name in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_step, "step-11 holds step 10; was it renamed?"),
        (_link_of("model.safetensors"), "model.safetensors cannot be read, it is a link"),
        (_link_of("MANIFEST.json"), "MANIFEST.json cannot be read, it is a link"),
        (_link_of(""), "step-10 is no checkpoint; expected a folder step-<number>"),
        (_pipe, "MANIFEST.json is not a regular file"),
        (lambda run: (run / "checkpoints" / "step-10" / "state.json").unlink(), "json is missing"),
        (lambda run: (run / "config.yaml").unlink(), "config.yaml is missing"),
        (
            _manifest(format=1),  # as in runs from before variables were named
            "has format 1, and imgcls 0.1.0 reads format 3 only; train the config again",
        ),
        (_manifest(format=4), "has format 4, and imgcls 0.1.0 reads format 3 only; train the"),
        (_manifest(format=None), "has format None, and imgcls 0.1.0 reads format 3 only; train"),
        (_manifest(files=_entries("model.safetensors")), "does not describe a checkpoint"),
        (_manifest(files=_entries("state.json")), "does not describe a checkpoint"),
        (_manifest(files=[]), "MANIFEST.json does not describe a checkpoint"),
        (_manifest(attached=_entries("../x")), "does not describe a checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_rejected_with_the_reason(run, change, message):
    """
    Renamed, linked, from another version, or forged: one line must say what is wrong.
    """
    change(run)
    step = 11 if change is _other_step else 10
    with pytest.raises(RunError) as caught:
        damage.read_all(run / "checkpoints" / f"step-{step}")

    assert message in str(caught.value)


def test_only_folders_named_step_with_a_manifest_are_steps(run):
    """
    Anything else in the folder is not a checkpoint, and steps are sorted as numbers, not names.
    """
    for name in (
        "step-010",
        "step-x",
        "step-7.tmp-1-01234567",
        "best",
        "step-99999999999999999999",
    ):
        shutil.copytree(run / "checkpoints" / "step-5", run / "checkpoints" / name)
    (run / "checkpoints" / "step-3").mkdir()

    assert [5, 10] == checkpoints.steps(run / "checkpoints")
    assert [] == checkpoints.steps(run / "nowhere")
    assert (None, []) == checkpoints.newest(run / "nowhere")
