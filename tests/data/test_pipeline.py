"""The promises of the pipeline: each image once per epoch, reshuffled; evaluation is unaltered."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from imgcls.config.components.augmentations import Augmentation
from imgcls.data.dataset import Split
from imgcls.data.pipeline import (
    evaluation_batches,
    first_images,
    index_batches,
    steps_per_pass,
    train_batches,
)
from imgcls.data.targets import Targets

IMAGES, BATCH = 23, 5  # the last batch of an epoch has three
STEPS = 5
TARGETS = Targets(IMAGES)


def split(images: int = IMAGES) -> Split:
    """Returns a split in which every pixel of an image is its number."""
    numbers = np.arange(images, dtype=np.uint8)
    pixels = np.broadcast_to(numbers[:, None, None, None], (images, 4, 4, 1)).copy()
    return Split(pixels, numbers.astype(np.int32), tuple(map(str, numbers)))


def order(start: int = 0, stop: int = STEPS, seed: int = 0) -> list[int]:
    batches = index_batches(IMAGES, BATCH, seed, range(start, stop))
    return [int(each) for _, index in batches for each in index.numpy()]


def test_a_pass_has_every_image_once():
    """
    Skipping or repeating images is a bug that four out of five trainers have.
    """
    assert sorted(order()) == list(range(IMAGES))
    assert steps_per_pass(IMAGES, BATCH) == STEPS


def test_the_next_pass_has_another_order():
    """
    A cache after the shuffle would replay the first order forever.
    """
    first, second = order(), order(STEPS, 2 * STEPS)

    assert sorted(first) == sorted(second)
    assert first != second


def test_another_seed_has_another_order_and_the_same_one_the_same():
    """
    A run is reproduced by its seed.
    """
    assert order(seed=1) == order(seed=1)
    assert order(seed=1) != order(seed=2)


@pytest.mark.parametrize("start", [0, 1, 4, 5, 7, 12])
def test_a_training_can_begin_at_any_step(start):
    """
    A resumed run must see the same batches as an uninterrupted one.
    """
    whole = [
        (int(number), *index.numpy())
        for number, index in index_batches(IMAGES, BATCH, 0, range(15))
    ]
    rest = [
        (int(number), *index.numpy())
        for number, index in index_batches(IMAGES, BATCH, 0, range(start, 15))
    ]

    assert whole[start:] == rest


def test_training_batches_have_the_images_of_their_labels_augmented_alike_from_any_step():
    """
    The random numbers depend on the image and the epoch, not on the batch or the thread.
    """
    flips = [Augmentation.read({"RandomTranslation": {"height": 0.5, "width": 0.5}})]
    images = split()
    images.pixels[:, :2] //= 2

    def run(start: int) -> list[np.ndarray]:
        batches = train_batches(images, (4, 4), flips, BATCH, 3, range(start, 12), TARGETS)
        return [np.concatenate([each.numpy().ravel() for each in batch]) for batch in batches]

    whole = run(0)

    assert all(np.array_equal(*pair) for pair in zip(whole[7:], run(7), strict=True))
    assert not np.array_equal(np.sort(whole[0]), np.sort(whole[5]))


def test_without_augmentation_an_image_is_its_pixels_between_0_and_1():
    """
    The network must be fed exactly the stored pixels, scaled to 0..1.
    """
    for images, targets, _ in train_batches(split(), (4, 4), (), BATCH, 0, range(STEPS), TARGETS):
        labels = np.argmax(targets, axis=1)
        expected = np.broadcast_to(labels[:, None, None, None] / 255, images.shape)

        np.testing.assert_allclose(expected, images.numpy(), rtol=1e-6)


def test_evaluation_sees_every_image_once_in_its_order():
    """
    Elsewhere, a dropped last batch meant that only 9,984 of 10,000 images were scored.
    """
    batches = evaluation_batches(split(), (4, 4), BATCH, TARGETS)
    labels = [np.argmax(targets, axis=1) for _, targets, _ in batches]

    assert list(range(IMAGES)) == list(itertools.chain(*labels))


def test_small_pictures_are_enlarged_in_the_batch():
    """
    Otherwise, a data set of 32-pixel images used at 224 would take 6.8 GB.
    """
    images, _, _ = next(iter(evaluation_batches(split(), (9, 12), BATCH, TARGETS)))

    assert images.shape == (BATCH, 9, 12, 1)
    np.testing.assert_allclose(images.numpy()[3], 3 / 255, rtol=1e-6)


def test_a_set_on_disk_gives_the_batches_of_one_in_memory(tmp_path):
    """
    A data set too large for memory must train the same model.
    """
    memory = split()
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=memory.pixels.shape)
    mapped[:] = memory.pixels
    disk = Split(mapped, memory.labels, memory.names)
    pairs = zip(
        train_batches(memory, (4, 4), (), BATCH, 0, range(STEPS), TARGETS),
        train_batches(disk, (4, 4), (), BATCH, 0, range(STEPS), TARGETS),
        strict=True,
    )

    assert all(np.array_equal(one[0], other[0]) for one, other in pairs)


def test_a_set_on_disk_takes_the_memory_of_a_few_batches(tmp_path):
    """
    A data set ten times as large must train in the same memory.
    """

    def held() -> int:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return 1024 * int(status.split("RssFile:")[1].split()[0])

    shape = (400, 256, 256, 3)  # 79 MB
    pixels = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=shape)
    disk = Split(pixels, np.zeros(400, np.int32), ("",) * 400)
    next(iter(train_batches(disk, (256, 256), (), 10, 0, range(1), TARGETS)))
    before = held()
    for images, _, _ in train_batches(disk, (256, 256), (), 10, 0, range(40), TARGETS):
        assert images.shape == (10, 256, 256, 3)

    assert held() - before < 12e6


@pytest.mark.parametrize("smallest", [1, 3, 4, 5])
def test_the_last_batch_has_an_image_for_each_replica_and_every_image_is_there(smallest):
    """
    With synchronized normalization, a replica with an empty batch would end the training.
    """
    batches = [
        index.numpy() for _, index in index_batches(IMAGES, BATCH, 0, range(STEPS), smallest)
    ]

    assert [5, 5, 5, 8 - max(3, smallest), max(3, smallest)] == list(map(len, batches))
    assert sorted(np.concatenate(batches)) == list(range(IMAGES))


@pytest.mark.parametrize(("most", "expected"), [(3, 1), (5, 1), (14, 2), (10**6, STEPS)])
def test_the_first_images_are_those_of_the_first_epoch_not_augmented(most, expected):
    """
    A network's statistics are computed from its training images, in the time of a few batches.
    """
    found = [batch.numpy() for batch in first_images(split(), (4, 4), BATCH, 7, most)]
    numbers = [round(255 * image[0, 0, 0]) for batch in found for image in batch]

    assert expected == len(found)
    assert order(stop=expected, seed=7) == numbers
