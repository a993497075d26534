"""The CPU time of commands, which does not depend on what else the machine does."""

import resource
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Returns the CPU seconds of the processes that some work starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
