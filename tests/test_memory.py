"""Free memory is what the kernel reports, in a container as well."""

import platform

import numpy as np
import pytest

from imgcls.errors import ResourceError
from imgcls.memory import amount, enough_for, free

GIB = 2**30


@pytest.fixture
def system(tmp_path):
    """Returns a function that writes files of /proc and /sys, and returns the free memory there."""

    def left(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return free(tmp_path)

    return left


MEMINFO = {"proc/meminfo": f"MemTotal: 64 kB\nMemAvailable: {22 * 2**20} kB\nHugePages_Total: 0\n"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (22.4 * GIB, "22.4 GiB"),
        (4.1 * 2**40, "4.1 TiB"),
        (2**73, "8,192.0 EiB"),
    ],
)
def test_an_amount_is_said_in_its_own_unit(number, text):
    """
    Nobody can read `4398046511104 bytes`.
    """
    assert text == amount(number)


def test_swap_counts_as_memory(system):
    """
    Training that swaps is slow, but that is no reason to reject it.
    """
    assert 22 * GIB == system(MEMINFO)
    assert 24 * GIB == system({"proc/meminfo": MEMINFO["proc/meminfo"] + "SwapFree: 2097152 kB\n"})


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"proc/self/cgroup": "0::/\n"}, 22 * GIB),
        (
            {
                "proc/self/cgroup": "0::/user/job\n",
                "sys/fs/cgroup/user/memory.max": f"{4 * GIB}\n",
                "sys/fs/cgroup/user/memory.current": f"{3 * GIB}\n",
                "sys/fs/cgroup/user/memory.stat": f"anon {GIB}\nactive_file {GIB}\n",
                "sys/fs/cgroup/user/job/memory.max": "max\n",
            },
            2 * GIB,
        ),
        (
            {  # a container that has its own group at the top, and the path of the host
                "proc/self/cgroup": "4:cpu,memory:/docker/4f\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{4 * GIB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{5 * GIB}\n",
                "sys/fs/cgroup/memory/memory.stat": f"total_inactive_file {3 * GIB}\n",
            },
            2 * GIB,
        ),
    ],
)
def test_the_limit_of_a_container_counts(system, groups, expected):
    """
    The kernel kills a process that exceeds the limit, even if the machine has memory left.
    """
    assert expected == system(MEMINFO | groups)


def test_what_the_system_does_not_say_is_unknown(system):
    """
    A guess could reject data that fits.
    """
    assert system({}) is None
    if platform.system() == "Linux":
        assert (free() or 0) > 10**8


def test_a_full_memory_is_our_error():
    """
    A traceback ending in `_ArrayMemoryError` does not say which data was too large.
    """
    told = pytest.raises(ResourceError, match=r"^the data set does not fit into memory; .* free$")
    with told, enough_for("the data set"):
        np.empty(2**55)
