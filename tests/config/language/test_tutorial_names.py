"""Names that users bring from tutorials are answered with what to write here."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.datasets import Dataset
from imgcls.config.components.layers import Layer
from imgcls.config.components.losses import Loss
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.components.schedules import Schedule
from imgcls.config.components.training import Training
from imgcls.config.language import text
from imgcls.config.language.registry import Component
from imgcls.config.language.tutorial_names import TUTORIAL_NAMES

PROMISED = [
    *("lr", "decay", "input_shape", "Input", "rescale", "target_size", "class_mode"),
    *("validation_split", "rotation_range", "width_shift_range", "height_shift_range"),
    *("shear_range", "zoom_range", "horizontal_flip", "vertical_flip", "brightness_range"),
    *("metrics", "validation_steps", "binary_crossentropy"),
]

ADVISED = {
    name: advice.group(1)
    for name, message in TUTORIAL_NAMES.items()
    if (advice := re.search(r"\bwrite (\w+: [^;]+)", message))
}


def mistakes_in(section, written):
    value = text.read(written, "test.yaml", Path()).value
    with pytest.raises(ValidationError) as caught:
        section.read(value) if issubclass(section, Component) else section.model_validate(value)
    return [each["msg"] for each in caught.value.errors()]


def test_the_table_has_every_promised_name():
    """
    These are the names that tutorials use most.
    """
    assert [] == [name for name in PROMISED if name not in TUTORIAL_NAMES]


@pytest.mark.parametrize(
    ("section", "written", "name"),
    [
        (Optimizer, "Adam: {lr: 0.001}", "lr"),
        (Optimizer, "SGD: {decay: 1e-6}", "decay"),
        (Schedule, "CosineDecay: {initial_learning_rate: 1, decay_steps: 9}", "decay_steps"),
        (Loss, "binary_crossentropy", "binary_crossentropy"),
        (Loss, "binary_crossentropy: {from_logits: true}", "binary_crossentropy"),
        (Loss, "mse: {from_logits: true}", "from_logits"),
        (Training, "metrics: [accuracy]", "metrics"),
        (Training, "validation_steps: 50", "validation_steps"),
        (Training, "callbacks: []", "callbacks"),
        (Training, "early_stopping: {restore_best_weights: true}", "restore_best_weights"),
        (Layer, "Input: {shape: [28, 28, 1]}", "Input"),
        (Layer, "InputLayer", "InputLayer"),
        (Layer, "Conv2D: {filters: 8, kernel_size: 3, input_shape: [28, 28]}", "input_shape"),
        (Layer, "RandomFlip: {mode: horizontal}", "RandomFlip"),
        (Dataset, "{name: mnist, rescale: 0.00392}", "rescale"),
        (Dataset, "{folder: photos, target_size: [150, 150]}", "target_size"),
        (Dataset, "{folder: photos, class_mode: binary}", "class_mode"),
        (Dataset, "{csv: labels.csv, validation_split: 0.2}", "validation_split"),
        (Augmentation, "rotation_range: 40", "rotation_range"),
        (Augmentation, "horizontal_flip", "horizontal_flip"),
        (Augmentation, "RandomRotation: {degrees: 9, factor: 0.1}", "factor"),
        (Augmentation, "RandomFlip: {fill_mode: nearest}", "fill_mode"),
        (Augmentation, "RandomTranslation: {height: 0.1, width_factor: 0.1}", "width_factor"),
    ],
)
def test_a_name_gets_its_message_where_people_write_it(section, written, name, recorded):
    """
    The table helps users only if the reader consults it for keys, for names, and for names with
    fields.
    """
    assert name in TUTORIAL_NAMES

    recorded(written, mistakes_in(section, written))


def test_a_valid_name_is_never_taken_for_a_tutorial_name():
    """
    The table may contain names that are valid in some section; there they must keep their meaning.
    """
    assert Augmentation.read({"RandomContrast": {"factor": 0.2}})
    assert Training.model_validate({"epochs": 3, "batch_size": 8, "class_weight": "auto"})
    assert Loss.read({"categorical_crossentropy": {"label_smoothing": 0.1}})


def test_a_typo_is_still_answered_with_what_was_meant():
    """
    The table is consulted before spelling suggestions, and must not suppress them.
    """
    assert ["unknown key; did you mean momentum?"] == mistakes_in(Optimizer, "SGD: {momentun: 0.9}")
    (message,) = mistakes_in(Optimizer, "Adamm")
    assert message.startswith("unknown optimizer 'Adamm'; did you mean Adam or ")


@pytest.mark.parametrize("name", ADVISED)
def test_what_is_advised_is_itself_right(name):
    """
    Advice that the next run rejects is worse than none.
    """
    advised = text.read(ADVISED[name], "advice", Path()).value
    ((section, value),) = advised.items()

    if section == "augmentation":
        assert [Augmentation.read(each) for each in value]
    elif section == "loss":
        assert Loss.read(value)
    elif section == "training":
        assert Training.model_validate(value)
    elif section == "layers":
        assert [Layer.read(each) for each in value]
    elif section == "dataset":
        assert Dataset.read({"folder": "photos/", "size": "150", **value})
    else:
        assert section == "seed"


@pytest.mark.parametrize("name", TUTORIAL_NAMES)
def test_every_message_says_what_to_do_in_one_line(name):
    """
    Each message follows a place and a key on one line of the terminal.
    """
    message = TUTORIAL_NAMES[name]

    assert len(message) <= 120
    assert "\n" not in message
    assert message[0].islower() or message.startswith("imgcls")
    assert not message.endswith(".")
