"""Images whose content was lost in decoding are reported before a night of training."""

import numpy as np
import pytest
from PIL import Image

from imgcls.config.components.datasets import Dataset
from imgcls.data import appearance
from imgcls.data.dataset import load
from imgcls.data.reading import Split


def noted(pixels, labels=None):
    pixels = np.asarray(pixels, np.uint8)
    labels = np.arange(len(pixels)) % 2 if labels is None else labels
    split = Split(pixels, np.asarray(labels, np.int32), tuple(map(str, range(len(pixels)))))
    return list(appearance.notes(split, ("cat", "dog")))


def random(count, low, high):
    return np.random.default_rng(0).integers(low, high, (count, 6, 6, 1))


def test_ordinary_images_need_no_note():
    """
    A warning about every dataset would be read by nobody.
    """
    assert [] == noted(random(50, 0, 256))
    assert [] == noted(random(1, 0, 256))
    assert [] == noted(np.rint(random(50, 0, 17) * (255 / 16)))  # scikit-learn's digits


@pytest.mark.parametrize(
    ("pixels", "note"),
    [
        (np.zeros((9, 6, 6, 1)), "all training images have the same pixels"),
        (random(50, 0, 16), "almost black images: the brightest value is 15 of 255"),
        (random(50, 0, 2), "almost black images: the brightest value is 1 of 255"),
        (random(50, 0, 2) * 255, "the images have only 2 gray levels: 0, 255"),
        (random(50, 0, 8) * 32, "the images have only 8 gray levels"),
    ],
)
def test_images_that_have_lost_their_content_are_reported(pixels, note):
    """
    Training on black squares ends with exit code 0 and an accuracy of one over the classes.
    """
    (message,) = noted(pixels)

    assert message.startswith(note)


def test_a_class_of_equal_images_is_named():
    """
    A download that failed leaves the same placeholder image in every file of a class.
    """
    pixels = random(50, 0, 256)
    pixels[1::2] = pixels[1]

    assert ["all images of 'dog' have the same pixels"] == noted(pixels)


def test_twelve_bits_in_files_of_sixteen_are_reported_by_the_dataset(tmp_path):
    """
    X-rays are often stored like this, and come out almost black.
    """
    rng = np.random.default_rng(0)
    for name in ("ill", "well"):
        (tmp_path / name).mkdir()
        for number in range(4):
            values = rng.integers(0, 4096, (8, 8)).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    dataset = Dataset.read(
        {"folder": str(tmp_path), "size": 8, "channels": 1, "validation": "none", "test": "none"}
    )
    found = load(dataset, 0, lambda _: None).manifest["notes"]

    assert 1 == sum("the brightest value is 16 of 255" in note for note in found)
