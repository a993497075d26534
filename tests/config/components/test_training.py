"""The `training` section: its defaults, and one message per mistake."""

import inspect
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from imgcls.config.components.averages import EMA
from imgcls.config.components.metrics import METRICS, better
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.components.training import EarlyStopping, ReduceLROnPlateau, Training
from imgcls.config.language import text
from imgcls.config.language.registry import dotted

LEFT_OUT = {
    "verbose": "what is said is the console's matter",
    "mode": "each metric's direction is known",
    "restore_best_weights": "the best checkpoint is kept anyway",
    "kwargs": "Keras' old names",
}

A_WEIGHT_EACH = "must be auto, or a weight for each class as {cat: 2, dog: 0.5}, got"
SOME_REPLICAS = "must be auto or a whole number of at least 1, got"


def read(yaml):
    return Training.model_validate(text.read(yaml, "test.yaml", Path()).value)


@pytest.mark.parametrize("section", [EarlyStopping, ReduceLROnPlateau])
def test_fields_and_defaults_are_those_of_keras_callbacks(section):
    """
    Users who know the Keras callback can write the section.
    """
    import keras

    signature = inspect.signature(getattr(keras.callbacks, section.__name__).__init__)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if name not in {"self", *LEFT_OUT}
    }

    assert defaults == {name: field.default for name, field in section.model_fields.items()}


def test_every_key_can_be_given():
    """
    Every setting must arrive as written, with the type that the engine expects.
    """
    training = read("""
        epochs: 3
        batch_size: 64
        steps_per_epoch: 20
        precision: bfloat16
        device: cpu
        replicas: 2
        early_stopping: {monitor: val_accuracy, patience: 2, baseline: 0.5, start_from_epoch: 1}
        reduce_lr_on_plateau: {factor: 0.5, min_lr: 1e-5}
        best: val_macro_f1
        class_weight: {cat: 2, no: 0.5}
        train: ["layers[2:]", classifier]
        stages: null
        average: {EMA: {decay: 0.99}}
        normalization_statistics: recomputed
        evaluate_every: 2
        report_steps: 50
        checkpoint_seconds: 0.5
        on_divergence: retry
        xla: yes
    """)

    assert set(Training.model_fields) == training.model_fields_set
    assert training.class_weight == {"cat": 2.0, "no": 0.5}
    assert training.replicas == 2
    assert training.early_stopping == EarlyStopping(
        monitor="val_accuracy", patience=2, baseline=0.5, start_from_epoch=1
    )
    assert training.reduce_lr_on_plateau == ReduceLROnPlateau(factor=0.5, min_lr=1e-5)
    assert training.xla is True
    assert training.train == ("layers[2:]", "classifier")
    assert training.average == EMA(decay=0.99)
    assert training == Training.model_validate(training.model_dump())
    assert Training() == Training.model_validate(Training().model_dump())


def test_a_section_that_is_named_is_on_and_one_set_to_null_is_off():
    """
    `--set training.average=null` must switch off what the file switched on.
    """
    assert read("{early_stopping: {}, average: EMA}") == Training(
        early_stopping=EarlyStopping(), average=EMA()
    )
    assert read("{early_stopping: {}, average: {EMA: {}}}").average == EMA()
    assert read("{early_stopping: null, average: null, class_weight: null}") == Training()
    assert read("{class_weight: auto, replicas: auto}") == Training(class_weight="auto")


