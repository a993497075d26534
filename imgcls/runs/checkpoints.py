"""Checkpoints: arrays and plain values in, verified ones out.

A checkpoint is a folder `step-N`:

    model.safetensors      the network's variables, by name
    optimizer.safetensors  the optimizer's variables; read only to resume
    averaged.safetensors   the network's variables with averaged weights, if there are any
    state.json             plain values: epoch, best so far, counters
    MANIFEST.json          format, step, the size and SHA-256 of the files above and of the run's
                           own files that belong to them; its last line is the SHA-256 of all
                           text before it

It is written under a temporary name, synced, read back and only then renamed. No file is parsed
before its digest is verified, and pickle is not used.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import imgcls
from imgcls import files, filesystem
from imgcls.errors import ResourceError, RunError
from imgcls.runs import manifest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

FORMAT = 3
"""Format version of checkpoints; other formats cannot be read."""

MODEL, OPTIMIZER, AVERAGED = "model", "optimizer", "averaged"

_STATE, _MANIFEST, _SUFFIX = "state.json", "MANIFEST.json", ".safetensors"
_NAME = re.compile(r"step-(0|[1-9][0-9]{0,17})")
_LARGEST_STATE = 64 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose manifest and state are verified; its arrays are read when asked for.

    Attributes:
        path: its folder.
        step: the number of steps trained.
        state: JSON values.
        files: the size and SHA-256 of each file, by name.
    """

    path: Path
    step: int
    state: dict[str, Any]
    files: dict[str, dict[str, Any]]

    def has(self, part: str) -> bool:
        """Whether it has these arrays: MODEL, OPTIMIZER or AVERAGED."""
        return part + _SUFFIX in self.files

    def read(self, part: str) -> "dict[str, NDArray[Any]]":
        """Returns the arrays of one part by name, bit-identical to those saved; read-only.

        The file is read once, into a buffer of its size.

        Raises:
            RunError: if the checkpoint has no such part, or the file is missing or damaged.
        """
        from imgcls.runs import tensors  # a config that is wrong must not wait for NumPy

        path, entry = self.path / f"{part}{_SUFFIX}", self.files.get(f"{part}{_SUFFIX}")
        if entry is None:
            raise RunError(f"{path} does not belong to the checkpoint")
        with files.open_regular(path) as file:
            manifest.check_size(path, file, entry, "is damaged")  # before memory is allocated
            data = bytearray(entry["bytes"])
            with files.reading(path):
                file.readinto(data)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise RunError(f"{path} is damaged: its SHA-256 is another")
        try:
            return tensors.read(data)
        except ValueError as error:  # its digest is right, so it was crafted
            raise RunError(f"{path} cannot be read, {error}") from error

    def verify(self) -> None:
        """Checks every byte of all its files.

        Raises:
            RunError: if a file is missing or damaged, naming it.
        """
        for name, entry in self.files.items():
            with files.open_regular(self.path / name) as file:
                manifest.check(self.path / name, file, entry, "is damaged")


def _name(step: int) -> str:
    return f"step-{step}"


def save(
    folder: Path,
    step: int,
    parts: "Mapping[str, Arrays]",
    state: Mapping[str, Any],
    attached: Mapping[str, Path] = MappingProxyType({}),
) -> Path:
    """Writes a checkpoint, and returns its folder once it is on disk and has been read back.

    An existing checkpoint of this step with the same state is returned unchanged; one with another
    state (of an epoch that had not been evaluated yet) is replaced atomically; a damaged one is
    kept next to the new one, as `step-N.damaged-...`. Older checkpoints are never changed, whatever
    fails.

    Args:
        folder: `checkpoints/` of a run; created if it is missing.
        step: the number of steps trained.
        parts: arrays of booleans, integers or floats, by part: MODEL, OPTIMIZER, AVERAGED.
        state: JSON values; all numbers must be finite.
        attached: files in the run folder that are needed to interpret the arrays, by name.

    Raises:
        ResourceError: if it cannot be written, naming the path; no temporary folder is left.
    """
    final = folder / _name(step)
    with files.writing(final):
        if not folder.exists():
            folder.mkdir(parents=True)
            filesystem.sync(folder.parent)
        text = json.dumps(dict(state), indent=1, allow_nan=False).encode()
        whole = _verifies(final)
        if not (whole and (final / _STATE).read_bytes() == text):
            _ensure_space(final, parts)
            with files.draft_folder(final) as draft:
                _write(draft, step, parts, text, attached)
                if whole:
                    files.exchange(draft, final)
                    files.discard(draft)
                else:
                    if os.path.lexists(final):
                        damaged = f"{final.name}.damaged-{secrets.token_hex(4)}"
                        final.rename(final.with_name(damaged))
                    draft.rename(final)
        filesystem.sync(folder)
    return final


def _ensure_space(final: Path, parts: "Mapping[str, Arrays]") -> None:
    """Rejects a checkpoint that cannot fit: a full disk would also affect other programs."""
    needed = sum(array.nbytes for arrays in parts.values() for array in arrays.values())
    free = shutil.disk_usage(final.parent).free
    if needed > free:
        raise ResourceError(
            f"{final}: cannot be written, it needs {needed / 1e6:,.1f} MB "
            f"and {free / 1e6:,.1f} MB are free"
        )


