"""What a task says of itself; the engine knows no task by name."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jax import Array
from numpy.typing import NDArray

from pipeline.core import metrics
from pipeline.data.examples import Examples
from pipeline.schema import Section

Tree = dict[str, Array]
"""Named arrays with the batch as their first axis."""


@dataclass(frozen=True)
class Spec:
    """What of the data shapes the program: `image` (H, W, C) as stored, and how many `classes` there are."""

    image: tuple[int, int, int]
    classes: int = 0


class Task(Section):
    """A task: its options in params.yaml and what follows from them. Subclasses set `kind` to their file's name.

    A task is hashable and static: it is a part of the Plan. Methods over arrays are pure JAX.
    """

    kind: str

    #: every metric and which way it is better; the first is the one that a person looks at first
    METRICS: ClassVar[dict[str, str]]
    #: whether truth and prediction are numbers; else they are the names of classes
    NUMBERS: ClassVar[bool] = True

    def sign(self, metric: str) -> int:
        """1 where less of a metric is better, -1 where more is: `sign * value` is a cost."""
        return 1 if self.METRICS[metric] == "min" else -1

    def bounds(self, metric: str) -> tuple[float, float]:
        """Between what a metric lies, whatever is predicted."""
        return metrics.BOUNDS.get(metric, (-math.inf, math.inf))

    @property
    @abstractmethod
    def families(self) -> dict[str, str]:
        """The terms of this task's loss, each with the family of losses (`pipeline.core.losses`) that fits it."""

    @property
    @abstractmethod
    def augmentations(self) -> tuple[str, ...]:
        """The augmentations after which an image is still a true example of its target."""

    @abstractmethod
    def problems(self, examples: Examples) -> list[str]:
        """What these examples lack to serve this task, in words; nothing if they do."""

    @abstractmethod
    def labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        """What goes to the device with each image, [N, ...] by name: the raw labels that augmentations know."""

    @abstractmethod
    def outputs(self, spec: Spec) -> tuple[int, ...]:
        """The shape of what the network gives for one example: (K,), or (h, w, K) for a map."""

    @abstractmethod
    def targets(self, labels: Tree, spec: Spec) -> Tree:
        """Labels (after augmentation) [B, ...] -> targets [B, ...]."""

    @abstractmethod
    def terms(self, outputs: Array, targets: Tree) -> dict[str, tuple[Array, Array]]:
        """Outputs [B, *outputs] and targets -> for each term of the loss, (prediction, truth)."""

    @abstractmethod
    def predictions(self, outputs: Array) -> Array:
        """Outputs [B, *outputs] -> what is averaged over networks: counts [B], probabilities [B, K]."""

    @abstractmethod
    def metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Scalar metrics of N examples, each counted `weight` [N] times (0: not at all)."""

    @abstractmethod
    def table(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Predictions as columns for a person: always `prediction`, and what else is worth a column."""

    @abstractmethod
    def truth(self, examples: Examples) -> NDArray[Any]:
        """The true value of each example as a person would write it [N]."""

    @abstractmethod
    def errors(self, predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
        """How wrong each prediction is [N], larger is worse; it orders the worst examples."""
