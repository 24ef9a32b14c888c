"""Where is each object, how large, and of which class? Boxes from a grid of cells, each of which may hold one."""

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
from thalweg.tasks import Task
from thalweg.tasks.detect import draw_boxes

CONFIDENCE_OFFSET = 3.0
"""An untrained network sees an object in one of so many cells: 1 + e^START."""
MAX_LOG_SIDE = 5.0
"""Sides are e^-FARTHEST to e^FARTHEST cells long, whatever is predicted."""
MAX_LOST_SHARE = 0.02
"""The share of objects that may be lost in the grid before a person is told."""


class Detect(Task):
    """Detection by a grid, as in YOLO (Redmon et al. 2016): a cell tells of the object whose middle lies in it.

    A cell's outputs are the logit of its confidence; the object's middle from the cell's, in cells; the logarithm of
    width and height in cells, where boxes are known; and logits of classes. Of several in one cell the nearest to the
    camera counts: the largest box, or the lowest point.
    """

    kind: Literal["detect"] = "detect"
    cell: Literal[2, 4, 8, 16] = Field(8, description="pixels that a cell of the grid is wide and high")
    side: float = Field(0.0, ge=0.0, description="pixels of a square around each point; 0: boxes are known")
    classes: bool = Field(True, description="whether an object's class is predicted, too")
    most: int = Field(32, ge=1, le=1000, description="objects that are found in one image at most")
    threshold: float = Field(0.5, gt=0.0, le=1.0, description="confidence from which a detection counts, but for `ap`")
    overlap: float = Field(0.5, ge=0.0, le=1.0, description="a box goes that shares more (of both) with a surer one")

    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions(
        "ap50", "ap", "precision", "recall", "mae", "bias"
    )
    PICTURE_CAPTION: ClassVar[str] = "true boxes in solid blue, found ones in dashed orange"

    @property
    def loss_families(self) -> dict[str, str]:
        terms = {"missed": "binary", "false_alarms": "binary", "position": "signed"}
        sizes = {} if self.side else {"size": "signed"}
        return terms | sizes | ({"class": "classification"} if self.classes else {})

    @property
    def _required_labels(self) -> tuple[str, ...]:
        return ("points" if self.side else "boxes", "present", *(("kinds",) if self.classes else ()))

    def find_data_faults(self, examples: Examples) -> list[str]:
        hints = {"boxes": " (where points are known, set task.side)", "kinds": " (set task.classes: false)"}
        missing = [name for name in self._required_labels if name not in examples.labels]
        if missing:
            return [f"the data has no `{name}`{hints.get(name, '')}" for name in missing]
        if self.mirror and (width := examples.images.shape[2]) % self.cell:
            return [f"cells of {self.cell} pixels do not fill images of {width}, so task.mirror has no cell to meet"]
        return [] if examples.labels["present"].any() else ["there is no object in any image"]

    def find_data_warnings(self, examples: Examples) -> list[str]:
        spec, told = DataSpec(examples.images.shape[1:], len(examples.classes)), []
        held = self.build_targets(_move_to_device(self.select_labels(examples)), spec)["held"]
        number = self.list_true_values(examples)
        lost, total = int(number.sum() - held.sum()), int(number.sum())
        if lost > MAX_LOST_SHARE * total:
            what = f"{lost} of {total} objects have their middle in one cell of {self.cell} x {self.cell} pixels with "
            told.append(f"{what}a nearer one, so they cannot be found; a smaller task.cell has fewer of them")
        if number.max() > self.most:
            told.append(f"there are up to {number.max()} objects in an image, but task.most is {self.most}")
        return told

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
        near = labels["points"][..., 1] if self.side else sides.prod(-1)
        first = present & ~_is_displaced(row * width + column, near, present)
        away = middle - 0.5 - places
        told = jnp.concatenate([jnp.ones_like(away[..., :1]), away, jnp.log(sides), kinds[..., None]], -1)
        held = jnp.einsum(
            "bph,bpw,bpk->bhwk",
            jax.nn.one_hot(row, height) * first[..., None],
            jax.nn.one_hot(column, width),
            told,
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
        confidence, position, size, likely = self._split_outputs(outputs)
        held = targets["held"]
        both = jnp.broadcast_to(held[..., None], position.shape)
        terms = {
            "missed": Term(confidence, jnp.ones_like(held), held),
            "false_alarms": Term(confidence, jnp.zeros_like(held), 1.0 - held),
            "position": Term(position, targets["position"], both),
            "size": Term(size, targets["size"], both),
            "class": Term(likely, targets["kind"], held),
        }
        return {name: terms[name] for name in self.loss_families}

    def _split_outputs(self, outputs: Array) -> tuple[Array, Array, Array, Array]:
        """Logits of confidence [B, h, w], position and size [B, h, w, 2] in cells, logits of classes [B, h, w, K]."""
        after = 3 if self.side else 5
        size = jnp.full_like(outputs[..., :2], np.log(self.side / self.cell)) if self.side else outputs[..., 3:5]
        return outputs[..., 0] - CONFIDENCE_OFFSET, outputs[..., 1:3], size, outputs[..., after:]

    def decode_outputs(self, outputs: Array) -> Array:
        """What `boxes.decode` reads of each cell: confidence, and times the confidence its box and classes."""
        logit, position, size, likely = self._split_outputs(outputs)
        _, height, width, _ = outputs.shape
        corner = jnp.stack(jnp.meshgrid(jnp.arange(width), jnp.arange(height)), -1)
        middle = (corner + 0.5 + jnp.clip(position, -0.5, 0.5)) * self.cell
        half = jnp.exp(jnp.clip(size, -MAX_LOG_SIDE, MAX_LOG_SIDE)) * self.cell / 2
        parts = [middle - half, middle + half, *([jax.nn.softmax(likely)] if self.classes else [])]
        confidence = jax.nn.sigmoid(logit)[..., None]
        return jnp.concatenate([confidence, confidence * jnp.concatenate(parts, -1)], -1)

    def unmirror_predictions(self, predictions: Array, width: int) -> Array:
        """Cells in the other order, and in each its box as it lies in the image; all times its confidence."""
        sure, x0, y0, x1, y1, *likely = jnp.moveaxis(predictions[:, :, ::-1], -1, 0)
        return jnp.stack([sure, sure * width - x1, y0, sure * width - x0, y1, *likely], -1)

    def _decode_detections(self, predictions: Array) -> Detections:
        return boxes.decode_cells(
            predictions.reshape(len(predictions), -1, predictions.shape[-1]), self.most, self.overlap
        )

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Where classes are predicted, what is found counts as right only with its class."""
        seen = weight > 0
        found = self._decode_detections(jnp.where(seen[:, None, None, None], predictions, 0.0))
        truth = GroundTruth(targets["boxes"], targets["kinds"], targets["present"].astype(bool) & seen[:, None])
        right = boxes.match_detections(found, truth, jnp.asarray(boxes.IOU_THRESHOLDS, jnp.float32))
        kinds = max(1, predictions.shape[-1] - 5)
        area = boxes.average_precision(found, right, truth, kinds, weight)
        number, true = (found.confidence >= self.threshold).sum(-1), truth.present.sum(-1)
        known = {
            "ap50": area[0],
            "ap": area.mean(),
            "precision": boxes.precision(found, right[0], weight, self.threshold),
            "recall": boxes.recall(found, right[0], truth, weight, self.threshold),
        }
        known = {name: jnp.where(weight.sum() > 0, value, jnp.nan) for name, value in known.items()}
        return known | metrics.compute_metrics(("mae", "bias"), number, true, weight)

    def build_prediction_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        return {"prediction": self._threshold_detections(predictions)[1].sum(1)}

    def list_true_values(self, examples: Examples) -> NDArray[Any]:
        number: NDArray[Any] = examples.labels["present"].sum(1)
        return number

    def build_object_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """What was found with a confidence from `threshold` on, the most confident of an image first."""
        found, sure = self._threshold_detections(predictions)
        example, place = np.nonzero(sure)
        sides = {name: found.boxes[example, place, at] for at, name in enumerate(("x0", "y0", "x1", "y1"))}
        named = {"class": np.array(classes)[found.class_ids[example, place]]} if self.classes else {}
        return {"example": example, **sides, "confidence": found.confidence[example, place], **named}

    def _threshold_detections(self, predictions: NDArray[Any]) -> tuple[Any, NDArray[np.bool_]]:
        """What was found in each example, on the host, and which of it is sure enough [N, M]."""
        found = jax.device_get(_compile_decoder(self)(jnp.asarray(predictions, jnp.float32)))
        return found, found.confidence >= self.threshold

    def compute_errors(self, predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
        """How many objects were missed and how many detections are wrong, at an overlap of half."""
        found, sure = self._threshold_detections(predictions)
        right = boxes.match_detections(
            found, self._build_truth(_move_to_device(self.select_labels(examples))), jnp.array([0.5])
        )[0]
        number = self.list_true_values(examples) + sure.sum(1)
        errors: NDArray[np.float64] = (number - 2 * (np.asarray(right) & sure).sum(1)).astype(np.float64)
        return errors

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """In each cell the usual object there, as sure as it is often there."""
        spec = DataSpec(inputs.shape[1:], len(train.classes))
        targets = self.build_targets(_move_to_device(self.select_labels(train)), spec)
        after = [] if self.side else [targets["size"]]
        likely = [30.0 * jax.nn.one_hot(targets["kind"], spec.class_count)] if self.classes else []
        sure = jnp.where(targets["held"] > 0, 30.0, -np.inf)[..., None]
        usual = self.decode_outputs(jnp.concatenate([sure, targets["position"], *after, *likely], -1)).mean(0)
        return {"where they usually are": np.tile(np.asarray(usual), (len(inputs), 1, 1, 1))}

    def draw_pictures(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> list[NDArray[np.uint8]]:
        found, sure = self._threshold_detections(predictions)
        true, _, there = map(np.asarray, self._build_truth(_move_to_device(self.select_labels(examples))))
        return [
            draw_boxes.draw_true_and_found(inputs[i], true[i][there[i]], found.boxes[i][sure[i]])
            for i in range(len(inputs))
        ]


def _move_to_device(labels: dict[str, NDArray[Any]]) -> Tree:
    return {name: jnp.asarray(values) for name, values in labels.items()}


@cache
def _compile_decoder(task: Detect) -> Any:
    return jax.jit(task._decode_detections)


def _is_displaced(cell: Array, nearness: Array, present: Array) -> Array:
    """Which objects [B, P] have another, nearer one in their cell; of two as near the first one stays."""
    places = jnp.arange(cell.shape[1])
    nearer = nearness[:, None, :] > nearness[:, :, None]
    before = (nearness[:, None, :] == nearness[:, :, None]) & (places[None, :] < places[:, None])
    return (present[:, None, :] & (cell[:, None, :] == cell[:, :, None]) & (nearer | before)).any(-1)
