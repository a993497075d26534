"""Checkpoints: arrays in, verified arrays out.

A checkpoint is a folder `step-N` of three files:

    arrays.npz      the arrays, in order, uncompressed
    state.json      plain values: epoch, best so far, counters
    MANIFEST.json   format, step, each array's type and shape, the size and SHA-256 of the two files
                    above and of the run's own files that belong to them; its last line is the
                    SHA-256 of what stands before it

It is written under a temporary name, synced, read back and only then renamed. Nothing is parsed
before its digest has been compared, and there is no pickle.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import imgcls
from imgcls import files
from imgcls.errors import ResourceError, RunError
from imgcls.runs import manifest

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
"""Of the folder's content; a higher one comes from a later imgcls."""

_ARRAYS, _STATE, _MANIFEST = "arrays.npz", "state.json", "MANIFEST.json"
_NAME = re.compile(r"step-(0|[1-9][0-9]{0,17})")
_LARGEST_STATE = 64 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: the training state as arrays and plain values.

    Attributes:
        step: how many steps had been trained.
        arrays: bit for bit what was saved, in its order; read-only.
        state: what JSON can say.
    """

    step: int
    arrays: "dict[str, NDArray[Any]]"
    state: dict[str, Any]


def _name(step: int) -> str:
    return f"step-{step}"


def save(
    folder: Path,
    step: int,
    arrays: "Mapping[str, NDArray[Any]]",
    state: Mapping[str, Any],
    attached: Mapping[str, Path] = MappingProxyType({}),
) -> Path:
    """Returns the folder of a new checkpoint once it is on the disk and was read back.

    A checkpoint of this step with the same state is returned as it is; one with another state (of
    an epoch that had not been evaluated yet) gives its place in one act of the file system; one
    that does not verify is kept beside the new one, as `step-N.damaged-...`. Whatever fails, the
    older checkpoints stay as they are.

    Args:
        folder: `checkpoints/` of a run; made where it is missing.
        step: how many steps have been trained.
        arrays: of booleans, integers or floats.
        state: what JSON can say; its numbers finite.
        attached: files of the run's folder without which the arrays mean nothing, by their names.

    Raises:
        ResourceError: saying what could not be written where; no temporary folder is left.
    """
    final = folder / _name(step)
    with files.writing(final):
        if not folder.exists():
            folder.mkdir(parents=True)
            files.sync(folder.parent)
        text = json.dumps(dict(state), indent=1, allow_nan=False).encode()
        whole = _verifies(final, step)
        if not (whole and (final / _STATE).read_bytes() == text):
            _ensure_space(final, arrays)
            with files.draft_folder(final) as draft:
                _write(draft, step, arrays, text, attached)
                if whole:
                    files.exchange(draft, final)
                    files.discard(draft)
                else:
                    if os.path.lexists(final):
                        damaged = f"{final.name}.damaged-{secrets.token_hex(4)}"
                        final.rename(final.with_name(damaged))
                    draft.rename(final)
        files.sync(folder)
    return final


def _ensure_space(final: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Refuses what cannot fit: a disk filled to the brim would hurt others, too."""
    needed = sum(array.nbytes for array in arrays.values())
    free = shutil.disk_usage(final.parent).free
    if needed > free:
        raise ResourceError(
            f"{final}: cannot be written, it needs {needed / 1e6:,.1f} MB "
            f"and {free / 1e6:,.1f} MB are free"
        )


def _write(
    draft: Path,
    step: int,
    arrays: "Mapping[str, NDArray[Any]]",
    text: bytes,
    attached: Mapping[str, Path],
) -> None:
    """Writes and syncs all files of a checkpoint, the manifest last, and reads them back."""
    from imgcls.runs import arrays as npz  # a config that is wrong must not wait for it

    try:
        content = {
            "format": FORMAT,
            "imgcls": imgcls.__version__,
            "step": step,
            "arrays": {name: npz.describe(array) for name, array in arrays.items()},
            "parts": {
                _ARRAYS: _write_part(draft / _ARRAYS, lambda file: npz.write_arrays(file, arrays)),
                _STATE: _write_part(draft / _STATE, lambda file: file.write(text)),
            },
            "attached": {name: manifest.entry(path) for name, path in attached.items()},
        }
        _write_part(draft / _MANIFEST, lambda file: file.write(manifest.to_bytes(content)))
        files.sync(draft)
        with _verified(draft, step):
            pass
    except RunError as error:  # an attached file is gone, or the disk did not keep what it got
        raise ResourceError(f"{draft.with_name(_name(step))}: cannot be saved, {error}") from error