@pytest.mark.parametrize(
    "yaml",
    [
        "epochs: 0",
        "precision: float64",
        "replicas: 0",
        "replicas: 1.5",
        "replicas: many",
        "replicas: '2'",
        "class_weight: balanced",
        "class_weight: {}",
        "class_weight: {cat: 0, dog: much, owl: 2, fox: nan}",
        "class_weight: {cat: '2'}",
        "reduce_lr_on_plateau: {factor: 1}",
        "average: {EMA: {decay: 1}}",
        "average: {SWA: {start_epoch: -1}}",
        "average: true",
        "{epochs: 3, early_stopping: {start_from_epoch: 3}}",
        "{best: val_acc, early_stopping: {monitor: f1}}",
    ],
)
def test_each_mistake_has_one_message(yaml, recorded):
    """
    Some fields accept `auto` or a number, others `auto` or weights; a mistake must be reported
    once, not for each alternative.
    """
    with pytest.raises(ValidationError) as caught:
        read(yaml)

    recorded(yaml, [f"{dotted(each['loc'])}: {each['msg']}" for each in caught.value.errors()])


def test_every_metric_knows_which_way_is_better():
    """
    With the wrong direction, the worst checkpoint would be kept as the best.
    """
    lower = {metric for metric in METRICS if better(metric) == "min"}

    assert {"loss", "val_loss"} == lower
    assert set(METRICS) == set(get_args(Training.model_fields["best"].annotation))


STAGES = """
    stages:
      - {epochs: 2, train: head, optimizer: {SGD: {learning_rate: 0.5}}}
      - {epochs: 3, early_stopping: {patience: 9}}
    early_stopping: {patience: 1}
    reduce_lr_on_plateau: {patience: 2}
"""


def test_a_stage_takes_what_it_does_not_say_from_the_config():
    """
    An optimizer that is written once applies to every stage, and mistakes in it must be reported at
    its key.
    """
    adam = Optimizer.read("Adam")
    first, second = read(STAGES).resolved(adam)

    assert (2, "head", 0.5, 1, 2) == (
        first.epochs,
        first.train,
        first.optimizer.learning_rate,
        first.early_stopping and first.early_stopping.patience,
        first.reduce_lr_on_plateau and first.reduce_lr_on_plateau.patience,
    )
    assert (3, "all", adam, EarlyStopping(patience=9)) == (
        second.epochs,
        second.train,
        second.optimizer,
        second.early_stopping,
    )
    assert "training.stages[0].optimizer.SGD.learning_rate" == first.learning_rate_key
    assert "optimizer.Adam.learning_rate" == second.learning_rate_key
    assert ["training.stages[0]", "training.stages[1]"] == [first.key, second.key]


def test_without_stages_a_training_is_one():
    """
    All later code works with stages only.
    """
    adam = Optimizer.read("Adam")
    (only,) = read("{epochs: 7, train: [head_dense], early_stopping: {}}").resolved(adam)

    assert ("training", 7, ("head_dense",), adam, EarlyStopping()) == (
        only.key,
        only.epochs,
        only.train,
        only.optimizer,
        only.early_stopping,
    )


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("{epochs: 3, stages: [{epochs: 2}]}", ["epochs: no effect with stages"]),
        ("{train: head, stages: [{epochs: 2}]}", ["train: no effect with stages"]),
        ("stages: []", ["stages: "]),
        ("stages: [{train: head}]", ["stages[0].epochs: "]),
        (
            "stages: [{epochs: 2, train: {a: 1}}]",
            ["stages[0].train: must be all, head, or a list of"],
        ),
        (
            "stages: [{epochs: 2, early_stopping: {start_from_epoch: 2}}]",
            ["stages[0].early_stopping.start_from_epoch: must be less than epochs (2), got 2"],
        ),
        (
            "{stages: [{epochs: 9}, {epochs: 4}], early_stopping: {start_from_epoch: 5}}",
            ["early_stopping.start_from_epoch: must be less than epochs (4), got 5"],
        ),
    ],
)
def test_a_mistake_in_stages_is_found_at_its_key(yaml, expected):
    """
    If a key has no effect, the run is not the one that the user meant.
    """
    with pytest.raises(ValidationError) as caught:
        read(yaml)

    found = [f"{dotted(each['loc'])}: {each['msg']}" for each in caught.value.errors()]
    assert len(expected) == len(found), found
    assert [True] * len(found) == [
        each.startswith(start) for each, start in zip(found, expected, strict=True)
    ], found
