"""Measure how busy the machine is with other work."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAT = Path("/proc/stat")


@contextmanager
def measure_others(result: dict[str, float]) -> Iterator[None]:
    """Put into `result` the mean number of cores that other programs kept busy; nothing if unknown.

    Processes that this process's children leave running (as Ray does) count as other work.
    """
    began, busy, own_before = time.perf_counter(), _read_busy_seconds(), _read_own_seconds()
    yield
    if busy is not None:
        now = _read_busy_seconds() or 0.0
        result["others"] = round(
            max(0.0, (now - busy - (_read_own_seconds() - own_before)) / (time.perf_counter() - began)), 2
        )


def _read_busy_seconds() -> float | None:
    """Return the busy seconds since the machine started, summed over cores."""
    if not STAT.exists():
        return None
    user, nice, system = (int(field) for field in STAT.read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _read_own_seconds() -> float:
    """Return the processor seconds of this process and its finished children."""
    usages = [resource.getrusage(target) for target in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
