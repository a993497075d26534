"""Whatever happens to a checkpoint's files, it is restored correctly or rejected by name."""

import io
import json
import shutil
import tracemalloc

import numpy as np
import pytest

from imgcls.errors import RunError
from imgcls.runs import checkpoints, manifest, tensors
from imgcls.runs.checkpoints import MODEL, Checkpoint
from tests import damage


@pytest.fixture
def run(tmp_path):
    damage.make(tmp_path)
    return tmp_path


@pytest.mark.parametrize("way", [damage.cut, damage.flipped], ids=["cut", "flipped"])
def test_of_five_hundred_damaged_checkpoints_none_is_loaded(run, way):
    """
    Keras loads one in four of its own weight files with a flipped bit without a warning.
    """
    assert 500 == damage.sweep(run, way, 500)


@pytest.mark.parametrize("name", damage.FILES)
def test_a_deleted_file_is_named_and_the_older_checkpoint_takes_over(run, name):
    """
    If someone frees disk space, a day of training must not be lost without a warning.
    """
    path = run / "checkpoints" / "step-10" / name
    path.unlink()
    found, problems = checkpoints.newest(run / "checkpoints", Checkpoint.verify)

    assert found is not None
    assert 5 == found.step
    assert [f"{path} is missing"] == problems


def swap(one, other):
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


@pytest.mark.parametrize("name", damage.FILES)
def test_files_of_two_checkpoints_that_changed_places_are_reported(run, name):
    """
    Each file is valid by itself; together they are weights and counters of different steps.
    """
    folder = run / "checkpoints"
    swap(folder / "step-5" / name, folder / "step-10" / name)
    found, problems = checkpoints.newest(folder, Checkpoint.verify)

    assert found is None
    assert 2 == len(problems)


def test_two_files_of_one_checkpoint_that_changed_places_are_reported(run):
    """
    A script that copies files back in the wrong order swaps averaged and raw weights.
    """
    folder = run / "checkpoints" / "step-10"
    swap(folder / "model.safetensors", folder / "averaged.safetensors")
    with pytest.raises(RunError, match=r"model\.safetensors is damaged: its SHA-256 is another"):
        checkpoints.load(folder).read(MODEL)
    swap(folder / "model.safetensors", folder / "averaged.safetensors")
    swap(run / "config.yaml", run / "model.json")
    with pytest.raises(RunError, match=r"config\.yaml has changed since step 10 was saved"):
        checkpoints.load(folder)


def vouched(run):
    """Returns the newest checkpoint's folder, with a manifest that matches its current files."""
    folder = run / "checkpoints" / "step-10"
    content = manifest.read(folder / "MANIFEST.json")
    del content["sha256"]
    content["files"] = {name: manifest.entry(folder / name) for name in content["files"]}
    (folder / "MANIFEST.json").write_bytes(manifest.to_bytes(content))
    return folder


def _tensors(shape, offsets, body=b"", kind="F32"):
    entry = {"dtype": kind, "shape": shape, "data_offsets": offsets}
    text = json.dumps({"a": entry}).encode()
    return len(text).to_bytes(8, "little") + text + body


def _written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


_HOSTILE = {
    "a pickle": _written(lambda file: np.save(file, np.array([{}]))),
    "an archive": _written(lambda file: np.savez(file, a=np.zeros(2))),
    "a billion": _tensors([10**9], [0, 4 * 10**9]),
    "no bytes of much": _tensors([0, 10**30], [0, 0]),
    "less than nothing": _tensors([-1, -8], [0, 32], bytes(32)),
    "objects": _tensors([1], [0, 8], bytes(8), "|O"),
    "a long header": b"\xff" * 8,
    "nothing": b"",
}


@pytest.mark.parametrize("case", _HOSTILE)
def test_arrays_that_were_made_to_deceive_are_rejected_without_memory(run, case):
    """
    A forged run can have valid digests; it must neither run code nor fill the memory.
    """
    (run / "checkpoints" / "step-10" / "model.safetensors").write_bytes(_HOSTILE[case])
    loaded = checkpoints.load(vouched(run))
    tracemalloc.start()
    try:
        with pytest.raises(RunError, match=r"model\.safetensors cannot be read, "):
            loaded.read(MODEL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**20
    found, problems = checkpoints.newest(run / "checkpoints", lambda each: each.read(MODEL))
    assert found is not None
    assert 5 == found.step
    assert 1 == len(problems)


def test_the_arrays_above_are_rejected_for_what_is_wrong_with_them(run):
    """
    If valid arrays were rejected too, the table would prove nothing.
    """
    arrays = {"a": np.zeros(2, np.float32)}
    data = _written(lambda file: tensors.write(file, arrays))
    (run / "checkpoints" / "step-10" / "model.safetensors").write_bytes(data)

    assert [0, 0] == checkpoints.load(vouched(run)).read(MODEL)["a"].tolist()


def test_a_size_that_the_manifest_only_claims_takes_no_memory(run):
    """
    The memory for a file is allocated at once, so its size must be checked first.
    """
    folder = run / "checkpoints" / "step-10"
    content = manifest.read(folder / "MANIFEST.json")
    del content["sha256"]
    content["files"]["model.safetensors"]["bytes"] = 10**15
    (folder / "MANIFEST.json").write_bytes(manifest.to_bytes(content))
    loaded = checkpoints.load(folder)
    tracemalloc.start()
    try:
        with pytest.raises(RunError, match=r"bytes instead of 1,000,000,000,000,000"):
            loaded.read(MODEL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**20


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a": ' * 100_000, b"9" * 5000, b"\xff", b"[1]", b"null", b""]
)
def test_a_state_that_is_no_object_is_rejected_however_well_it_is_vouched_for(run, content):
    """
    Endlessly nested brackets crash recursive parsers.
    """
    (run / "checkpoints" / "step-10" / "state.json").write_bytes(content)
    folder = vouched(run)

    with pytest.raises(RunError, match=r"state\.json is (not valid JSON|no state)"):
        checkpoints.load(folder)


def test_links_in_the_place_of_a_checkpoint_or_its_folder_lead_nowhere(run, tmp_path_factory):
    """
    A run from a stranger must not make the program read files outside it.
    """
    outside = tmp_path_factory.mktemp("outside") / "step-20"
    shutil.copytree(run / "checkpoints" / "step-10", outside)
    (run / "checkpoints" / "step-20").symlink_to(outside)
    found, problems = checkpoints.newest(run / "checkpoints")

    assert found is not None
    assert 10 == found.step
    assert ["is no checkpoint; expected a folder step-<number>"] == [
        problem.split("step-20 ")[1] for problem in problems
    ]
