"""Work spread over threads that Ctrl-C can end at any moment."""

import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar, cast

_BETWEEN = 32  # jobs between two reports of progress

_Result = TypeVar("_Result")

OnProgress = Callable[[int, int], None]


def in_threads(
    job: Callable[[int], _Result],
    count: int,
    progress: OnProgress | None = None,
) -> Iterator[_Result]:
    """Yields the result of a job for each number below `count`, in order.

    An exception, Ctrl-C among them, waits only for the jobs that are running.

    `concurrent.futures` and `threading` are written in Python: a KeyboardInterrupt inside their
    locks becomes a RuntimeError, or leaves a lock held for ever. Locks, queues, and threads that
    are written in C are interrupted either before or after what they do.
    """
    numbers = iter(range(count))  # `next` of a range is one step for all threads
    results: SimpleQueue[tuple[int, _Result | None, BaseException | None]] = SimpleQueue()
    stopped: list[bool] = []
    running = [allocate_lock() for _ in range(min(_processors(), count))]

    def work(thread: int) -> None:
        for at in numbers:
            with running[thread]:
                if stopped:
                    return
                try:
                    results.put((at, job(at), None))
                except BaseException as error:  # noqa: BLE001  # raised where the results are read
                    results.put((at, None, error))

    try:
        for thread in range(len(running)):
            start_new_thread(work, (thread,))
        for done, result in enumerate(_in_order(results, count), start=1):
            yield result
            if progress is not None and (done % _BETWEEN == 0 or done == count):
                progress(done, count)
    finally:
        stopped.append(True)
        for lock in running:
            lock.acquire()


def _in_order(
    results: "SimpleQueue[tuple[int, _Result | None, BaseException | None]]", count: int
) -> Iterator[_Result]:
    early: dict[int, tuple[_Result | None, BaseException | None]] = {}
    for at in range(count):
        while at not in early:
            number, result, error = results.get()
            early[number] = (result, error)
        result, error = early.pop(at)
        if error is not None:
            raise error
        yield cast("_Result", result)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
