"""A list of augmentations: applied in order, movements in one warp, each image independently."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.augmentations.augmentation import Geometric
from imgcls.data.augment import augment, grouped
from imgcls.ops import random

Images = NDArray[np.float32]

ROTATION = {"RandomRotation": {"degrees": 40}}
SHIFT = {"RandomTranslation": {"height": 0.3, "width": 0.3}}
CERTAIN_FLIP = {"RandomFlip": {"probability": 1}}


def read(*written: object) -> list[Augmentation]:
    return [Augmentation.read(each) for each in written]


def smooth() -> Images:
    """Returns images without sharp edges, so that interpolating twice is nearly as good as once."""
    place = np.linspace(0, 6, 48, dtype=np.float32)
    waves = np.sin(place)[:, None] * np.cos(place)[None]
    phases = np.linspace(0.2, 1, 16, dtype=np.float32)[:, None, None, None]
    one = 0.5 + 0.5 * waves[None, :, :, None] * phases
    return one.repeat(3, axis=-1).astype(np.float32)


def run(augmentations: list[Augmentation], images: Images) -> Images:
    index = tf.range(len(images), dtype=tf.int64)
    epoch = tf.constant(1, tf.int64)
    result: Images = augment(augmentations, tf.constant(images), 0, epoch, index).numpy()
    return result


def one_by_one(augmentations: list[Augmentation], images: Images) -> Images:
    """Returns the result of a separate warp per movement, with the same random numbers."""
    index = tf.range(len(images), dtype=tf.int64)
    counts = [each.numbers for each in augmentations]
    drawn = random.uniform(0, tf.constant(1, tf.int64), index, sum(counts))
    for each, numbers in zip(augmentations, tf.split(drawn, counts, axis=1), strict=True):
        assert isinstance(each, Geometric)
        matrices = each.matrix(numbers, *images.shape[1:3]).numpy()
        images = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=matrices.reshape(-1, 9)[:, :8],
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        ).numpy()
    return images


def test_no_augmentation_is_none() -> None:
    """
    A config without augmentation trains on the images as they are.
    """
    assert np.array_equal(smooth(), run([], smooth()))


@pytest.mark.parametrize(
    ("mode", "axes"), [("horizontal", 2), ("vertical", 1), ("horizontal_and_vertical", (1, 2))]
)
def test_flips_equal_numpy_bit_for_bit(mode: str, axes: int | tuple[int, int]) -> None:
    """
    A flip must not lose any information.
    """
    flip = read({"RandomFlip": {"mode": mode, "probability": 1}})

    assert np.array_equal(np.flip(smooth(), axes), run(flip, smooth()))


@pytest.mark.parametrize(
    "written", [(ROTATION, SHIFT), (SHIFT, ROTATION), (ROTATION, "RandomFlip", SHIFT)]
)
def test_one_warp_equals_one_after_the_other(written: tuple[object, ...]) -> None:
    """
    Augmentations must apply in the order of the config, at least away from the filled edges.
    """
    inside = np.s_[:, 20:28, 20:28]
    augmentations = read(*written)
    images = smooth()
    once, twice = run(augmentations, images)[inside], one_by_one(augmentations, images)[inside]

    assert np.abs(once - images[inside]).max() > 0.2
    assert np.allclose(twice, once, atol=0.02)


def test_order_matters() -> None:
    """
    A list that was sorted, or multiplied in reverse, would still look augmented.
    """
    flip_then_shift = run(read(CERTAIN_FLIP, {"RandomCrop": {"padding": 8}}), smooth())
    numbers = random.uniform(0, tf.constant(1, tf.int64), tf.range(16, dtype=tf.int64), 4)
    expected = []
    for image, (_, _, x, y) in zip(smooth(), numbers.numpy(), strict=True):
        right, down = int(17 * x) - 8, int(17 * y) - 8
        padded = np.pad(image[:, ::-1], [(8, 8), (8, 8), (0, 0)], "edge")
        expected.append(padded[8 - down : 56 - down, 8 - right : 56 - right])

    assert np.array_equal(expected, flip_then_shift)


def test_colour_and_movement_come_in_the_order_written() -> None:
    """
    A border that is brightened along with the image looks different from one added later.
    """
    border = {"RandomTranslation": {"height": 1, "fill_mode": "constant"}}
    brighter = {"RandomBrightness": {"factor": 1}}
    images = smooth()

    assert not np.array_equal(
        run(read(border, brighter), images), run(read(brighter, border), images)
    )


def _names(*written: object) -> list[str | list[str]]:
    return [
        [each.identifier() for each in group] if isinstance(group, list) else group.identifier()
        for group in grouped(read(*written))
    ]


def test_neighbouring_movements_make_one_group() -> None:
    """
    Each additional warp costs a pass over the pixels and blurs them once more.
    """
    expected = [["RandomFlip", "RandomRotation", "RandomTranslation"]]

    assert expected == _names("RandomFlip", ROTATION, SHIFT)


def test_another_fill_begins_another_group() -> None:
    """
    A warp can have only one fill mode.
    """
    black = {"RandomTranslation": {"height": 0.1, "fill_mode": "constant"}}
    white = {"RandomRotation": {"degrees": 5, "fill_mode": "constant", "fill_value": 1}}

    assert [["RandomRotation"], ["RandomTranslation"]] == _names(ROTATION, black)
    assert [["RandomTranslation"], ["RandomRotation"]] == _names(black, white)
    assert [["RandomTranslation", "RandomTranslation"]] == _names(black, black)


def test_a_flip_joins_whatever_is_beside_it() -> None:
    """
    A flip never reads outside the image, so it works with any fill mode.
    """
    black = {"RandomTranslation": {"height": 0.1, "fill_mode": "constant"}}

    assert [["RandomTranslation", "RandomFlip"]] == _names(black, "RandomFlip")
    assert [["RandomFlip", "RandomTranslation"], ["RandomRotation"]] == _names(
        "RandomFlip", black, ROTATION
    )


def test_the_fill_of_a_group_is_that_of_its_members() -> None:
    """
    A flip at the start of a group must not determine its fill mode.
    """
    white = {"RandomTranslation": {"height": 1, "fill_mode": "constant", "fill_value": 1}}

    assert run(read("RandomFlip", white), smooth() * 0.5).max() == 1


def test_colours_stand_between_movements() -> None:
    """
    A color change between two movements must not be moved out of the way to merge them.
    """
    grey = {"RandomBrightness": {"factor": 0.1}}

    assert [["RandomRotation"], "RandomBrightness", ["RandomTranslation"]] == _names(
        ROTATION, grey, SHIFT
    )


def test_an_augmentation_put_behind_leaves_the_others_as_they_are() -> None:
    """
    Two configs that differ only in their last augmentation must remain comparable.
    """
    nothing_more = {"RandomBrightness": {"factor": 0}}

    assert np.array_equal(
        run(read(ROTATION, SHIFT), smooth()), run(read(ROTATION, SHIFT, nothing_more), smooth())
    )


def test_two_of_a_kind_draw_by_themselves() -> None:
    """
    Two flips with the same random numbers would always undo each other.
    """
    twice = run(read("RandomFlip", "RandomFlip"), smooth())

    assert not np.array_equal(smooth(), twice)


def test_a_long_list_works_on_batches_of_unknown_size() -> None:
    """
    The training pipeline runs long lists like this on batches of unknown size.
    """
    augmentations = read(
        "RandomFlip", ROTATION, SHIFT, {"RandomHue": {"factor": 0.1}}, "RandomErasing"
    )
    batches = tf.data.Dataset.from_tensor_slices((smooth(), np.arange(16))).batch(5)
    epoch = tf.constant(1, tf.int64)
    augmented = batches.map(lambda x, index: augment(augmentations, x, 0, epoch, index))

    assert augmented.element_spec.shape.as_list() == [None, 48, 48, 3]
    assert np.allclose(run(augmentations, smooth()), np.concatenate(list(augmented)), atol=1e-5)
