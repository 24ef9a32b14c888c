"""Classification of images."""

from typing import Any, ClassVar, Literal

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from thalweg.core import metrics
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.tasks import Task


class Classify(Task):
    """Predict one of the classes found in the data."""

    kind: Literal["classify"] = "classify"

    OUTPUT_KIND: ClassVar[Literal["number", "class", "image"]] = "class"
    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions("accuracy", "log_loss", "calibration_error")

    @property
    def loss_families(self) -> dict[str, str]:
        return {"label": "classification"}

    def find_data_faults(self, examples: Examples) -> list[str]:
        if "label" not in examples.labels:
            return ["the data has no `label`"]
        return [] if len(examples.classes) > 1 else ["the data has fewer than two classes"]

    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        return {"label": examples.labels["label"]}

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        return (spec.class_count,)

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:  # noqa: ARG002
        return labels

    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        return {"label": Term(outputs, targets["label"])}

    def decode_outputs(self, outputs: Array) -> Array:
        return jax.nn.softmax(outputs)

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        return metrics.compute_metrics(self.METRIC_DIRECTIONS, predictions, targets["label"], weight)

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        shares = np.bincount(train.labels["label"], minlength=len(train.classes)) / len(train)
        return {"the most frequent class": np.tile(shares.astype(np.float32), (len(inputs), 1))}
