"""The properties of the processor, as Linux reports them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux reports them."""

BFLOAT16_UNITS = ("amx_bf16", "avx512_bf16")
"""Matrix units for bfloat16, as flags; without, it is 2.5 times slower than float32."""


@cache  # each layer asks, and the file of many cores is long
def fields(cpuinfo: Path = CPUINFO) -> Mapping[str, str]:
    """Returns what is said of the first core; nothing where there is no such file."""
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:  # no Linux
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def flags(cpuinfo: Path = CPUINFO) -> set[str]:
    """Returns what it can do, by Linux' names, such as `avx2`."""
    return set(fields(cpuinfo).get("flags", "").split())
