"""A data set from the cache is identical to a freshly decoded one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.config.components.datasets import Dataset
from imgcls.data.dataset import Data, load, load_labelled
from imgcls.events import Cached
from imgcls.images import buffers
from tests.specs import spec_of


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of 2 classes with 20 images each, and a separate cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("IMGCLS_CACHE")
    for number in range(40):
        path = tmp_path / "photos" / f"class{number % 2}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20 + number, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return tmp_path / "photos"


def loaded(folder: Path, seed: int = 0, **settings: object) -> tuple[Data, list[Cached]]:
    events: list[object] = []
    section = {"folder": folder, "size": 16, **settings}
    data = load(Dataset.read(section), seed, events.append)
    return data, [event for event in events if isinstance(event, Cached)]


def test_the_manifest_is_the_same_with_and_without_the_cache(photos, monkeypatch):
    """
    A resumed run compares its data by content; where the pixels came from must not matter.
    """
    first, second = loaded(photos), loaded(photos)
    monkeypatch.setattr(buffers, "MEMORY_BYTES", 100)
    mapped = loaded(photos)
    monkeypatch.setenv("IMGCLS_CACHE", "0")
    without = loaded(photos)

    assert [[], [Cached(40, 40)], [Cached(40, 40)], []] == [
        said for _, said in (first, second, mapped, without)
    ]
    assert isinstance(mapped[0].splits["train"].pixels, np.memmap)
    for data, _ in (second, mapped, without):
        assert first[0].manifest == data.manifest
        for name, split in data.splits.items():
            assert np.array_equal(first[0].splits[name].pixels, split.pixels)
            assert np.array_equal(first[0].splits[name].labels, split.labels)


def test_another_seed_finds_the_same_images(photos):
    """
    Five seeds give five splits of the same images, which should be decoded only once.
    """
    loaded(photos)

    assert [Cached(40, 40)] == loaded(photos, seed=1)[1]


def test_bad_images_are_left_out_as_before(photos, monkeypatch):
    """
    Skipped images must not shift the labels of the others.
    """
    for name in ("class0/04.png", "class1/05.png", "class1/27.png"):
        (photos / name).write_bytes(b"nothing")
    first, _ = loaded(photos, on_bad_image="skip")
    second, said = loaded(photos, on_bad_image="skip")
    monkeypatch.setenv("IMGCLS_CACHE", "0")
    without, _ = loaded(photos, on_bad_image="skip")

    assert [Cached(37, 40)] == said
    for data in (first, second):
        assert without.manifest == data.manifest
        for name, split in data.splits.items():
            assert np.array_equal(without.splits[name].pixels, split.pixels)
            assert without.splits[name].names == split.names


def test_a_cache_that_fails_is_told_once(photos, tmp_path, monkeypatch):
    """
    All splits share one cache; its failure must not be reported per split.
    """
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    trouble = f"{tmp_path}/file/imgcls/decoded: cannot be written, not a directory"

    assert [Cached(0, 40, trouble)] == loaded(photos)[1]


def test_other_labelled_images_come_from_it_too(photos):
    """
    `imgcls evaluate --data` may be used on the same folder for one run after another.
    """
    events: list[object] = []
    spec = spec_of(("class0", "class1"), (16, 16), 3, resize="crop")
    first, second = (load_labelled(photos, spec, events.append) for _ in range(2))

    assert Cached(40, 40) == events[-1]
    assert np.array_equal(first.pixels, second.pixels)
