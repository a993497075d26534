"""A manifest verifies itself and refers only to files in its own folder."""

import json

import pytest

from imgcls.errors import RunError
from imgcls.runs import manifest

CONTENT = {"format": 3, "files": {"a": {"bytes": 3, "sha256": "00"}}, "empty": {}}


def test_a_manifest_is_json_with_its_digest_on_the_last_line(tmp_path):
    """
    Any tool can read it, and `head -n -1 MANIFEST.json | sha256sum` can verify it.
    """
    path = tmp_path / "MANIFEST.json"
    path.write_bytes(manifest.to_bytes(CONTENT))
    read = manifest.read(path)
    seal = read.pop("sha256")

    assert CONTENT == read
    assert f'"sha256": "{seal}"}}' == path.read_text().splitlines()[-1]
    assert read | {"sha256": seal} == json.loads(path.read_text())


def test_no_changed_bit_and_no_missing_or_added_byte_is_overlooked(tmp_path):
    """
    It holds all other digests, so no other file could verify it.
    """
    path = tmp_path / "MANIFEST.json"
    data = manifest.to_bytes(CONTENT)
    changed = [data[:size] for size in range(len(data))] + [data + b"\n", data + data]
    for bit in range(0, 8 * len(data), 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(flipped))
    for each in changed:
        path.write_bytes(each)
        with pytest.raises(RunError, match=r"MANIFEST.json is damaged: its SHA-256 is another"):
            manifest.read(path)


@pytest.mark.parametrize(
    "section",
    [
        None,
        [],
        {"a": None},
        {"a": {"bytes": 3}},
        {"a": {"bytes": "3", "sha256": "00"}},
        {"a": {"bytes": True, "sha256": "00"}},
        {"a": {"bytes": 3, "sha256": None}},
        {"../a": {"bytes": 3, "sha256": "00"}},
        {"/etc/passwd": {"bytes": 3, "sha256": "00"}},
    ],
)
def test_only_sizes_and_digests_of_plain_names_are_records(section):
    """
    A stranger's manifest must not choose which files the program opens.
    """
    assert manifest.are_entries(CONTENT["files"])
    assert not manifest.are_entries(section)
