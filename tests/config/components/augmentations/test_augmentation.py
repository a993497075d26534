"""Conformance of every augmentation: what all of them guarantee."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from pydantic import ValidationError

from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.augmentations.augmentation import Color, Geometric
from imgcls.config.language.documentation import field_docs
from imgcls.config.language.registry import Scalar, dotted
from imgcls.data.augment import augment

Images = NDArray[np.float32]

# Strong enough to change every image visibly.
FIELDS: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": 0.5},
    "RandomContrast": {"factor": 0.9},
    "RandomCrop": {"padding": 3},
    "RandomErasing": {"probability": 0.9, "area": [0.1, 0.5], "value": 0.5},
    "RandomFlip": {"mode": "horizontal_and_vertical", "probability": 0.6},
    "RandomGrayscale": {"probability": 0.5},
    "RandomHue": {"factor": 0.4},
    "RandomRotation": {"degrees": 60},
    "RandomSaturation": {"factor": 0.9},
    "RandomShear": {"x": 0.5, "y": 0.5},
    "RandomTranslation": {"height": 0.4, "width": 0.4},
    "RandomZoom": {"height": 0.5, "width": 0.3},
}
NOTHING: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": 0},
    "RandomContrast": {"factor": 0},
    "RandomCrop": {"padding": 0},
    "RandomErasing": {"probability": 0},
    "RandomFlip": {"probability": 0},
    "RandomGrayscale": {"probability": 0},
    "RandomHue": {"factor": 0},
    "RandomRotation": {"degrees": 0},
    "RandomSaturation": {"factor": 0},
    "RandomShear": {"x": 0, "y": 0},
    "RandomTranslation": {"height": 0, "width": 0},
    "RandomZoom": {"height": 0},
}
_OF_COLOR = {"RandomGrayscale", "RandomHue", "RandomSaturation"}

every = pytest.mark.parametrize("name", Augmentation.named())


def images(channels: int = 3, batch: int = 24) -> Images:
    return np.random.default_rng(0).random((batch, 10, 8, channels), dtype=np.float32)


def apply(
    augmentation: Augmentation,
    array: Images,
    index: Any = None,
    *,
    seed: int = 1,
    epoch: int = 2,
) -> Images:
    index = tf.constant(range(len(array)) if index is None else index, tf.int64)
    epochs = tf.constant(epoch, tf.int64)
    result: Images = augment([augmentation], tf.constant(array), seed, epochs, index).numpy()
    return result


def strong(name: str) -> Augmentation:
    return Augmentation.read({name: FIELDS[name]})


def test_the_tables_are_complete() -> None:
    """
    A new augmentation is tested only if it is in both tables.
    """
    assert set(Augmentation.named()) == set(FIELDS) == set(NOTHING)


@every
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_range_are_kept(name: str, channels: int) -> None:
    """
    The network is built for one shape, and its normalization for the range 0..1.
    """
    result = apply(strong(name), images(channels))

    assert images(channels).shape == result.shape
    assert np.float32 == result.dtype
    assert result.min() >= 0
    assert result.max() <= 1


@every
def test_equal_seeds_give_equal_images_and_others_do_not(name: str) -> None:
    """
    A run must be repeatable, yet no two epochs and no two seeds may augment alike.
    """
    array = images()

    assert np.array_equal(apply(strong(name), array), apply(strong(name), array))
    assert not np.array_equal(apply(strong(name), array), apply(strong(name), array, seed=3))
    assert not np.array_equal(apply(strong(name), array), apply(strong(name), array, epoch=3))
    assert not np.array_equal(
        apply(strong(name), array), apply(strong(name), array, range(100, 124))
    )


@every
def test_images_are_augmented_each_by_itself(name: str) -> None:
    """
    One transformation for the whole batch would be far less augmentation than the config asks for.
    """
    results = apply(strong(name), np.repeat(images(batch=1), 24, axis=0))

    assert len(np.unique(results, axis=0)) > 1


@every
def test_neighbors_and_position_in_the_batch_change_nothing(name: str) -> None:
    """
    Several devices, another batch size or a resume in mid-epoch change how images are batched, but
    must not change the images.
    """
    array, order = images(), np.random.default_rng(1).permutation(24)
    expected = apply(strong(name), array)

    assert np.array_equal(expected[order], apply(strong(name), array[order], order))
    assert np.array_equal(expected[5:6], apply(strong(name), array[5:6], [5]))


@every
def test_a_pipeline_of_unknown_batch_size_gives_the_same(name: str) -> None:
    """
    Unlike eager code, tf.data does not know the batch size in advance: the last batch is smaller.
    """
    array, augmentation = images(), strong(name)
    batches = tf.data.Dataset.from_tensor_slices((array, np.arange(24))).batch(7)
    epoch = tf.constant(2, tf.int64)
    augmented = batches.map(lambda x, index: augment([augmentation], x, 1, epoch, index))

    assert augmented.element_spec.shape.as_list() == [None, 10, 8, 3]
    assert np.allclose(apply(strong(name), array), np.concatenate(list(augmented)), atol=1e-6)


@every
@pytest.mark.parametrize("channels", [1, 3])
def test_a_strength_of_nothing_changes_nothing(name: str, channels: int) -> None:
    """
    An augmentation that is switched off with `--set` must leave images bit-identical.
    """
    array = images(channels)

    assert np.array_equal(array, apply(Augmentation.read({name: NOTHING[name]}), array))


@every
def test_only_what_needs_color_leaves_gray_images_as_they_are(name: str) -> None:
    """
    The documentation lists the augmentations that have no effect on grayscale images such as MNIST.
    """
    array = images(1)

    assert (name in _OF_COLOR) == np.array_equal(array, apply(strong(name), array))


@every
def test_the_dumped_form_reads_back_equal(name: str) -> None:
    """
    A run saves its resolved config and is resumed from it.
    """
    augmentation = strong(name)
    dumped = augmentation.model_dump(mode="json")

    assert [name] == list(dumped)
    assert augmentation == Augmentation.read(dumped)


@every
def test_values_are_read_from_text(name: str) -> None:
    """
    YAML scalars reach the fields as text.
    """

    def text(value: object) -> object:
        return [text(each) for each in value] if isinstance(value, list) else Scalar(str(value))

    fields = {key: text(value) for key, value in FIELDS[name].items()}

    assert Augmentation.read({name: FIELDS[name]}) == Augmentation.read({name: fields})


@every
def test_class_and_fields_are_documented(name: str) -> None:
    """
    The reference page is generated from these texts.
    """
    component = Augmentation.named()[name]

    assert component.__doc__
    assert set(component.model_fields) == set(field_docs(component))


@every
def test_each_is_of_one_kind(name: str) -> None:
    """
    `augment` handles geometric and color augmentations, nothing else.
    """
    component = Augmentation.named()[name]

    assert issubclass(component, Geometric) != issubclass(component, Color)


@pytest.mark.parametrize(
    "edit",
    [
        {"RandomZoom": {}},
        {"RandomRotation": {"degrees": 181}},
        {"RandomHue": {"factor": 0.6}},
        {"RandomZoom": {"height": 1}},
        {"RandomTranslation": {}},
        "RandomTranslation",
        {"RandomShear": {"fill_mode": "wrap"}},
        {"RandomCrop": {"padding": 2, "fill_value": 0.5}},
        {"RandomTranslation": {"height": 0.1, "fill_mode": "reflect", "fill_value": 0}},
        {"RandomErasing": {"area": [0.4, 0.1]}},
        {"RandomErasing": {"aspect": [3, 2]}},
        {"RandomFlip": {"mode": "sideways"}},
        {"RandomFlip": {"fill_value": 1}},
        {"RandomRotate": {"degrees": 3}},
    ],
    ids=str,
)
def test_mistakes_are_reported(edit: object, recorded: Callable[[str, list[str]], None]) -> None:
    """
    Users should learn of a setting without effect or meaning before training, not after it.
    """
    with pytest.raises(ValidationError) as caught:
        Augmentation.read(edit)

    (details,) = caught.value.errors()

    recorded(str(edit), [f"{dotted(details['loc'])}: {details['msg']}"])
