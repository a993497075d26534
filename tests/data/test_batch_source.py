"""Batches made on a GPU equal those made on the host; tested on a CPU, which can do both."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

from imgcls.config.components.augmentations import Augmentation
from imgcls.data import batch_source
from imgcls.data.batch_source import BatchSource
from imgcls.data.dataset import Split
from imgcls.data.targets import Targets
from tests.config.components.augmentations.test_augmentation import FIELDS

RNG = np.random.default_rng(0)
IMAGES, BATCH, SIDES = 30, 8, (5, 7)
PIXELS = RNG.integers(
    0, 256, (IMAGES, *SIDES, 3), np.uint8
)  # 105 bytes: not a multiple of an int32
LABELS = RNG.integers(0, 4, IMAGES).astype(np.int32)
TARGETS = Targets(4, 0.1, np.array([0.5, 1, 2, 3], np.float32))
ALL = [Augmentation.read({name: fields}) for name, fields in FIELDS.items()]


def split(pixels: np.ndarray = PIXELS) -> Split:
    return Split(pixels, LABELS, tuple(map(str, LABELS)))


def batches_of(given: BatchSource, steps: range) -> list[tuple[np.ndarray, ...]]:
    finish = tf.function(given.finish) if given.finish else lambda *batch: batch
    return [tuple(each.numpy() for each in finish(*batch)) for batch in given.batches(steps)]


@pytest.mark.parametrize("size", [SIDES, (11, 13)], ids=str)
@pytest.mark.parametrize("resident", [True, False], ids=["resident", "sent"])
def test_the_device_makes_the_batches_of_the_host(resident, size, monkeypatch):
    """
    What a network learns must not depend on where its batches are made.
    """
    monkeypatch.setattr(batch_source, "RESIDENT_BYTES", 2**31 if resident else 0)
    given = (split(), size, ALL, BATCH, 3, TARGETS)
    device = batch_source.on_device(*given, "/cpu:0")
    pairs = zip(
        batches_of(batch_source.on_host(*given), range(2, 9)),
        batches_of(device, range(2, 9)),
        strict=True,
    )

    sent = next(iter(device.batches(range(1))))
    assert (2 if resident else 3) == len(sent)
    for (images, *rest), (ours, *our_rest) in pairs:
        np.testing.assert_allclose(images, ours, atol=2e-6)  # the graphs are optimized differently
        for each, our_each in zip(rest, our_rest, strict=True):
            np.testing.assert_array_equal(each, our_each)


def test_what_the_host_sends_is_bytes(tmp_path):
    """
    Sending float32 images to the GPU would take four times the bandwidth.
    """
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=PIXELS.shape)
    mapped[:] = PIXELS  # as if too large for memory, and so for a GPU
    device = batch_source.on_device(split(mapped), SIDES, (), BATCH, 0, TARGETS, "/cpu:0")
    _, index, pixels = device.batches(range(1)).element_spec

    assert (tf.int64, tf.uint8) == (index.dtype, pixels.dtype)
    np.testing.assert_array_equal(
        batches_of(device, range(1))[0][0],
        batches_of(batch_source.on_host(split(), SIDES, (), BATCH, 0, TARGETS), range(1))[0][0],
    )


def operations(graph: Any) -> Iterator[Any]:
    """Yields the operations of a graph and of the functions that it calls."""
    yield from graph.as_graph_def().node
    for function in graph.as_graph_def().library.function:
        yield from function.node_def


def runs_on_a_gpu(node: Any) -> bool:
    """Returns whether TensorFlow has a GPU kernel for the types of an operation."""
    found = kernels.get_registered_kernels_for_op(node.op).kernel
    return any(
        kernel.device_type in {"GPU", "DEFAULT"}
        and all(
            node.attr[each.name].type in each.allowed_values.list.type for each in kernel.constraint
        )
        for kernel in found
    )


@pytest.mark.skipif(not tf.test.is_built_with_cuda(), reason="a TensorFlow without GPU kernels")
@pytest.mark.parametrize("resident", [True, False], ids=["resident", "sent"])
def test_a_gpu_has_a_kernel_for_all_of_it(resident, monkeypatch):
    """
    Without a GPU kernel, TensorFlow silently copies the pixels to the host and back at each step.
    """
    monkeypatch.setattr(batch_source, "RESIDENT_BYTES", 2**31 if resident else 0)
    device = batch_source.on_device(split(), (11, 13), ALL, BATCH, 3, TARGETS, "/cpu:0")
    graph = (
        tf.function(device.finish)
        .get_concrete_function(*device.batches(range(1)).element_spec)
        .graph
    )
    without = {node.op for node in operations(graph) if not runs_on_a_gpu(node)}

    assert without <= {"Placeholder"}
