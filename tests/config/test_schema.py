"""The JSON Schema for editors accepts what the reader accepts."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from imgcls.commands.schema import schema
from imgcls.config import reader
from imgcls.config.components.datasets import Dataset
from imgcls.config.components.layers import Layer
from imgcls.config.language.registry import Component
from imgcls.config.schema import is_registry, json_schema, language
from imgcls.errors import ConfigError

CONFIGS = Path(__file__).parent.parent.parent / "configs"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
REGISTRIES = [
    each
    for each in language()
    if issubclass(each, Component) and is_registry(each) and each is not Dataset
]


def written(**sections):
    """Returns a small valid config with these sections replaced; `...` removes a section."""
    config = {
        "dataset": {"name": "digits"},
        "layers": ["Flatten", {"Dense": {"units": "classes"}}],
        "optimizer": "Adam",
        "loss": "categorical_crossentropy",
        **sections,
    }
    return {key: value for key, value in config.items() if value is not ...}


def test_it_is_a_schema():
    """
    An editor silently ignores an invalid schema.
    """
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_committed_schema_is_the_generated_one():
    """
    The shipped configs point editors at the committed file.
    """
    committed = json.loads((CONFIGS / "imgcls.schema.json").read_text(encoding="utf-8"))

    assert SCHEMA == committed, "imgcls schema > configs/imgcls.schema.json"


def test_the_command_returns_it():
    """
    `imgcls schema` is how a user gets the schema of the version that is installed.
    """
    assert SCHEMA == schema()


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_is_right(config):
    """
    Users do not trust an editor that underlines valid configs.
    """
    VALIDATOR.validate(yaml.safe_load(config.read_text(encoding="utf-8")))


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.__name__)
def test_every_alias_of_every_name_is_valid(registry):
    """
    Keras' identifiers, as used in tutorials, are valid, so an editor must not underline them.
    """
    named = {"$ref": f"#/$defs/{registry.__name__}", "$defs": SCHEMA["$defs"]}
    validator = jsonschema.Draft202012Validator(named)

    for component in registry.named().values():
        bare = not any(field.is_required() for field in component.model_fields.values())
        for alias in component.aliases():
            assert bare == validator.is_valid(alias), alias
            assert bare == validator.is_valid({alias: {}}), alias
    assert not validator.is_valid("Nothing")
    assert not validator.is_valid({"Nothing": {}})


def test_every_data_set_is_known_by_every_alias():
    """
    Published data sets are selected by `name`, the others by a key of their own.
    """
    for component in Dataset.named().values():
        if component.kind() == "name":
            for alias in component.aliases():
                assert VALIDATOR.is_valid(written(dataset={"name": alias})), alias
        else:
            assert VALIDATOR.is_valid(written(dataset={component.kind(): "somewhere"}))
            assert not VALIDATOR.is_valid(written(dataset={"name": component.kind()}))


RIGHT = {
    "defaults of the optimizer and the loss": {"optimizer": ..., "loss": ...},
    "numbers as YAML 1.1 reads them": {"optimizer": {"Adam": {"learning_rate": "1e-3"}}},
    "a schedule in place of a number": {
        "optimizer": {"SGD": {"learning_rate": {"CosineDecay": {"initial_learning_rate": "1e-1"}}}}
    },
    "one number for two": {
        "layers": [
            {"Conv2D": {"filters": 8, "kernel_size": 3}},
            {"MaxPooling2D": {"pool_size": [2, 2]}},
        ]
    },
    "an empty section": {"training": None},
    "a name without its fields": {"layers": [{"Flatten": None}]},
    "a folder that looks like a number": {"dataset": {"folder": 2024, "size": 32}},
    "class names that look like numbers and truths": {
        "dataset": {"folder": "photos/", "size": 32, "classes": [True, 10, "cat"]}
    },
    "layers in layers": {
        "layers": [{"Repeat": {"times": 2, "layers": ["ReLU", {"Residual": {"layers": ["ReLU"]}}]}}]
    },
}

WRONG = {
    "no dataset": {"dataset": None},
    "two sources of data": {"dataset": {"name": "digits", "folder": "photos/"}},
    "an unknown data set": {"dataset": {"name": "dogs"}},
    "neither dataset nor layers": {"dataset": ..., "layers": ...},
    "no layers": {"layers": []},
    "an unknown layer": {"layers": ["Flaten"]},
    "two layers in one": {"layers": [{"ReLU": {}, "Flatten": {}}]},
    "a layer without a field it needs": {"layers": ["Dropout"]},
    "an unknown key of a layer": {"layers": [{"Conv2D": {"filtres": 8, "kernel_size": 3}}]},
    "a share above 1": {"layers": [{"Dropout": {"rate": 1.5}}]},
    "a word for a number": {"training": {"epochs": "ten"}},
    "a number in quotes": {"training": {"epochs": "10"}},
    "no epochs": {"training": {"epochs": 0}},
    "half an epoch": {"training": {"epochs": 0.5}},
    "a rate of 0": {"optimizer": {"Adam": {"learning_rate": 0}}},
    "a list of three for two": {"layers": [{"Conv2D": {"filters": 8, "kernel_size": [3, 3, 3]}}]},
    "a value that is no choice": {"training": {"device": "tpu"}},
    "an unknown section": {"model": {}},
    "a loss of another trade": {"loss": "binary_crossentropy"},
}


def read(config, folder):
    """Reads a config as `imgcls train` would."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return reader.read(file)


@pytest.mark.parametrize("edit", RIGHT.values(), ids=RIGHT)
def test_what_the_reader_takes_is_right(edit, tmp_path):
    """
    A false alarm in the editor costs more trust than a missed mistake, which the reader finds.
    """
    config = written(**edit)

    read(config, tmp_path)
    VALIDATOR.validate(config)


@pytest.mark.parametrize("edit", WRONG.values(), ids=WRONG)
def test_mistakes_are_seen_by_the_editor(edit, tmp_path):
    """
    A schema that accepts everything is useless.
    """
    config = written(**edit)

    with pytest.raises(ConfigError):
        read(config, tmp_path)
    assert not VALIDATOR.is_valid(config)
    assert VALIDATOR.is_valid(written())


def test_every_key_of_a_layer_says_what_it_is():
    """
    The text that an editor shows next to a key is all the documentation that most users read.
    """
    for name in Layer.named():
        definition = SCHEMA["$defs"][name]

        assert definition["description"], name
        for key, field in definition["properties"].items():
            assert field["description"], f"{name}.{key}"
