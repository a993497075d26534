"""Whatever happens to a checkpoint's files, it comes back right or not at all, by its name."""

import io
import shutil
import tracemalloc
import zipfile

import numpy as np
import pytest

from imgcls.errors import RunError
from imgcls.runs import checkpoints, manifest
from tests import damage


@pytest.fixture
def run(tmp_path):
    damage.make(tmp_path)
    return tmp_path


@pytest.mark.parametrize("way", [damage.cut, damage.flipped], ids=["cut", "flipped"])
def test_of_five_hundred_damaged_checkpoints_none_is_loaded(run, way):
    """
    Every fourth flipped bit in Keras' own weight files is loaded without a word.
    """
    assert 500 == damage.sweep(run, way, 500)


@pytest.mark.parametrize("name", damage.PARTS)
def test_a_deleted_file_is_named_and_the_older_checkpoint_takes_over(run, name):
    """
    Somebody made room on the disk; going back by a day of training without a word is no answer.
    """
    path = run / "checkpoints" / "step-10" / name
    path.unlink()
    found, problems = checkpoints.newest(run / "checkpoints")

    assert found is not None
    assert 5 == found.step
    assert [f"{path} is missing"] == problems


def swap(one, other):
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


@pytest.mark.parametrize("name", damage.PARTS)
def test_files_of_two_checkpoints_that_changed_places_are_told(run, name):
    """
    Each is right by itself; together they are weights of one step and counters of another.
    """
    folder = run / "checkpoints"
    swap(folder / "step-5" / name, folder / "step-10" / name)
    found, problems = checkpoints.newest(folder)

    assert found is None
    assert 2 == len(problems)


def test_two_files_of_one_checkpoint_that_changed_places_are_told(run):
    """
    A script that copies files back in the wrong order.
    """
    folder = run / "checkpoints" / "step-10"
    swap(folder / "arrays.npz", folder / "state.json")
    with pytest.raises(RunError, match=r"arrays\.npz is damaged: it has"):
        checkpoints.load(folder)
    swap(folder / "arrays.npz", folder / "state.json")
    swap(run / "config.yaml", run / "model.json")
    with pytest.raises(RunError, match=r"config\.yaml has changed since step 10 was saved"):
        checkpoints.load(folder)


def vouched(run, archive, kinds):
    """Puts an archive into the newest checkpoint, with a manifest that vouches for it."""
    folder = run / "checkpoints" / "step-10"
    (folder / "arrays.npz").write_bytes(archive)
    content = manifest.read(folder / "MANIFEST.json")
    del content["sha256"]
    content["arrays"] = kinds
    content["parts"] = {
        each: manifest.entry(folder / each) for each in ("arrays.npz", "state.json")
    }
    (folder / "MANIFEST.json").write_bytes(manifest.to_bytes(content))
    return folder


def npz(*members, how=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def npy(header, body=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def header(shape, kind="'<f4'"):
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}"


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member


_ZEROS = npy(header("(2,)"), bytes(8))
_EVIL = {
    "a billion": (npz(("a.npy", npy(header(f"({10**9},)")))), ["<f4", 10**9]),
    "a bomb": (npz(("a.npy", bytes(2**24)), how=zipfile.ZIP_DEFLATED), ["<f4", 2**22]),
    "objects": (npz(("a.npy", npy(header("(2,)", "'|O'"), bytes(16)))), ["|O", 2]),
    "fields": (
        npz(("a.npy", npy(header("(2,)", "[('x', '<f4')]"), bytes(8)))),
        ["[('x', '<f4')]", 2],
    ),
    "a wide type": (npz(("a.npy", npy(header("(1,)", "'|V2000000000'")))), ["|V2000000000", 1]),
    "no bytes of much": (npz(("a.npy", npy(header(f"(0, {10**30})")))), ["<f4", 0, 10**30]),
    "less than nothing": (npz(("a.npy", npy(header("(-1, -8)"), bytes(32)))), ["<f4", -1, -8]),
    "dimensions": (npz(("a.npy", npy(header(f"({'1, ' * 30}1)"), bytes(4)))), ["<f4", *[1] * 65]),
    "code": (npz(("a.npy", npy("__import__('os').abort()"))), ["<f4", 2]),
    "an open bracket": (npz(("a.npy", npy("{'descr': '<f4'"))), ["<f4", 2]),
    "an open string": (npz(("a.npy", npy("{'descr': '''"))), ["<f4", 2]),
    "brackets": (npz(("a.npy", npy("(" * 100))), ["<f4", 2]),
    "another version": (npz(("a.npy", _ZEROS.replace(b"NUMPY\x01", b"NUMPY\x03"))), ["<f4", 2]),
    "no kind": (npz(("a.npy", _ZEROS)), None),
    "an empty kind": (npz(("a.npy", _ZEROS)), []),
    "words for sizes": (npz(("a.npy", _ZEROS)), ["<f4", "2"]),
    "a way out": (npz(("../../../a.npy", _ZEROS)), ["<f4", 2]),
    "a link": (npz((link("a.npy"), "/etc/passwd")), ["<f4", 2]),
}


@pytest.mark.parametrize("case", _EVIL)
def test_an_archive_that_was_made_to_deceive_is_refused_without_memory(run, case):
    """
    Whoever makes a run folder can make its digests right; it must neither run code nor fill memory.
    """
    archive, kind = _EVIL[case]
    folder = vouched(run, archive, {"a": kind})
    tracemalloc.start()
    try:
        with pytest.raises(RunError, match=r"arrays\.npz cannot be read, "):
            checkpoints.load(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**22
    assert 5 == getattr(checkpoints.newest(run / "checkpoints")[0], "step", None)


def test_the_archives_above_are_refused_for_what_is_wrong_with_them(run):
    """
    If the right one were refused too, the table would prove nothing.
    """
    folder = vouched(run, npz(("a.npy", _ZEROS)), {"a": ["<f4", 2]})

    assert np.array_equal(np.zeros(2, np.float32), checkpoints.load(folder).arrays["a"])


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a": ' * 100_000, b"9" * 5000, b"\xff", b"[1]", b"null", b""]
)
def test_a_state_that_is_no_object_is_refused_however_well_it_is_vouched_for(run, content):
    """
    Brackets without an end crash parsers that follow them down.
    """
    folder = run / "checkpoints" / "step-10"
    (folder / "state.json").write_bytes(content)
    kinds = manifest.read(folder / "MANIFEST.json")["arrays"]
    vouched(run, (folder / "arrays.npz").read_bytes(), kinds)

    with pytest.raises(RunError, match=r"state\.json is (not valid JSON|no state)"):
        checkpoints.load(folder)


def test_links_in_the_place_of_a_checkpoint_or_its_folder_lead_nowhere(run, tmp_path_factory):
    """
    A run from elsewhere must not make us read, or vouch for, what lies outside it.
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