def _write(
    draft: Path,
    step: int,
    parts: "Mapping[str, Arrays]",
    text: bytes,
    attached: Mapping[str, Path],
) -> None:
    """Writes and syncs all files of a checkpoint, the manifest last, and reads them back."""
    from imgcls.runs import tensors  # a config that is wrong must not wait for NumPy

    entries = {}
    try:
        for part, arrays in parts.items():
            name = part + _SUFFIX

            def write(file: BinaryIO, arrays: "Arrays" = arrays) -> None:
                tensors.write(file, arrays)

            entries[name] = _write_file(draft / name, write)
        entries[_STATE] = _write_file(draft / _STATE, lambda file: file.write(text))
        content = {
            "format": FORMAT,
            "imgcls": imgcls.__version__,
            "step": step,
            "files": entries,
            "attached": {name: manifest.entry(path) for name, path in attached.items()},
        }
        _write_file(draft / _MANIFEST, lambda file: file.write(manifest.to_bytes(content)))
        filesystem.sync(draft)
        _opened(draft, step).verify()
    except RunError as error:  # an attached file is gone, or the disk corrupted the data
        raise ResourceError(f"{draft.with_name(_name(step))}: cannot be saved, {error}") from error


class _Digest(RawIOBase):
    """A file that computes the digest of the data as written, not as stored on disk."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.bytes = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self.digest.update(data)
        self.bytes += len(data)
        return self.file.write(data)


def _write_file(path: Path, write: Callable[[BinaryIO], object]) -> dict[str, Any]:
    """Writes and syncs one file; returns its size and digest."""
    with path.open("xb") as file:
        digest = _Digest(file)
        write(cast("BinaryIO", digest))
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": digest.bytes, "sha256": digest.digest.hexdigest()}


def _verifies(checkpoint: Path) -> bool:
    try:
        load(checkpoint).verify()
    except RunError:
        return False
    return True


def load(checkpoint: Path) -> Checkpoint:
    """Returns the checkpoint in this folder; its arrays are not read yet.

    Raises:
        RunError: if it is missing, damaged, or of another format, naming the file and the reason.
    """
    name = _NAME.fullmatch(checkpoint.name)
    if not name or checkpoint.is_symlink() or not checkpoint.is_dir():
        raise RunError(f"{checkpoint} is no checkpoint; expected a folder step-<number>")
    return _opened(checkpoint, int(name[1]))


def _opened(checkpoint: Path, step: int) -> Checkpoint:
    content = _read_manifest(checkpoint, step)
    for name, entry in content["attached"].items():
        path = checkpoint.parent.parent / name
        with files.open_regular(path) as file:
            manifest.check(path, file, entry, f"has changed since step {step} was saved")
    path, entry = checkpoint / _STATE, content["files"][_STATE]
    with files.open_regular(path) as file:
        manifest.check(path, file, entry, "is damaged")
        with files.reading(path):
            state = files.from_json(path, file.read(min(entry["bytes"], _LARGEST_STATE)))
    if not isinstance(state, dict):
        raise RunError(f"{path} is no state")
    return Checkpoint(checkpoint, step, state, content["files"])


def _read_manifest(checkpoint: Path, step: int) -> dict[str, Any]:
    path = checkpoint / _MANIFEST
    content = manifest.read(path)
    if content.get("format") != FORMAT:
        raise RunError(
            f"{checkpoint} has format {content.get('format')}, and imgcls {imgcls.__version__} "
            f"reads format {FORMAT} only; train the config again"
        )
    if content.get("step") != step:
        raise RunError(f"{checkpoint} holds step {content.get('step')}; was it renamed?")
    entries, attached = content.get("files"), content.get("attached")
    if not (
        manifest.are_entries(entries)
        and manifest.are_entries(attached)
        and isinstance(entries, dict)
        and {_STATE, MODEL + _SUFFIX} <= entries.keys()
    ):
        raise RunError(f"{path} does not describe a checkpoint")
    return content


def steps(folder: Path) -> list[int]:
    """Returns the steps that have a checkpoint, in ascending order; `load` verifies one."""
    named = _named(folder)
    whole = [step for step in named if (folder / _name(step) / _MANIFEST).exists()]
    if not all(os.path.lexists(folder / _name(step)) for step in named):
        return steps(folder)  # one was removed meanwhile, so there is a newer one
    return whole


def _named(folder: Path) -> list[int]:
    """Returns the steps that have a folder, in ascending order, with or without a manifest."""
    names = [_NAME.fullmatch(path.name) for path in folder.glob("step-*")]
    return sorted(int(name[1]) for name in names if name)


def newest(
    folder: Path, check: Callable[[Checkpoint], object] = lambda _: None
) -> tuple[Checkpoint | None, list[str]]:
    """Returns the newest undamaged checkpoint, and what is wrong with each newer one.

    Args:
        folder: `checkpoints/` of a run.
        check: an additional check that it must pass, such as `Checkpoint.verify`.
    """
    problems: list[str] = []
    listed = _named(folder)
    for step in reversed(listed):
        try:
            found = load(folder / _name(step))
            check(found)
        except RunError as error:
            if _named(folder) != listed:  # a trainer replaced them while they were read
                return newest(folder, check)
            problems.append(str(error))
        else:
            return found, problems
    return None, problems


def prune(folder: Path, keep: Collection[int]) -> None:
    """Removes all checkpoints except those of the steps in `keep`, and files of dead processes.

    No checkpoint is removed unless at least one of those to keep exists.

    Raises:
        ResourceError: if a checkpoint cannot be removed.
    """
    files.remove_stale(folder)
    present = steps(folder)
    if not set(present) & set(keep):
        return
    for step in sorted(set(present) - set(keep)):
        path = folder / _name(step)
        doomed = files.temporary(path)  # a partly removed folder must not look like a checkpoint
        with files.writing(path), suppress(FileNotFoundError):
            path.rename(doomed)
        files.discard(doomed)
