"""A damaged image is rejected with its name and a reason, or decoded identically everywhere."""

import pytest

from imgcls.images.decode import BadImageError
from tests.images import mutated
from tests.images.pixels import pixels_of

# Pillow's warnings about odd metadata, which the program itself does not show.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_five_hundred_damaged_files_are_named_or_used_alike(tmp_path, capfd):
    """
    One bad file in a million must neither end a training run nor teach it half an image.
    """
    seen = mutated.outcomes(0, 500, tmp_path)
    capfd.readouterr()  # libtiff writes to stderr directly

    assert 500 == seen["used"] + seen["refused"]
    assert seen["refused"] > 250
    assert seen["used"] > 50


@pytest.mark.parametrize("kind", mutated.FORMATS)
def test_no_cut_that_takes_pixels_away_is_overlooked(kind, capfd):
    """
    A truncated download looks like an image with a gray half.
    """
    data = mutated.whole(kind)
    right = pixels_of(data, 3)
    used = []
    for size in [*range(0, len(data), 7), *range(len(data) - 30, len(data))]:
        try:
            assert (right == pixels_of(data[:size], 3)).all(), f"cut to {size} of {len(data)} bytes"
            used.append(size)
        except BadImageError:
            pass
    capfd.readouterr()

    assert not used or min(used) > len(data) - 40


def test_a_pointer_of_git_lfs_says_how_to_get_the_picture(tmp_path):
    """
    A clone without Git LFS has a hundred bytes of text in place of each image.
    """
    file = tmp_path / "cat.jpg"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")

    with pytest.raises(BadImageError) as caught:
        pixels_of(file, 3)
    assert f"{file}: a Git LFS pointer; git lfs pull fetches the picture" == str(caught.value)
