"""How busy the machine was with other work while something was measured."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAT = Path("/proc/stat")


@contextmanager
def others(told: dict[str, float]) -> Iterator[None]:
    """Put into `told` how many cores other programs kept busy meanwhile, on average; nothing where that is unknown.

    What this process's children started and left behind (Ray does) counts as other work.
    """
    began, busy, own = time.perf_counter(), _busy(), _own()
    yield
    if busy is not None:
        now = _busy() or 0.0
        told["others"] = round(max(0.0, (now - busy - (_own() - own)) / (time.perf_counter() - began)), 2)


def _busy() -> float | None:
    """Seconds for which cores have been at work since the machine started, summed over them."""
    if not STAT.exists():
        return None
    user, nice, system = (int(one) for one in STAT.read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Seconds of processor time of this process and its children that are over."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
