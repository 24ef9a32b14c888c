"""Worlds: how good each setting truly is, and what noise hides it.

The error of a setting has a basin in the logarithm of its pace, the learning rate over 1 - momentum. The basin is
steeper where the pace is too high, and beyond it training diverges. Each loss has its own best pace, width and height.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KIND = "loss.terms.count.kind"
RATE = "optimizer.learning_rate"
MOMENTUM = "optimizer.momentum"
IDLE = "schedule.decay"
LOSSES = ("l1", "l2", "huber", "log_cosh", "poisson")


@dataclass(frozen=True)
class World:
    """A task. Errors are in units of the metric; a seed's standard deviation is `seed_noise`.

    - `heights`: the error of each loss at its own best. `paces`: the logarithm (base 10) of its best pace. `widths`:
      the error one decade below the best pace. `diverges`: decades above the best pace from where training diverges.
    - `lean`: the standard deviation of what a setting's error on a group of examples differs from its error on all,
      which fresh seeds keep. `cell`: the same for one seed's network, which they do not keep. `groups`: of each set,
      of sizes whose logarithms have the standard deviation `unequal`.
    - `swing`: of one validation's error beside the next ones'. `skew`: sigma of lognormal seed noise, 0: normal.
      `failing`: the share of seeds whose training fails, and ends `failure` worse.
    - `conflict`: how many decades above the best pace the second objective, `rmse`, has its own.
    """

    heights: tuple[float, ...] = (1.5,) * 5
    paces: tuple[float, ...] = (-2.0,) * 5
    widths: tuple[float, ...] = (0.25,) * 5
    diverges: float = 1.3
    seed_noise: float = 0.05
    lean: float = 0.025
    cell: float = 0.05
    groups: int = 10
    unequal: float = 0.0
    swing: float = 0.01
    skew: float = 0.0
    failing: float = 0.0
    failure: float = 1.0
    start: float = 5.0
    conflict: float = 0.0

    def find_distance(self, setting: dict[str, Any]) -> float:
        """Return how many decades a setting's pace lies above the best pace of its loss."""
        pace = np.log10(setting[RATE] / (1 - setting[MOMENTUM]))
        return float(pace - self.paces[find_loss(setting)])

    def has_diverged(self, setting: dict[str, Any]) -> bool:
        return self.find_distance(setting) > self.diverges

    def compute_error(self, setting: dict[str, Any], metric: str = "mae") -> float:
        """Return a setting's true error: its mean over seeds and examples, where no seed fails."""
        loss, distance = find_loss(setting), self.find_distance(setting)
        distance -= self.conflict if metric == "rmse" else 0.0
        shape = distance**2 / (1 + 0.5 * abs(distance)) * (2.0 if distance > 0 else 1.0)
        error = self.heights[loss] + 1.5 * self.widths[loss] * shape
        return float(min(error, self.start))

    def compute_best_error(self, loss: str, paces: tuple[float, float]) -> float:
        """Return the least true error of a loss whose pace lies within `paces`, given as logarithms."""
        pace = float(np.clip(self.paces[LOSSES.index(loss)], *paces))
        return self.compute_error({KIND: loss, RATE: 10**pace, MOMENTUM: 0.0})

    def draw_seed_noise(self, draw: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw what seeds add to an error, with mean 0."""
        normal = draw.standard_normal(shape)
        if self.skew:
            sigma, mean = self.skew, np.exp(self.skew**2 / 2)
            normal = (np.exp(sigma * normal) - mean) / (mean * np.sqrt(np.exp(sigma**2) - 1))
        failed = draw.random(shape) < self.failing
        noise: Floats = self.seed_noise * normal + self.failure * failed
        return noise


def find_loss(setting: dict[str, Any]) -> int:
    return LOSSES.index(setting.get(KIND, LOSSES[0]))
