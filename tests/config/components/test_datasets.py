"""The dataset section: what is accepted, what is rejected with which message, what is saved."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from imgcls.config.components.datasets import Dataset
from imgcls.config.components.datasets.own import Csv, Folder, Npz
from imgcls.config.components.datasets.published import Cifar10, Cifar100, Digits, Published
from imgcls.config.language.registry import Scalar, Section, dotted
from imgcls.errors import DataError
from imgcls.images.pictures import check_trainable


class Config(Section):
    """A config with nothing but a dataset section."""

    dataset: Dataset


def scalars(value):
    """Returns what the reader makes of YAML: text that knows its folder."""
    if isinstance(value, dict):
        return {key: scalars(each) for key, each in value.items()}
    if isinstance(value, list):
        return [scalars(each) for each in value]
    return Scalar(value, folder=Path("/configs")) if isinstance(value, str) else value


def read(dataset):
    return Config.model_validate({"dataset": scalars(dataset)}).dataset


GOOD = [
    {"name": "digits"},
    {"name": "cifar10", "validation": "0.1", "test": "none", "subset": "5000", "size": "224"},
    {"name": "fashion_mnist", "channels": "3", "resize": "pad", "size": ["20", "30"]},
    {"folder": "photos/", "size": "150"},
    {"folder": "photos", "size": "150", "validation": "more/valid", "classes": ["no", "010"]},
    {"csv": "l.csv", "size": "8", "path": "file", "label": "1", "split": "fold", "root": ".."},
    {"npz": "~/a.npz", "classes": ["a", "b"], "validation": "none"},
]


@pytest.mark.parametrize("text", GOOD, ids=str)
def test_what_is_written_back_reads_as_the_same(text):
    """
    A run saves its resolved config; evaluating it must find exactly the data that it was trained
    on.
    """
    dataset = read(text)
    for mode in ("python", "json"):
        written = Config(dataset=dataset).model_dump(mode=mode)["dataset"]
        assert next(iter(text)) == next(iter(written))
        assert dataset == read(written)
        as_yaml = {
            key: [str(each) for each in value]
            if isinstance(value, list | tuple)
            else value and str(value)
            for key, value in written.items()
        }
        assert dataset == read(as_yaml)


def test_paths_are_relative_to_the_file_that_says_them():
    """
    A config must work no matter in which folder the command is run.
    """
    folder = read({"folder": "photos", "size": "8", "validation": "../valid", "test": "0.2"})

    assert isinstance(folder, Folder)
    assert Path("/configs/photos") == folder.folder
    assert Path("/configs/../valid") == folder.validation
    assert folder.test == 0.2


BAD = [
    {},
    {"size": "3"},
    {"cifar10": {}},
    "mnist",
    "photos",
    ["mnist"],
    {"name": "mnist", "folder": "x"},
    {"name": "cifar01"},
    {"name": "folder"},
    {"name": "mnist", "sise": "3"},
    {"name": "mnist", "classes": ["a", "b"]},
    {"name": "mnist", "validation": "1"},
    {"name": "mnist", "validation": "valid/"},
    {"folder": "x", "size": "8", "test": "1.5"},
    {"name": "mnist", "test": "nan"},
    {"name": "mnist", "validation": "0.5", "test": "0.5"},
    {"name": "mnist", "channels": "4"},
    {"name": "mnist", "resize": "fit"},
    {"name": "mnist", "subset": "0"},
    {"folder": "photos"},
    {"csv": "a.csv"},
    {"folder": "", "size": "8"},
    {"npz": "a", "classes": ["a"]},
    {"folder": "a", "size": "8", "classes": ["cat", "eel", "dog", "eel"]},
    {"csv": "a", "size": "8", "classes": ["cat", "eel", "dog", "eel"]},
    {"npz": "a", "classes": ["cat", "eel", "dog", "eel"]},
]


@pytest.mark.parametrize("text", BAD, ids=str)
def test_a_mistake_is_reported_with_its_place(text, recorded):
    """
    The dataset is what users write first, so it is where they make their first mistakes.
    """
    with pytest.raises(ValidationError) as caught:
        read(text)
    (details,) = caught.value.errors()

    recorded(str(text), [f"{dotted(details['loc'])}: {details['msg']}"])


def test_every_known_set_has_its_classes():
    """
    A class missing from the list would shift the names of all classes after it.
    """
    known = [each for each in Dataset.named().values() if issubclass(each, Published)]

    assert {10, 100} == {len(set(each._classes)) for each in known}
    assert sorted(Cifar100._classes) == list(Cifar100._classes)
    assert (Cifar10._classes[0], Cifar10._classes[9]) == ("airplane", "truck")


def test_digits_need_no_network():
    """
    A user's very first run must work without internet access.
    """
    found = Digits().find()
    check_trainable(found)
    pixels = found.splits["train"].pixels

    assert pixels is not None
    assert (1797, 8, 8, 1) == pixels.shape
    assert (0, 255) == (pixels.min(), pixels.max())
    assert ["train"] == list(found.splits)


def test_each_kind_finds_its_data(tmp_path):
    """
    The fields of a section must reach the code that looks for the data.
    """
    import numpy as np
    from PIL import Image

    for name in ("photos/a/1.png", "photos/b/2.png", "more/a/3.png", "more/b/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "t.csv").write_text("f,k,s\na/1.png,x,train\nb/2.png,y,test\n")
    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 4, 4)), y_train=[0, 1])
    folder = Folder(folder=tmp_path / "photos", size=(4, 4), test=tmp_path / "more")
    columns = {"path": "f", "label": "k", "split": "s", "root": tmp_path / "photos"}
    table = Csv(csv=tmp_path / "t.csv", size=(4, 4), classes=("y", "x"), **columns)

    assert {"train", "test"} == set(folder.find().splits)
    assert [1] == table.find().splits["train"].labels.tolist()
    with pytest.raises(DataError, match="no column fold; its columns are f, k, s"):
        Csv(csv=tmp_path / "t.csv", size=(4, 4), **{**columns, "split": "fold"}).find()
    assert ("p", "q") == Npz(npz=tmp_path / "a.npz", classes=("p", "q")).find().classes


def test_published_sets_are_looked_for_by_name(tmp_path, monkeypatch):
    """
    IMGCLS_DATA lets users and machines share downloaded data sets.
    """
    import numpy as np

    monkeypatch.setenv("IMGCLS_DATA", str(tmp_path))
    np.savez(tmp_path / "cifar10.npz", x_train=np.zeros((2, 4, 4, 3), np.uint8), y_train=[[3], [9]])
    found = Cifar10().find()

    assert found.classes[3] == "cat"
    assert [3, 9] == found.splits["train"].labels.tolist()
    assert str(tmp_path / "cifar10.npz") == found.source
