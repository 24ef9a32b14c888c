"""How many are in this image? One non-negative number, learned from the number alone or from where they stand."""

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
    """Counting by regression, or, where the labels have points, by a map of density whose sum is the count."""

    kind: Literal["count"] = "count"
    density: Literal[0, 2, 4, 8, 16] = Field(
        0, description="predict a map of density with cells of so many pixels (needs points); 0: the count alone"
    )
    pool: int = Field(3, ge=1, description="the term `areas` compares sums over pool x pool cells")

    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions("mae", "rmse", "bias", "exact")

    @property
    def loss_families(self) -> dict[str, str]:
        terms = ("count", "cells", "areas") if self.density else ("count",)
        return dict.fromkeys(terms, "regression")

    @property
    def invalidating_changes(self) -> Change:
        # what moves or hides people changes their number, which only their points can tell
        return Change.NOTHING if self.density else Change.OBJECTS

    def find_data_faults(self, examples: Examples) -> list[str]:
        wanted = ("count", "points", "present") if self.density else ("count",)
        return [f"the data has no `{name}`" for name in wanted if name not in examples.labels]

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
        """People in each cell, or in all, never fewer than none; an untrained network sees few in a cell."""
        return jax.nn.softplus(outputs - 3.0 if self.density else outputs)

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        return metrics.compute_metrics(self.METRIC_DIRECTIONS, predictions, targets["count"], weight)

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        usual = np.float32(np.median(train.labels["count"].astype(np.float64)))
        return {"the usual number": np.full(len(inputs), usual)}


def _tent_weights(position: Array, cells: int) -> Array:
    """Share of each cell in a point [..., cells], linear between the centres of neighbours; every row sums to 1."""
    centre = jnp.clip(position, 0.5, cells - 0.5)[..., None] - 0.5
    return jnp.maximum(0.0, 1.0 - jnp.abs(centre - jnp.arange(cells)))


def _sum_windows(density: Array, size: int) -> Array:
    """Sums over size x size windows at every cell [B, h, w], zeros beyond the edge.

    Written as sums of shifted slices: a window reduction in a loop body is slow on CPU, as convolution is.
    """
    before, after = (size - 1) // 2, size // 2
    for axis in (1, 2):
        padding = [(0, 0)] * density.ndim
        padding[axis] = (before, after)
        padded, length = jnp.pad(density, padding), density.shape[axis]
        parts = [jax.lax.slice_in_dim(padded, start, start + length, axis=axis) for start in range(size)]
        density = sum(parts[1:], parts[0])
    return density
