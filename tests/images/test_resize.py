"""Images of any shape are fitted to the size, and averaged when they shrink."""

import numpy as np
import pytest
from PIL import Image

from imgcls.images.resize import fit, to_channels


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("mode", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (37, 53), (20, 30), (400, 300)])
def test_every_shape_fits(mode, channels, shape):
    """
    Folders hold banners, icons and single pixels; none of them may end the training.
    """
    fitted = fit(noise(*shape, channels), (20, 30), mode)

    assert (20, 30, channels) == fitted.shape
    assert fitted.dtype == np.uint8


@pytest.mark.parametrize("mode", ["stretch", "crop", "pad"])
def test_a_picture_of_the_size_stays_as_it_is(mode):
    """
    An image that already has the right size must not be blurred.
    """
    picture = noise(20, 30, 3)

    assert np.array_equal(picture, fit(picture, (20, 30), mode))


@pytest.mark.parametrize("mode", ["stretch", "crop", "pad"])
def test_equal_shapes_are_fitted_alike_by_all_modes(mode):
    """
    The modes must differ only in how they handle the aspect ratio.
    """
    picture = noise(40, 60, 3)
    expected = np.asarray(Image.fromarray(picture).resize((30, 20), Image.Resampling.BILINEAR))

    assert np.array_equal(expected, fit(picture, (20, 30), mode))


def test_shrinking_averages_over_all_pixels():
    """
    Bilinear without antialiasing reads 4 of 100 pixels: a mean error of 39 gray levels.
    """
    checkers = (np.indices((200, 200)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]

    assert {127, 128} >= set(np.unique(fit(checkers, (20, 20), "stretch")).tolist())


def test_crop_keeps_the_middle():
    """
    The subject of a photo is usually in the middle.
    """
    picture = np.zeros((10, 30, 1), np.uint8)
    picture[:, 10:20] = 255

    assert (fit(picture, (10, 10), "crop") == 255).all()
    assert (fit(picture.transpose(1, 0, 2), (10, 10), "crop") == 255).all()


def test_pad_keeps_everything_in_the_middle_of_black():
    """
    Where the edges matter, nothing may be cut off or distorted.
    """
    fitted = fit(np.full((10, 30, 3), 255, np.uint8), (30, 30), "pad")

    assert (fitted[10:20] == 255).all()
    assert not fitted[:10].any()
    assert not fitted[20:].any()


def test_grey_of_an_array_is_grey_of_a_file():
    """
    The same image must give the same numbers whether it comes from an array or a file.
    """
    pictures = np.stack([noise(20, 30, 3), noise(20, 30, 3)[::-1]])
    expected = [np.asarray(Image.fromarray(picture).convert("L")) for picture in pictures]

    assert np.array_equal(np.stack(expected)[..., None], to_channels(pictures, 1))


def test_colour_of_grey_is_three_times_the_same():
    """
    A network for color images can be given gray ones.
    """
    grey = noise(4, 5, 1)

    assert np.array_equal(np.concatenate([grey] * 3, axis=-1), to_channels(grey, 3))
    assert to_channels(grey, 1) is grey
