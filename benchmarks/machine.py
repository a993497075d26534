"""Describes the machine on which a measurement ran, for the page."""

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.comparison import Kind
from imgcls.ops import processor


@dataclass(frozen=True)
class Machine:
    """A machine, and how busy it was before the measurement.

    Attributes:
        processor: the model of the processor.
        cores: the number of cores that this process may use.
        units: the units of the processor that compute in bfloat16.
        memory_bytes: the total memory.
        load: the load average over the last minute.
        versions: the versions of the libraries, by name.
    """

    processor: str
    cores: int
    units: tuple[str, ...]
    memory_bytes: int
    load: float
    versions: dict[str, str]


def look(cpuinfo: Path = processor.CPUINFO) -> Machine:
    """Returns the description of this machine and its current load."""
    flags = processor.flags(cpuinfo)
    return Machine(
        processor=processor.fields(cpuinfo).get("model name", "unknown"),
        cores=len(os.sched_getaffinity(0)),
        units=tuple(unit for unit in processor.BFLOAT16_UNITS if unit in flags),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        load=round(os.getloadavg()[0], 2),
        versions={name: _version(name) for name in ("tensorflow", "keras", "numpy")},
    )


def kind(units: tuple[str, ...]) -> Kind:
    """Returns the kind of a machine with these bfloat16 units, which is its column of the page."""
    return "bfloat16" if units else "float32"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
