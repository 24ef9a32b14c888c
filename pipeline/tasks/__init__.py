"""The interface of a task; the engine knows no task by name."""
# ruff: noqa: ARG002 (defaults of an interface ignore their arguments)

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from jax import Array
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from thalweg.core import augmentations, losses, metrics
from thalweg.core.augmentations import Change
from thalweg.core.metrics import Metric
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples, Labels
from thalweg.schema.section import StrictModel
from thalweg.system.members import MemberError, is_dotted


def _check_metric(path: str) -> str:
    try:
        metrics.find_own_metric(path)
    except MemberError as error:
        raise PydanticCustomError("metric", "{fault}", {"fault": str(error)}) from None
    return path


def _require_distinct(paths: tuple[str, ...]) -> tuple[str, ...]:
    names = [metrics.name_own_metric(path) for path in paths]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise PydanticCustomError("metric", "names two metrics `{name}`", {"name": repeated[0]})
    return paths


OwnMetric = Annotated[str, AfterValidator(_check_metric)]


class Task(StrictModel):
    """A task: what the network predicts.

    Its fields are options in params.yaml, its methods what they mean. Subclasses set `kind` to their file's name.
    A task is hashable and static, as part of the Plan. Methods over arrays are pure JAX.
    """

    kind: str
    mirror: bool = Field(False, description="average the predictions of an image and of its mirror image")
    metrics: Annotated[tuple[OwnMetric, ...], Strict(False), AfterValidator(_require_distinct)] = Field(
        (), description="dotted paths of own metrics to measure, too"
    )

    #: the direction in which each metric improves; the first metric is the one to look at first
    METRIC_DIRECTIONS: ClassVar[dict[str, str]]
    #: the form in which a person reads truth and prediction: a number, the name of a class, an image
    OUTPUT_KIND: ClassVar[Literal["number", "class", "image"]] = "number"
    #: what `draw_pictures` shows, as the end of a sentence
    PICTURE_CAPTION: ClassVar[str] = "as the network sees them"
    #: the options that say how to predict; all others say what is predicted, so that results with others do not compare
    PREDICTION_OPTIONS: ClassVar[frozenset[str]] = frozenset({"mirror", "metrics"})
    #: whether the network gets `corrupt_images` of an image, with the image itself as its target
    CORRUPTS_INPUT: ClassVar[bool] = False

    @model_validator(mode="after")
    def _check_own_class(self) -> "Task":
        """Check what a user's own task says of its metrics and its loss."""
        if is_dotted(self.kind) and (fault := self._find_class_fault()):
            raise PydanticCustomError("member", "{fault}", {"fault": f"`{self.kind}` {fault}"})
        return self

    def _find_class_fault(self) -> str:
        """Return what is wrong with the declarations of an own task, as the end of a sentence; '' if nothing is."""
        directions = getattr(self, "METRIC_DIRECTIONS", None)
        if not isinstance(directions, dict) or not {"min", "max", "zero"} >= {*map(str, directions.values())}:
            return "needs `METRIC_DIRECTIONS`, a dict from each metric to min, max or zero"
        if not {"min", "max"} & {*directions.values()}:
            return "needs a metric whose direction is min or max in `METRIC_DIRECTIONS`"
        if self.OUTPUT_KIND not in ("number", "class", "image"):
            return f"has the `OUTPUT_KIND` {self.OUTPUT_KIND!r}; it must be number, class or image"
        families: Any = self.loss_families
        if not isinstance(families, dict) or not families:
            return "needs the property `loss_families`, a dict from each term of the loss to its family"
        unknown = [family for family in families.values() if family not in losses.FAMILIES]
        return f"has the loss family {unknown[0]!r}; families are {', '.join(losses.FAMILIES)}" if unknown else ""

    @property
    def own_metrics(self) -> dict[str, Metric]:
        """The user's own metrics by name."""
        return {metrics.name_own_metric(path): metrics.find_own_metric(path) for path in self.metrics}

    @property
    def metric_directions(self) -> dict[str, str]:
        """The direction in which each metric improves, of the task's own and of the user's."""
        return self.METRIC_DIRECTIONS | {name: metric.direction for name, metric in self.own_metrics.items()}

    def cost_sign(self, metric: str) -> int:
        """Return 1 where less of a metric is better, -1 where more is: `sign * value` is a cost."""
        return 1 if self.metric_directions[metric] == "min" else -1

    def metric_bounds(self, metric: str) -> tuple[float, float]:
        """Return the lowest and highest value that a metric can take."""
        spec = (metrics.METRICS | self.own_metrics).get(metric)
        return (spec.low, spec.high) if spec else (-math.inf, math.inf)

    @property
    @abstractmethod
    def loss_families(self) -> dict[str, str]:
        """The terms of this task's loss, each with its family of losses (`thalweg.core.losses`)."""

    @property
    def invalidating_changes(self) -> Change:
        """The changes by augmentation that would make the target false."""
        return Change.NOTHING

    @property
    def allowed_augmentations(self) -> tuple[str, ...]:
        """The augmentations that keep the target true."""
        return augmentations.list_augmentations(self.invalidating_changes)

    def allows_augmentation(self, name: str) -> bool:
        """Return whether an augmentation, ours or the user's, keeps the target true. Raises `MemberError`."""
        if is_dotted(name):
            return not augmentations.find_own_augmentation(name)[1] & self.invalidating_changes
        return name in self.allowed_augmentations

    @abstractmethod
    def find_data_faults(self, examples: Examples) -> list[str]:
        """Describe what these examples lack for this task; empty if they lack nothing."""

    def find_data_warnings(self, examples: Examples) -> list[str]:
        """Describe what a person should know of examples that serve this task only in part."""
        return []

    @abstractmethod
    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        """Return the labels that go to the device with each image, [N, ...] by name, before augmentation."""

    def reconcile_labels(self, labels: Labels) -> Labels:
        """Make labels of augmented copies agree: a count is the number of objects still present."""
        if not {"count", "present"} <= labels.keys():
            return labels
        return labels | {"count": labels["present"].sum(-1).astype(np.float32)}

    def input_shape(self, spec: DataSpec) -> tuple[int, int, int]:
        """Return the shape (h, w, C) of the network's input for one image."""
        return spec.image_shape

    def corrupt_images(self, keys: Array, images: Array) -> Array:
        """Return the network's inputs for images [B, H, W, C] in 0..1; each example has its own key [B].

        Where a task has `CORRUPTS_INPUT`, its labels include the original images, as `image`.
        """
        return images

    @abstractmethod
    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        """Return the shape of the network's output for one example: (K,), or (h, w, K) for a map."""

    @abstractmethod
    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:
        """Turn labels (after augmentation) [B, ...] into targets [B, ...]."""

    @abstractmethod
    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        """Return what each term of the loss compares, from outputs [B, *outputs] and targets."""

    @abstractmethod
    def decode_outputs(self, outputs: Array) -> Array:
        """Turn outputs [B, *outputs] into predictions, which networks average: counts [B], probabilities [B, K]."""

    def unmirror_predictions(self, predictions: Array, width: int) -> Array:
        """Turn predictions of mirror images, `width` pixels wide, into those of the images themselves."""
        return predictions

    @abstractmethod
    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Compute scalar metrics of N examples; each counts `weight` [N] times (0: not at all)."""

    def measure_predictions(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Compute every metric, the user's own too: scalars by name."""
        measured = self.compute_metrics(predictions, targets, weight)
        for name, metric in self.own_metrics.items():
            assert metric.function is not None
            measured = measured | {name: metric.function(*self.select_values(predictions, targets), weight)}
        return measured

    def select_values(self, predictions: Array, targets: Tree) -> tuple[Array, Array]:
        """Return what an own metric compares: prediction and truth, [N, ...] each."""
        return predictions, targets[{"number": "count", "class": "label", "image": "image"}[self.OUTPUT_KIND]]

    def build_prediction_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return predictions as columns for a person: `prediction` (unless it is an image), and related values."""
        match self.OUTPUT_KIND:
            case "number":
                return {"prediction": predictions}
            case "class":
                return {"prediction": np.array(classes)[predictions.argmax(-1)], "confidence": predictions.max(-1)}
        return {}

    def list_true_values(self, examples: Examples) -> NDArray[Any]:
        """Return the true value of each example as a person would write it [N]."""
        match self.OUTPUT_KIND:
            case "number":
                return examples.labels["count"]
            case "class":
                names: NDArray[Any] = np.array(examples.classes)[examples.labels["label"]]
                return names
        return examples.images

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> Mapping[str, NDArray[Any]]:
        """Return the predictions of simple methods for `inputs` [N, h, w, C] in 0..1; the trivial one first.

        They may learn from `train`, as the network does.
        """
        return {}

    def draw_pictures(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> list[NDArray[np.uint8]]:
        """Draw a picture of each of a few examples that shows its prediction."""
        return list(examples.images)

    def build_extra_columns(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """Return further columns that need the truth and the inputs."""
        return {}

    def render_images(self, predictions: NDArray[Any]) -> NDArray[np.uint8] | None:
        """Return predictions as images [N, H, W, C], where they are images."""
        return None

    def build_object_columns(
        self, predictions: NDArray[Any], classes: tuple[str, ...]
    ) -> Mapping[str, NDArray[Any]] | None:
        """Return each predicted object as a row of columns, `example` (an index) first; None for other tasks.

        A box is x0, y0, x1, y1 in pixels of the network's input.
        """
        return None

    def compute_errors(self, predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
        """Return the error of each prediction [N], larger is worse; it orders the worst examples.

        It is the absolute error of a number, the negative log-probability of the true class, or the root of an image's
        mean squared error, as a share of the full range.
        """
        match self.OUTPUT_KIND:
            case "number":
                return np.abs(np.asarray(predictions, np.float64) - self.list_true_values(examples).astype(np.float64))
            case "class":
                probability = predictions[np.arange(len(predictions)), examples.labels["label"]].astype(np.float64)
                errors: NDArray[np.float64] = -np.log(np.maximum(probability, 1e-12))
                return errors
        return np.sqrt(mean_squared_errors(predictions, examples))


def mean_squared_errors(predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
    """Return the mean squared error of each predicted image [N], values in 0..1."""
    pairs = zip(predictions, examples.images, strict=True)
    return np.array([np.square(predicted.astype(np.float64) - true / 255).mean() for predicted, true in pairs])
