"""Detection: boxes and classes of objects, from a grid of cells that hold at most one object each."""

from functools import cache
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from pydantic import Field

from thalweg.core import boxes, metrics
from thalweg.core.boxes import Detections, GroundTruth
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.system.counts import format_count
from thalweg.tasks import Task
from thalweg.tasks.detect import draw_boxes

CONFIDENCE_OFFSET = 3.0
"""An untrained network predicts an object in one of 1 + e^CONFIDENCE_OFFSET cells."""
MAX_LOG_SIDE = 5.0
"""Predicted sides are clipped to e^-MAX_LOG_SIDE to e^MAX_LOG_SIDE cells."""
MAX_LOST_SHARE = 0.02
"""The share of objects that the grid may lose without a warning."""


class Detect(Task):
    """Detection by a grid, as in YOLO (Redmon et al. 2016): a cell predicts the object whose centre lies in it.

    A cell's outputs are the logit of its confidence; the object's centre from the cell's, in cells; the logarithm of
    width and height in cells, where boxes are known; and logits of classes. Of several objects in one cell, the nearest
    to the camera counts: the one with the largest box, or with the lowest point.
    """

    kind: Literal["detect"] = "detect"
    cell: Literal[2, 4, 8, 16] = Field(8, description="width and height of a grid cell, in pixels")
    side: float = Field(0.0, ge=0.0, description="side in pixels of a square around each point; 0: data with boxes")
    classes: bool = Field(True, description="whether to predict each object's class, too")
    most: int = Field(32, ge=1, le=1000, description="highest number of objects detected in one image")
    threshold: float = Field(
        0.5, gt=0.0, le=1.0, description="lowest confidence of a detection that counts (not for `ap`)"
    )
    overlap: float = Field(
        0.5, ge=0.0, le=1.0, description="a box with a larger overlap (IoU) with a surer box is dropped"
    )

    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions(
        "ap50", "ap", "precision", "recall", "mae", "bias"
    )
    PICTURE_CAPTION: ClassVar[str] = "true boxes in solid blue, detected boxes in dashed orange"
    PREDICTION_OPTIONS: ClassVar[frozenset[str]] = Task.PREDICTION_OPTIONS | {"cell", "most", "threshold", "overlap"}

    @property
    def loss_families(self) -> dict[str, str]:
        terms = {"missed": "binary", "false_alarms": "binary", "position": "signed"}
        sizes = {} if self.side else {"size": "signed"}
        return terms | sizes | ({"class": "classification"} if self.classes else {})

    @property
    def _required_labels(self) -> tuple[str, ...]:
        return ("points" if self.side else "boxes", "present", *(("kinds",) if self.classes else ()))

    def find_data_faults(self, examples: Examples) -> list[str]:
        hints = {
            "boxes": " (if it has points, set task.side)",
            "kinds": " (no object has a class; set task.classes: false)",
        }
        missing = [name for name in self._required_labels if name not in examples.labels]
        if "present" in examples.labels and not examples.labels["present"].any():
            return ["no image contains an object"]
        if missing:
            return [f"the data has no `{name}`{hints.get(name, '')}" for name in missing]
        if self.mirror and (width := examples.images.shape[2]) % self.cell:
            return [
                f"task.mirror needs an image width that is a multiple of task.cell: {width} is not one of {self.cell}"
            ]
        return []

    def find_data_warnings(self, examples: Examples) -> list[str]:
        spec, warnings = DataSpec(examples.images.shape[1:], len(examples.classes)), []
        held = self.build_targets(_move_to_device(self.select_labels(examples)), spec)["held"]
        counts = self.list_true_values(examples)
        lost, total = int(counts.sum() - held.sum()), int(counts.sum())
        if lost > MAX_LOST_SHARE * total:
            cell = f"cell of {self.cell} x {self.cell} pixels"
            warnings.append(
                f"{lost} of {format_count(total, 'object')} cannot be found, because each has its centre in the same "
                f"{cell} as a nearer object; a smaller task.cell loses fewer"
            )
        if counts.max() > self.most:
            most = format_count(int(counts.max()), "object")
            warnings.append(f"an image has up to {most}, but at most {self.most} can be found: raise task.most")
        return warnings

    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        return {name: examples.labels[name] for name in self._required_labels}

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        height, width, _ = spec.image_shape
        numbers = (3 if self.side else 5) + (spec.class_count if self.classes else 0)
        return -(-height // self.cell), -(-width // self.cell), numbers

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:
        height, width, _ = self.output_shape(spec)
        truth, kinds, present = self._build_truth(labels)
        middle = (truth[..., :2] + truth[..., 2:]) / 2 / self.cell
        places = jnp.clip(jnp.floor(middle), 0, jnp.array([width - 1, height - 1])).astype(jnp.int32)
        column, row = places[..., 0], places[..., 1]
        sides = jnp.maximum(truth[..., 2:] - truth[..., :2], 1e-3) / self.cell
        nearness = labels["points"][..., 1] if self.side else sides.prod(-1)
        first = present & ~_is_displaced(row * width + column, nearness, present)
        offset = middle - 0.5 - places
        cell_values = jnp.concatenate([jnp.ones_like(offset[..., :1]), offset, jnp.log(sides), kinds[..., None]], -1)
        held = jnp.einsum(
            "bph,bpw,bpk->bhwk",
            jax.nn.one_hot(row, height) * first[..., None],
            jax.nn.one_hot(column, width),
            cell_values,
            precision="highest",
        )
        return {
            "held": held[..., 0],
            "position": held[..., 1:3],
            "size": held[..., 3:5],
            "kind": jnp.round(held[..., 5]).astype(jnp.int32),
            "boxes": truth,
            "kinds": kinds,
            "present": present,
        }

    def _build_truth(self, labels: Tree) -> GroundTruth:
        present, half = labels["present"], self.side / 2
        kinds = labels["kinds"] if self.classes else jnp.zeros(present.shape, jnp.int32)
        if not self.side:
            return GroundTruth(labels["boxes"], kinds, present)
        return GroundTruth(jnp.concatenate([labels["points"] - half, labels["points"] + half], -1), kinds, present)

    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        confidence, position, size, class_logits = self._split_outputs(outputs)
        held = targets["held"]
        weight = jnp.broadcast_to(held[..., None], position.shape)
        terms = {
            "missed": Term(confidence, jnp.ones_like(held), held),
            "false_alarms": Term(confidence, jnp.zeros_like(held), 1.0 - held),
            "position": Term(position, targets["position"], weight),
            "size": Term(size, targets["size"], weight),
            "class": Term(class_logits, targets["kind"], held),
        }
        return {name: terms[name] for name in self.loss_families}

    def _split_outputs(self, outputs: Array) -> tuple[Array, Array, Array, Array]:
        """Return logits of confidence [B, h, w], position and size [B, h, w, 2] in cells, class logits [B, h, w, K]."""
        class_start = 3 if self.side else 5
        size = jnp.full_like(outputs[..., :2], np.log(self.side / self.cell)) if self.side else outputs[..., 3:5]
        return outputs[..., 0] - CONFIDENCE_OFFSET, outputs[..., 1:3], size, outputs[..., class_start:]

    def decode_outputs(self, outputs: Array) -> Array:
        """Return what `boxes.decode_cells` reads of each cell: confidence, and confidence times its box and classes."""
        logit, position, size, class_logits = self._split_outputs(outputs)
        _, height, width, _ = outputs.shape
        corner = jnp.stack(jnp.meshgrid(jnp.arange(width), jnp.arange(height)), -1)
        middle = (corner + 0.5 + jnp.clip(position, -0.5, 0.5)) * self.cell
        half = jnp.exp(jnp.clip(size, -MAX_LOG_SIDE, MAX_LOG_SIDE)) * self.cell / 2
        parts = [middle - half, middle + half, *([jax.nn.softmax(class_logits)] if self.classes else [])]
        confidence = jax.nn.sigmoid(logit)[..., None]
        return jnp.concatenate([confidence, confidence * jnp.concatenate(parts, -1)], -1)

    def unmirror_predictions(self, predictions: Array, width: int) -> Array:
        """Reverse the order of cells and mirror the box in each; all values are times the confidence."""
        confidence, x0, y0, x1, y1, *classes = jnp.moveaxis(predictions[:, :, ::-1], -1, 0)
        return jnp.stack([confidence, confidence * width - x1, y0, confidence * width - x0, y1, *classes], -1)

    def _decode_detections(self, predictions: Array) -> Detections:
        return boxes.decode_cells(
            predictions.reshape(len(predictions), -1, predictions.shape[-1]), self.most, self.overlap
        )

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Compute the metrics; where classes are predicted, a detection is right only with the right class."""
        counted = weight > 0
        detections = self._decode_detections(jnp.where(counted[:, None, None, None], predictions, 0.0))
        truth = GroundTruth(targets["boxes"], targets["kinds"], targets["present"].astype(bool) & counted[:, None])
        is_right = boxes.match_detections(detections, truth, jnp.asarray(boxes.IOU_THRESHOLDS, jnp.float32))
        kinds = max(1, predictions.shape[-1] - 5)
        precisions = boxes.average_precision(detections, is_right, truth, kinds, weight)
        values = {
            "ap50": precisions[0],
            "ap": precisions.mean(),
            "precision": boxes.precision(detections, is_right[0], weight, self.threshold),
            "recall": boxes.recall(detections, is_right[0], truth, weight, self.threshold),
        }
        values = {name: jnp.where(weight.sum() > 0, value, jnp.nan) for name, value in values.items()}
        return values | metrics.compute_metrics(("mae", "bias"), *self._count_objects(detections, targets), weight)

    def select_values(self, predictions: Array, targets: Tree) -> tuple[Array, Array]:
        """Return the number of detected objects of each image [N], and of true ones."""
        return self._count_objects(self._decode_detections(predictions), targets)

    def _count_objects(self, detections: Detections, targets: Tree) -> tuple[Array, Array]:
        return (detections.confidence >= self.threshold).sum(-1), targets["present"].astype(bool).sum(-1)

    def build_prediction_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        return {"prediction": self._threshold_detections(predictions)[1].sum(1)}

    def list_true_values(self, examples: Examples) -> NDArray[Any]:
        number: NDArray[Any] = examples.labels["present"].sum(1)
        return number

    def build_object_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the detections of at least `threshold` confidence, the most confident of an image first."""
        detections, selected = self._threshold_detections(predictions)
        example, slot = np.nonzero(selected)
        sides = {name: detections.boxes[example, slot, axis] for axis, name in enumerate(("x0", "y0", "x1", "y1"))}
        class_column = {"class": np.array(classes)[detections.class_ids[example, slot]]} if self.classes else {}
        return {"example": example, **sides, "confidence": detections.confidence[example, slot], **class_column}

    def _threshold_detections(self, predictions: NDArray[Any]) -> tuple[Any, NDArray[np.bool_]]:
        """Return the detections of each example, on the host, and which reach the threshold [N, M]."""
        detections = jax.device_get(_compile_decoder(self)(jnp.asarray(predictions, jnp.float32)))
        return detections, detections.confidence >= self.threshold

    def compute_errors(self, predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
        """Return the number of missed objects plus wrong detections, at an overlap of one half."""
        detections, selected = self._threshold_detections(predictions)
        is_right = boxes.match_detections(
            detections, self._build_truth(_move_to_device(self.select_labels(examples))), jnp.array([0.5])
        )[0]
        number = self.list_true_values(examples) + selected.sum(1)
        errors: NDArray[np.float64] = (number - 2 * (np.asarray(is_right) & selected).sum(1)).astype(np.float64)
        return errors

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return the average object of each cell, as confident as the cell often holds one."""
        spec = DataSpec(inputs.shape[1:], len(train.classes))
        targets = self.build_targets(_move_to_device(self.select_labels(train)), spec)
        sizes = [] if self.side else [targets["size"]]
        class_logits = [30.0 * jax.nn.one_hot(targets["kind"], spec.class_count)] if self.classes else []
        certain = jnp.where(targets["held"] > 0, 30.0, -np.inf)[..., None]
        mean_cells = self.decode_outputs(
            jnp.concatenate([certain, targets["position"], *sizes, *class_logits], -1)
        ).mean(0)
        return {"the average object of each cell": np.tile(np.asarray(mean_cells), (len(inputs), 1, 1, 1))}

    def draw_pictures(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> list[NDArray[np.uint8]]:
        detections, selected = self._threshold_detections(predictions)
        true_boxes, _, present = map(np.asarray, self._build_truth(_move_to_device(self.select_labels(examples))))
        return [
            draw_boxes.draw_true_and_found(inputs[i], true_boxes[i][present[i]], detections.boxes[i][selected[i]])
            for i in range(len(inputs))
        ]


def _move_to_device(labels: dict[str, NDArray[Any]]) -> Tree:
    return {name: jnp.asarray(values) for name, values in labels.items()}


@cache
def _compile_decoder(task: Detect) -> Any:
    return jax.jit(task._decode_detections)


def _is_displaced(cell: Array, nearness: Array, present: Array) -> Array:
    """Return which objects [B, P] share their cell with a nearer one; of two equally near, the first stays."""
    places = jnp.arange(cell.shape[1])
    nearer = nearness[:, None, :] > nearness[:, :, None]
    before = (nearness[:, None, :] == nearness[:, :, None]) & (places[None, :] < places[:, None])
    return (present[:, None, :] & (cell[:, None, :] == cell[:, :, None]) & (nearer | before)).any(-1)
