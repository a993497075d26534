"""What cannot fit into memory is rejected before memory is allocated, and nothing else is."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls import memory
from imgcls.config.components.layers import Layer
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.config import Config
from imgcls.config.data_spec import DataSpec
from imgcls.errors import ConfigError
from imgcls.network.network import build, shapes_only
from imgcls.training import machine, size
from tests.specs import spec_of

SPEC = spec_of(("a", "b", "c"), channels=3)
END = ["Flatten", {"Dense": {"units": "classes", "activation": "softmax"}}]
FIELDS: dict[str, Any] = {
    "activation": "tanh",
    "branches": [[{"Conv2D": {"filters": 4, "kernel_size": 1}}], ["BatchNormalization"]],
    "filters": 4,
    "kernel_size": 3,
    "layers": [{"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}}],
    "pool_size": 2,
    "rate": 0.5,
    "scale": 2,
    "stddev": 0.1,
    "times": 2,
    "units": 5,
}
MOMENTS = {"mean": 0.5, "variance": 0.1}


def stack(*layers: Any) -> list[Layer]:
    return [Layer.read(layer) for layer in layers]


def around(name: str) -> list[Layer]:
    fields = Layer.named()[name].model_fields
    given = {key: FIELDS[key] for key, field in fields.items() if field.is_required()}
    given |= MOMENTS if name == "Normalization" else {}
    return stack({"Conv2D": {"filters": 32, "kernel_size": 1}}, {name: given}, *END)


def made(small: Any, **changes: Any) -> tuple[Config, DataSpec]:
    config = Config.model_validate(small(**changes))
    return config, spec_of(tuple("0123456789"), size=config.dataset.size or (8, 8))


def refusal(config: Config, spec: DataSpec, images: int = 10) -> str:
    with pytest.raises(ConfigError) as caught:
        size.check(config, images, spec, machine.choose(config.training))
    return str(caught.value)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", Layer.named())
def test_a_sketch_has_every_shape_of_the_network_and_no_value(name: str, precision: str) -> None:
    """
    A layer whose weights were not counted could exhaust the memory after all.
    """
    layers = around(name)
    drawn = shapes_only(layers, SPEC, precision=precision)
    built = build(layers, SPEC, 0, precision=precision)

    for one, other in zip(drawn.layers, built.layers, strict=True):
        assert one.output.shape == other.output.shape
        assert one.layer.compute_dtype == other.layer.compute_dtype
    shapes = [(tuple(each.shape), each.dtype) for each in drawn.model.variables]
    assert shapes == [(tuple(each.shape), each.dtype) for each in built.model.variables]
    with keras.StatelessScope():
        pass  # at its end, Keras initializes every variable without a value
    assert all(each._value is None for each in drawn.model.variables)


def test_a_sketch_changes_nothing_of_the_network_that_is_built() -> None:
    """
    A seed must give the same weights whether or not memory was estimated before.
    """
    layers = stack("BatchNormalization", {"Dropout": {"rate": 0.5}}, *END)
    before = build(layers, SPEC, 3).model
    shapes_only(layers, SPEC)
    after = build(layers, SPEC, 3).model

    images = np.random.default_rng(0).random((5, 8, 8, 3), np.float32)
    for one, other in zip(before.variables, after.variables, strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(before(images, training=True), after(images, training=True))


def test_a_sketch_is_no_memory() -> None:
    """
    Sketches must work for networks that no computer could build.
    """
    layers = stack("Flatten", {"Dense": {"units": 2_000_000_000}}, END[1])
    before = resident()
    drawn = shapes_only(layers, SPEC)

    assert 10**11 < drawn.model.count_params()
    assert resident() - before < 10**8


def resident() -> int:
    pages = Path("/proc/self/statm")
    if not pages.exists():
        pytest.skip("only Linux says how much memory a process has")
    return int(pages.read_text(encoding="utf-8").split()[1]) * 4096


@pytest.mark.parametrize("name", Optimizer.named())
def test_no_more_is_reckoned_than_an_optimizer_takes(name: str) -> None:
    """
    Too high an estimate rejects what can be trained; too low a one lets the kernel kill the
    process.
    """
    weights = [keras.Variable(tf.zeros(shape)) for shape in [(300, 200), (200,)]]
    optimizer = Optimizer.read(name)
    built = optimizer.build(1, 1)
    built.build(weights)
    taken = sum(each.value.numpy().nbytes for each in built.variables)
    reckoned = size.slots(optimizer) * 4 * (300 * 200 + 200)

    assert reckoned <= taken
    if name != "Adafactor":  # it keeps a number per row and per column
        assert taken - reckoned < 100


def test_what_a_step_keeps_is_the_input_of_each_layer_with_weights() -> None:
    """
    Only these inputs are certain to be kept: everything else may be computed in place.
    """
    layers = stack(
        {"Conv2D": {"filters": 4, "kernel_size": 3}},
        "ReLU",
        "BatchNormalization",
        {"Residual": {"layers": [{"Conv2D": {"filters": 8, "kernel_size": 1}}, "PReLU"]}},
        *END,
    )
    drawn = shapes_only(layers, SPEC, precision="bfloat16")

    assert {
        "layers[0].Conv2D": 2 * 8 * 8 * 3,
        "layers[2].BatchNormalization": 2 * 6 * 6 * 4,
        "layers[3].Residual.layers[0].Conv2D": 2 * 6 * 6 * 4,
        "layers[3].Residual.layers[1].PReLU": 2 * 6 * 6 * 8,
        "layers[3].Residual.shortcut": 2 * 6 * 6 * 4,
        "layers[5].Dense": 4 * 6 * 6 * 8,
    } == {
        each.key: size.activations(each.layer)
        for each in drawn.layers
        if each.layer.weights and not each.inner
    }


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        (
            {"layers": ["Flatten", {"Dense": {"units": 2_000_000_000}}, END[1]]},
            "layers[1].Dense",
            "this layer needs the most, 1.4 TiB",
        ),
        (
            {"layers": [{"Conv2D": {"filters": 10**9, "kernel_size": 3}}, *END]},
            "layers[2].Dense",
            "the network with its optimizer needs ",
        ),
        (
            {
                "layers": [
                    {"Conv2D": {"filters": 10**9, "kernel_size": 3}},
                    "Flatten",
                    {"Dense": {"units": 2 * 10**9}},
                    END[1],
                ]
            },
            "layers[2].Dense",
            "this layer needs the most, 749.4 EiB",
        ),
        ({"dataset": {"name": "digits", "size": 1_000_000}}, "dataset.size", "needs 3.6 TiB, "),
        (
            {"dataset": {"name": "digits", "size": 40_000}, "training": {"batch_size": 10**9}},
            "training.batch_size",
            "images need ",
        ),
    ],
)
def test_what_no_memory_holds_is_refused_with_its_key(small, changes, key, words) -> None:
    """
    The kernel would kill the process without a message, and possibly others before it.
    """
    message = refusal(*made(small, **changes), images=10_000)

    assert message.startswith(f"{key}: ")
    assert words in message


def test_a_step_that_does_not_fit_says_how_many_images_would(small) -> None:
    """
    Users who had to find the batch size by halving it would spend an hour.
    """
    wide = [{"Conv2D": {"filters": 2048, "kernel_size": 1}}] * 2
    free = memory.free() or 0
    fitting = free // (64 * 64 * 2049 * 4)  # a little less in fact: the network needs memory too
    text = {"name": "digits", "size": 64}
    layers = [*wide, "GlobalAveragePooling2D", END[1]]
    given = made(small, dataset=text, layers=layers, training={"batch_size": 10**6})
    message = refusal(*given, images=10**6)

    assert message.startswith("training.batch_size: a step of 1,000,000 images needs ")
    most = int(message.partition("; ")[2].split(" ")[0].replace(",", ""))
    assert 0.8 * fitting < most < 1.2 * fitting


def test_one_image_that_does_not_fit_is_told_with_the_layer(small) -> None:
    """
    No batch size is small enough then, so users have to change the layer.
    """
    wide = {"Conv2D": {"filters": 1_000_000, "kernel_size": 1, "use_bias": False}}
    narrow = {"Conv2D": {"filters": 1, "kernel_size": 1}}
    layers = [wide, narrow, "GlobalAveragePooling2D", {"Dense": {"units": "classes"}}]
    given = made(small, dataset={"name": "digits", "size": 1000}, layers=layers)

    assert refusal(*given).startswith("layers[1].Conv2D: a step of one image needs 3.6 ")


def test_a_batch_of_more_images_than_there_are_is_one_batch(small) -> None:
    """
    Users who write a huge batch_size mean all images.
    """
    config, spec = made(small, training={"batch_size": 10**9})

    size.check(config, 10, spec, machine.choose(config.training))


def test_a_network_of_a_thousand_layers_can_be_built() -> None:
    """
    Keras walks a network recursively, and Python limits recursion to a thousand calls.
    """
    layers = stack({"Repeat": {"times": 1100, "layers": ["ReLU"]}}, *END)

    assert 1102 == len(shapes_only(layers, SPEC).layers)


def test_a_frozen_layer_needs_no_gradient_and_no_optimizer(small) -> None:
    """
    If a network is too large to be trained as a whole, its head may still be trained.
    """
    # The weights need half of the free memory; Adam and the gradient need three times as much.
    units = (memory.free() or 0) // (2 * 4 * (65 + 10))
    dense = {"Dense": {"units": units}}
    layers = ["Flatten", dense, {"Dense": {"units": "classes"}}]
    whole, spec = made(small, layers=layers, training={"batch_size": 1})
    head, _ = made(small, layers=layers, training={"batch_size": 1, "train": "head"})

    assert refusal(whole, spec).startswith("layers[1].Dense: the network with its optimizer needs ")
    size.check(head, 10, spec, machine.choose(head.training))


def test_a_normalization_without_weights_to_train_needs_no_gradient(small) -> None:
    """
    It has only moving statistics, as in networks that do their own scaling after it.
    """
    plain = {"BatchNormalization": {"center": False, "scale": False}}
    config, spec = made(small, layers=["Flatten", plain, END[-1]], augmentation=[])

    size.check(config, 10, spec, machine.choose(config.training))
    alone = config.training.model_copy(update={"train": ("layers[1]",)})
    found = refusal(config.model_copy(update={"training": alone}), spec)
    assert "training.train: selects no layer whose weights can be trained" in found
