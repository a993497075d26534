"""The reader accepts whatever the schema allows, and can read back what it writes."""

import string
from collections import Counter

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imgcls.config import reader
from tests.config import valid

quiet = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # shrinking a case would take minutes
)


def test_configs_within_all_bounds_are_accepted_and_their_resolved_form_is_equal(tmp_path):
    """
    A reader that rejects everything would pass every test of invalid configs.
    """
    file, again = tmp_path / "config.yaml", tmp_path / "again.yaml"
    layers: Counter[str] = Counter()

    @settings(quiet, max_examples=500)
    @given(valid.configs())
    def check(written):
        file.write_text(written, encoding="utf-8")
        config = reader.read(file).config
        plain = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        again.write_text(plain, encoding="utf-8")

        assert config == reader.read_own(again).config
        layers.update(layer.identifier() for layer in config.layers)

    check()

    assert len(layers) > 20, layers


names = st.one_of(
    st.sampled_from(["no", "on", "010", "12:30", "1e-3", "null", "~", "true", "2001-09-09", "<<"]),
    st.sampled_from(
        ["", " ", "a b", "a\nb", "\t", "#x", "- x", "é", "e\u0301", "日本", "😀", "0x1F"]
    ),
    st.text(min_size=1, max_size=30),
    st.text(string.printable, min_size=1, max_size=12),
)


def test_class_names_come_back_as_they_were_written(tmp_path):
    """
    Folders may be named `no`, `010` or `12:30`, which YAML 1.1 reads as false, eight and 750.
    """
    file, again = tmp_path / "config.yaml", tmp_path / "again.yaml"
    seen: Counter[str] = Counter()

    @settings(quiet, max_examples=250)
    @given(st.lists(names, min_size=4, max_size=8, unique=True))
    def check(classes):
        config = {
            "dataset": {"npz": "a.npz", "classes": classes},
            "layers": ["Flatten", {"Dense": {"units": "classes"}}],
            "optimizer": "Adam",
            "loss": "categorical_crossentropy",
            "training": {"class_weight": dict.fromkeys(classes, 2)},
        }
        file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        read = reader.read(file).config
        plain = read.model_dump(mode="json")
        again.write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")

        assert tuple(classes) == read.dataset.classes  # type: ignore[attr-defined]
        assert dict.fromkeys(classes, 2.0) == read.training.class_weight
        assert read == reader.read_own(again).config
        seen.update(classes)

    check()

    assert seen.total() >= 1000, seen.total()
