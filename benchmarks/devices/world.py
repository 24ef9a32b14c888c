"""What a simulated study meets: devices that are slow now and then, or fail; and what the process that leads it costs.

All times are in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SLOW_FACTOR = 5.0
"""How many times as long a straggler takes."""


@dataclass(frozen=True)
class World:
    """The devices, how long an epoch of one lane takes on one, and what goes wrong.

    A device is a straggler for `slow_share` of the time, and for `slow_seconds` in a row, on average. Beside that its
    work takes longer or shorter by a lognormal factor of deviation `jitter`. It fails once in `failure_hours`, on
    average; `restart_seconds` later another one takes its place. A lane has `lane_mib`.
    """

    devices: int
    epoch_seconds: float = 30.0
    jitter: float = 0.1
    slow_share: float = 0.002
    slow_seconds: float = 60.0
    failure_hours: float = 100.0
    restart_seconds: float = 60.0
    lane_mib: float = 1.0


class Device:
    """A device over time. Its work is asked for in order of time."""

    def __init__(self, world: World, draw: np.random.Generator) -> None:
        self._world, self._draw = world, draw
        self._is_slow = bool(draw.random() < world.slow_share)
        self._turns = self._draw_spell(0.0)
        self._fails = self._draw_failure(0.0)
        self.free = 0.0

    def work(self, start: float, seconds: float) -> tuple[float, bool]:
        """Work for so many seconds at its usual speed, from a time on. Returns the end, and whether it failed then."""
        start = max(start, self.free)
        left = seconds * float(np.exp(self._world.jitter * self._draw.standard_normal()))
        now = start
        while True:
            while self._turns <= now:
                self._is_slow = not self._is_slow
                self._turns = self._draw_spell(self._turns)
            factor = SLOW_FACTOR if self._is_slow else 1.0
            end = now + left * factor
            if end <= self._turns:
                break
            left -= (self._turns - now) / factor
            now = self._turns
        while self._fails < start:  # while it had nothing to do
            self._fails = self._draw_failure(self._fails)
        if end <= self._fails:
            self.free = end
            return end, False
        end = self._fails
        self.free = end + self._world.restart_seconds
        self._fails = self._draw_failure(self.free)
        return end, True

    def _draw_spell(self, now: float) -> float:
        """Draw the time until which it is as slow as it is now."""
        share, slow = self._world.slow_share, self._world.slow_seconds
        if not share:
            return np.inf
        return now + float(self._draw.exponential(slow if self._is_slow else slow * (1 - share) / share))

    def _draw_failure(self, now: float) -> float:
        return now + float(self._draw.exponential(3600 * self._world.failure_hours))


@dataclass(frozen=True)
class Costs:
    """What the leading process spends, by what it measured of itself (`benchmarks.devices.costs`).

    Proposing a trial takes `ask` = (a, b, c): a + b for each finished trial + c for each trial in training. `trial` is
    all else that a trial takes, and ranking n trials takes `rank` times n. `lane` is what a lane takes at a rung,
    `write` a write of the journal, `call` a call of a program by a worker, beside its bytes.
    """

    ask: tuple[float, float, float]
    trial: float
    rank: float
    lane: float
    write: float
    call: float
    transfer_rate: float
    snapshot_rate: float

    def ask_cohort(self, count: int, finished: int, training: int) -> float:
        """Return the seconds of proposing a cohort after so many finished trials, beside others in training."""
        once, by_finished, by_training = self.ask
        mean_training = training + (count - 1) / 2
        return count * (once + by_finished * finished + by_training * mean_training)


FREE = Costs((0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0, np.inf, np.inf)
"""A process that costs nothing."""


def fit_costs(measured: Mapping[str, Any]) -> Costs:
    """Return the costs that rows of measurements mean; the asks by least squares of their relative errors."""
    rows = measured["ask"]
    ms = np.array([row["ms"] for row in rows])
    terms = np.array([[1.0, row["finished"], row["training"]] for row in rows])
    once, by_finished, by_training = np.linalg.lstsq(terms / ms[:, None], np.ones(len(ms)), rcond=None)[0] / 1000
    return Costs(
        (float(once), float(by_finished), float(by_training)),
        sum(measured[name] for name in ("tell_ms", "add_ms", "judge_ms")) / 1000,
        measured["rank_ms"] / 1000 / measured["ranked"],
        measured["result_ms"] / 1000,
        measured["write_ms"] / 1000,
        measured["call_ms"] / 1000,
        measured["transfer_rate"],
        measured["snapshot_rate"],
    )
