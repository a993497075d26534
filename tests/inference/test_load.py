"""`imgcls.load`: the public Python API."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import imgcls
from imgcls.commands.predict import predict
from imgcls.commands.train import train
from imgcls.errors import DataError, RunError, UsageError
from imgcls.runs import checkpoints

PIXELS = np.round(load_digits().images[:5] * 255 / 16).astype(np.uint8)


def ignore(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def run(tmp_path_factory, small):
    """A run of two epochs with averaged weights."""
    import yaml

    folder = tmp_path_factory.mktemp("load")
    config = folder / "small.yaml"
    training = {"epochs": 2, "batch_size": 64, "best": "loss", "average": "EMA"}
    config.write_text(yaml.safe_dump(small(training=training)), encoding="utf-8")
    return train(config, ignore, root=folder / "runs").run


@pytest.fixture
def files(tmp_path):
    """Digits as PNG files."""
    paths = [tmp_path / f"{number}.png" for number in range(len(PIXELS))]
    for path, pixels in zip(paths, PIXELS, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def test_files_and_arrays_have_the_probabilities_of_the_command(run, files):
    """
    A notebook, a server and the command line must not disagree.
    """
    classifier = imgcls.load(run)
    expected = [dict(each.ranked) for each in predict([*map(str, files)], ignore, run=run).each]
    probabilities = classifier.predict(files)

    assert tuple(map(str, range(10))) == classifier.classes
    assert np.float32 == probabilities.dtype
    for row, each in zip(probabilities, expected, strict=True):
        assert dict(zip(classifier.classes, row, strict=True)) == pytest.approx(each, abs=1e-6)
    np.testing.assert_allclose(probabilities, classifier.predict(PIXELS), atol=1e-6)
    np.testing.assert_allclose(probabilities, classifier.predict(PIXELS[..., None]), atol=1e-6)
    np.testing.assert_allclose(probabilities[:1], classifier.predict(str(files[0])), atol=1e-6)


def test_arrays_of_any_size_and_color_are_fitted(run):
    """
    Users should not have to resize or convert their images first.
    """
    classifier = imgcls.load(run)
    large = np.repeat(np.repeat(PIXELS, 4, axis=1), 4, axis=2)
    colored = np.repeat(large[..., None], 3, axis=-1)

    np.testing.assert_array_equal(classifier.predict(large), classifier.predict(colored))
    assert (0, 10) == classifier.predict(PIXELS[:0]).shape
    assert (70, 10) == classifier.predict(np.concatenate([PIXELS] * 14)).shape


def test_the_network_gives_logits(run):
    """
    Users who build on it rely on a keras.Sequential that takes images in 0..1.
    """
    classifier = imgcls.load(run)
    logits = classifier.network(PIXELS[..., None].astype(np.float32) / 255, training=False)

    assert isinstance(classifier.network, keras.Sequential)
    np.testing.assert_allclose(
        classifier.predict(PIXELS), keras.ops.softmax(logits), rtol=1e-5, atol=1e-6
    )


def test_raw_and_averaged_weights_can_be_chosen(run):
    """
    The choice is the same as with `evaluate --weights`.
    """
    averaged, raw = (imgcls.load(run, weights=each).predict(PIXELS) for each in ("averaged", "raw"))

    np.testing.assert_array_equal(averaged, imgcls.load(run).predict(PIXELS))
    assert not np.array_equal(averaged, raw)


WRONG: dict[str, Any] = {
    "floats": PIXELS / 255,
    "one image": PIXELS[0],
    "four channels": np.zeros((1, 8, 8, 4), np.uint8),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_array_of_another_kind_is_an_error_and_no_wrong_answer(case, run):
    """
    Floats in 0..1, mistaken for 0..255, would be black images.
    """
    with pytest.raises(UsageError, match=r"predict: expected uint8 \[image, height, width\]"):
        imgcls.load(run).predict(WRONG[case])


def test_a_file_that_is_no_image_is_named(run, files, tmp_path):
    """
    If one file of a thousand is broken, the user has to find it.
    """
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"broken\.png"):
        imgcls.load(run).predict([files[0], broken])
    with pytest.raises(RunError, match="does not exist"):
        imgcls.load(tmp_path / "nowhere")


def test_a_damaged_checkpoint_that_is_passed_over_is_a_warning(run, tmp_path):
    """
    In Python there is no console to report it.
    """
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    newest = copy / "checkpoints" / f"step-{checkpoints.steps(copy / 'checkpoints')[-1]}"
    (newest / "averaged.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"averaged\.safetensors is damaged"):
        imgcls.load(copy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        imgcls.load(run)


def test_nothing_else_is_public():
    """
    Public names are a promise; everything else may change.
    """
    assert ["load"] == imgcls.__all__
    assert Path(imgcls.__file__).with_name("py.typed").exists()