class _Digest(RawIOBase):
    """A file that digests what it is told to write, not what the disk made of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.bytes = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self.digest.update(data)
        self.bytes += len(data)
        return self.file.write(data)


def _write_part(path: Path, write: Callable[[BinaryIO], object]) -> dict[str, Any]:
    """Writes and syncs one file; returns its size and digest."""
    with path.open("xb") as file:
        digest = _Digest(file)
        write(cast("BinaryIO", digest))
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": digest.bytes, "sha256": digest.digest.hexdigest()}


def _verifies(checkpoint: Path, step: int) -> bool:
    try:
        with _verified(checkpoint, step):
            return True
    except RunError:
        return False


def load(checkpoint: Path) -> Checkpoint:
    """Returns the checkpoint in this folder, once every byte of it has been verified.

    Raises:
        RunError: if it is missing, damaged, or of a later format, naming the file and the reason.
    """
    from imgcls.runs import arrays as npz  # a config that is wrong must not wait for it

    name = _NAME.fullmatch(checkpoint.name)
    if not name or checkpoint.is_symlink() or not checkpoint.is_dir():
        raise RunError(f"{checkpoint} is no checkpoint; expected a folder step-<number>")
    step = int(name[1])
    with _verified(checkpoint, step) as (content, parts):
        with files.reading(checkpoint / _STATE):
            size = min(content["parts"][_STATE]["bytes"], _LARGEST_STATE)
            state = files.from_json(checkpoint / _STATE, parts[_STATE].read(size))
        try:
            arrays = npz.read_arrays(parts[_ARRAYS], content["arrays"])
        except ValueError as error:  # only what was made to deceive: its digest is right
            raise RunError(f"{checkpoint / _ARRAYS} cannot be read, {error}") from error
    if not isinstance(state, dict):
        raise RunError(f"{checkpoint / _STATE} is no state")
    return Checkpoint(step, arrays, state)


@contextmanager
def _verified(
    checkpoint: Path, step: int
) -> Iterator[tuple[dict[str, Any], dict[str, BufferedReader]]]:
    """Yields manifest and open parts; opened once, so that what was verified is what is read."""
    content = _read_manifest(checkpoint, step)
    with ExitStack() as stack:
        parts = {}
        for name, entry in content["parts"].items():
            parts[name] = stack.enter_context(files.open_regular(checkpoint / name))
            manifest.check(checkpoint / name, parts[name], entry, "is damaged")
        for name, entry in content["attached"].items():
            path = checkpoint.parent.parent / name
            with files.open_regular(path) as file:
                manifest.check(path, file, entry, f"has changed since step {step} was saved")
        yield content, parts


def _read_manifest(checkpoint: Path, step: int) -> dict[str, Any]:
    path = checkpoint / _MANIFEST
    content = manifest.read(path)
    if content.get("format") != FORMAT:
        raise RunError(
            f"{checkpoint} has format {content.get('format')}, and imgcls {imgcls.__version__} "
            f"reads format {FORMAT}; upgrade imgcls"
        )
    if content.get("step") != step:
        raise RunError(f"{checkpoint} holds step {content.get('step')}; was it renamed?")
    if not _is_sound(content):
        raise RunError(f"{path} does not describe a checkpoint")
    return content


def _is_sound(content: Mapping[str, Any]) -> bool:
    arrays, parts, attached = (content.get(key) for key in ("arrays", "parts", "attached"))
    return (
        isinstance(arrays, dict)
        and isinstance(parts, dict)
        and list(parts) == [_ARRAYS, _STATE]
        and manifest.are_entries(parts)
        and manifest.are_entries(attached)
    )


def steps(folder: Path) -> list[int]:
    """Returns the steps that have a checkpoint, ascending; that it verifies, only `load` says."""
    named = _named(folder)
    whole = [step for step in named if (folder / _name(step) / _MANIFEST).exists()]
    if not all(os.path.lexists(folder / _name(step)) for step in named):
        return steps(folder)  # removed meanwhile, and so is a newer one there
    return whole


def _named(folder: Path) -> list[int]:
    """The steps that have a folder, ascending; there may be no manifest in it."""
    names = [_NAME.fullmatch(path.name) for path in folder.glob("step-*")]
    return sorted(int(name[1]) for name in names if name)


def newest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Returns the newest checkpoint that verifies, and what is wrong with each newer one."""
    problems: list[str] = []
    listed = _named(folder)
    for step in reversed(listed):
        try:
            return load(folder / _name(step)), problems
        except RunError as error:
            if _named(folder) != listed:  # a trainer replaced them while they were read
                return newest(folder)
            problems.append(str(error))
    return None, problems


def prune(folder: Path, keep: Collection[int]) -> None:
    """Removes all checkpoints but those of the steps in `keep`, and what dead processes left.

    Nothing is removed unless one of those to keep is there.

    Raises:
        ResourceError: if a checkpoint cannot be removed.
    """
    files.remove_stale(folder)
    present = steps(folder)
    if not set(present) & set(keep):
        return
    for step in sorted(set(present) - set(keep)):
        path = folder / _name(step)
        doomed = files.temporary(path)  # a half removed folder must not look like a checkpoint
        with files.writing(path), suppress(FileNotFoundError):
            path.rename(doomed)
        files.discard(doomed)
