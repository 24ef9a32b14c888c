"""Launchers: what starts the processes that train, on this machine or on a cluster. Both give the same bits.

Bits depend on the size of XLA's thread pool, so it is the same everywhere; more cores have more processes, each with
such a pool. Each process gets the data once; then every free one gets the next call of `thalweg.engine.population`.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from thalweg.engine.program import Data
from thalweg.system.files import UserError


class Workers(Protocol):
    """Processes that hold the data."""

    @property
    def devices(self) -> int:
        """The devices of each process."""

    def count_processes(self) -> int:
        """Count the processes that serve from now on, with those that came, without those that go."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Run function(*arguments, data) in a free process, with its copy of the data.

        The future raises what the function raises; `BrokenProcessPool` or `UserError` if the processes are lost.
        """


@dataclass(frozen=True)
class EngineOptions:
    """How to compute: lanes at once on an accelerator (None: calibrate), and where.

    `address` is that of a Ray cluster; None: what RAY_ADDRESS names, or else this machine.
    """

    width: int | None = None
    launcher: str = "local"
    address: str | None = None


LOCAL = EngineOptions()


@contextmanager
def start_workers(data: Data, options: EngineOptions = LOCAL) -> Iterator[Workers | None]:
    """Start workers for the context; None if this process is enough. `data` is on the host."""
    if options.launcher == "ray":
        try:
            from thalweg.engine.launchers import ray
        except ImportError:
            raise UserError("engine.launcher is ray, and Ray is not installed: pip install 'thalweg[ray]'") from None
        with ray.start_ray_workers(data, options.address) as workers:
            yield workers
    else:
        from thalweg.engine.launchers import local

        with local.start_local_workers(data) as processes:
            yield processes
