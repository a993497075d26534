"""How much memory there is left, and what to say where it does not suffice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imgcls.errors import ResourceError

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_KIBI = 1024
_LARGE = 2**28
_ROOT = Path("/")


def amount(number_of_bytes: float) -> str:
    """Returns bytes in the largest unit of which there is one: `22.4 GiB`."""
    if number_of_bytes < _KIBI:
        return f"{number_of_bytes:.0f} {_UNITS[0]}"
    for unit in _UNITS:
        if number_of_bytes < _KIBI or unit == _UNITS[-1]:
            break
        number_of_bytes /= _KIBI
    return f"{number_of_bytes:,.1f} {unit}"


@contextmanager
def enough_for(what: str) -> Iterator[None]:
    """Turns Python's and NumPy's error of a full memory into ours.

    Args:
        what: did not fit.

    Raises:
        ResourceError: if memory does not suffice.
    """
    try:
        yield
    except MemoryError as error:
        left = free()
        known = f"; {amount(left)} are free" if left is not None else ""
        raise ResourceError(f"{what} does not fit into memory{known}") from error


def check_fits(number_of_bytes: int) -> None:
    """Checks what no allocation does: Linux promises memory that it does not have.

    Raises:
        MemoryError: if so much is not free.
    """
    # Asking takes 1 ms, which is much beside a small picture.
    if number_of_bytes > _LARGE and (left := free()) is not None and number_of_bytes > left:
        raise MemoryError


def free(root: Path = _ROOT) -> int | None:
    """Returns the bytes that this process can still take, swap included; None without Linux.

    Args:
        root: of the file system in which the kernel reports it.
    """
    system = _fields(root / "proc/meminfo")
    if "MemAvailable" not in system:
        return None
    return min(system["MemAvailable"], *_left_in_groups(root)) + system.get("SwapFree", 0)


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yields what each control group around this process lets it take, and no limit at all."""
    yield 2**63
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            top, limit, used, cache = "", "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            top, limit, used = "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_"
        else:
            continue
        groups = root / "sys/fs/cgroup" / top
        inner = groups / path.strip("/")
        for group in (inner, *inner.parents):
            if not group.is_relative_to(groups):
                break
            most = _text(group / limit).strip()
            if most.isdecimal():
                # Pages of files that were read are given up before anything fails.
                statistics = _fields(group / "memory.stat")
                kept = sum(
                    statistics.get(f"{cache}{kind}_file", 0) for kind in ("inactive", "active")
                )
                yield max(int(most) - int(_text(group / used) or 0) + kept, 0)


def _fields(path: Path) -> dict[str, int]:
    """The numbers of a file that has a name and one of them in each line."""
    lines = [line.replace(":", " ").split() for line in _text(path).splitlines()]
    return {
        words[0]: int(words[1]) * (_KIBI if words[2:] == ["kB"] else 1)
        for words in lines
        if len(words) > 1 and words[1].isdecimal()
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):  # another system, another version, a group that is gone
        return ""
