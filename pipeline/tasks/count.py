"""Counting: one non-negative number an image, learned from the count alone or from the positions of objects."""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from pydantic import Field

from thalweg.core import metrics
from thalweg.core.augmentations import Change
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.tasks import Task


class Count(Task):
    """Counting by regression or, where the labels have points, by a density map whose sum is the count."""

    kind: Literal["count"] = "count"
    density: Literal[0, 2, 4, 8, 16] = Field(
        0, description="predict a density map with cells of this many pixels (needs points); 0: the count alone"
    )
    pool: int = Field(3, ge=1, description="the term `areas` compares sums over pool x pool cells")

    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions("mae", "rmse", "bias", "exact")
    PREDICTION_OPTIONS: ClassVar[frozenset[str]] = Task.PREDICTION_OPTIONS | {"density", "pool"}

    @property
    def loss_families(self) -> dict[str, str]:
        terms = ("count", "cells", "areas") if self.density else ("count",)
        return dict.fromkeys(terms, "regression")

    @property
    def invalidating_changes(self) -> Change:
        # moving or hiding people changes their number; only points show how
        return Change.NOTHING if self.density else Change.OBJECTS

    def find_data_faults(self, examples: Examples) -> list[str]:
        required = ("count", "points", "present") if self.density else ("count",)
        return [f"the data has no `{name}`" for name in required if name not in examples.labels]

    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        names = ("points", "present") if self.density else ("count",)
        return {name: examples.labels[name] for name in names}

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        height, width, _ = spec.image_shape
        return (-(-height // self.density), -(-width // self.density), 1) if self.density else (1,)

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:
        if not self.density:
            return {"count": labels["count"]}
        height, width, _ = self.output_shape(spec)
        weights = labels["present"].astype(jnp.float32)
        rows = _tent_weights(labels["points"][..., 1] / self.density, height)
        columns = _tent_weights(labels["points"][..., 0] / self.density, width)
        return {"count": weights.sum(-1), "map": jnp.einsum("bph,bpw,bp->bhw", rows, columns, weights)}

    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        count = {"count": Term(self.decode_outputs(outputs), targets["count"])}
        if not self.density:
            return count
        density, true = self._compute_density(outputs)[..., 0], targets["map"]
        areas = Term(_sum_windows(density, self.pool), _sum_windows(true, self.pool))
        return count | {"cells": Term(density, true), "areas": areas}

    def decode_outputs(self, outputs: Array) -> Array:
        return self._compute_density(outputs).sum(tuple(range(1, outputs.ndim)))

    def _compute_density(self, outputs: Array) -> Array:
        """Return the people in each cell, or in all, at least 0; an untrained network predicts few in a cell."""
        return jax.nn.softplus(outputs - 3.0 if self.density else outputs)

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        return metrics.compute_metrics(self.METRIC_DIRECTIONS, predictions, targets["count"], weight)

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        median = np.float32(np.median(train.labels["count"].astype(np.float64)))
        return {"the median count": np.full(len(inputs), median)}


def _tent_weights(position: Array, cells: int) -> Array:
    """Return the weight of each cell for a point [..., cells], linear between cell centres; each row sums to 1."""
    centre = jnp.clip(position, 0.5, cells - 0.5)[..., None] - 0.5
    return jnp.maximum(0.0, 1.0 - jnp.abs(centre - jnp.arange(cells)))


def _sum_windows(density: Array, size: int) -> Array:
    """Return sums over size x size windows at every cell [B, h, w], zeros beyond the edge.

    They are sums of shifted slices, because a window reduction in a loop body is slow on CPU, as convolution is.
    """
    before, after = (size - 1) // 2, size // 2
    for axis in (1, 2):
        padding = [(0, 0)] * density.ndim
        padding[axis] = (before, after)
        padded, length = jnp.pad(density, padding), density.shape[axis]
        slices = [jax.lax.slice_in_dim(padded, start, start + length, axis=axis) for start in range(size)]
        density = sum(slices[1:], slices[0])
    return density
