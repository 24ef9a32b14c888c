"""What a task says of itself; the engine knows no task by name."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from jax import Array
from numpy.typing import NDArray
from pydantic import Field

from thalweg.core import augmentations, metrics
from thalweg.core.augmentations import Change
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples, Labels
from thalweg.schema.section import StrictModel


class Task(StrictModel):
    """A task: its options in params.yaml and what follows from them. Subclasses set `kind` to their file's name.

    A task is hashable and static: it is a part of the Plan. Methods over arrays are pure JAX.
    """

    kind: str
    mirror: bool = Field(
        False, description="predict the mean of what is predicted of the image and of its mirror image"
    )

    #: every metric and which way it is better; the first is the one that a person looks at first
    METRIC_DIRECTIONS: ClassVar[dict[str, str]]
    #: what truth and prediction are to a person: a number, the name of a class, an image
    OUTPUT_KIND: ClassVar[Literal["number", "class", "image"]] = "number"
    #: what `pictures` show, as the end of a sentence
    PICTURE_CAPTION: ClassVar[str] = "as the network sees them"
    #: whether the network is given something else than the image: `observed`, of which the image is the target
    CORRUPTS_INPUT: ClassVar[bool] = False

    def cost_sign(self, metric: str) -> int:
        """1 where less of a metric is better, -1 where more is: `sign * value` is a cost."""
        return 1 if self.METRIC_DIRECTIONS[metric] == "min" else -1

    def metric_bounds(self, metric: str) -> tuple[float, float]:
        """Between what a metric lies, whatever is predicted."""
        known = metrics.METRICS.get(metric)
        return (known.low, known.high) if known else (-math.inf, math.inf)

    @property
    @abstractmethod
    def loss_families(self) -> dict[str, str]:
        """The terms of this task's loss, each with the family of losses (`thalweg.core.losses`) that fits it."""

    @property
    def invalidating_changes(self) -> Change:
        """What the target depends on that an augmentation may change, so that it would be false afterwards."""
        return Change.NOTHING

    @property
    def allowed_augmentations(self) -> tuple[str, ...]:
        """The augmentations after which an image is still a true example of its target."""
        return augmentations.list_augmentations(self.invalidating_changes)

    @abstractmethod
    def find_data_faults(self, examples: Examples) -> list[str]:
        """What these examples lack to serve this task, in words; nothing if they do."""

    def find_data_warnings(self, examples: Examples) -> list[str]:  # noqa: ARG002
        """What a person should know of these examples, which serve this task but not wholly, in words."""
        return []

    @abstractmethod
    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:
        """What goes to the device with each image, [N, ...] by name: the raw labels that augmentations know."""

    def reconcile_labels(self, labels: Labels) -> Labels:
        """Labels of augmented copies, made to agree: a count is the number of objects that are still present."""
        if not {"count", "present"} <= labels.keys():
            return labels
        return labels | {"count": labels["present"].sum(-1).astype(np.float32)}

    def input_shape(self, spec: DataSpec) -> tuple[int, int, int]:
        """The shape (h, w, C) of what the network is given of one image."""
        return spec.image_shape

    def corrupt_images(self, keys: Array, images: Array) -> Array:  # noqa: ARG002
        """What is given to the network of images [B, H, W, C] in 0..1; each example has a key of its own [B].

        Where a task `OBSERVES`, the images themselves come among its labels, as `image`.
        """
        return images

    @abstractmethod
    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        """The shape of what the network gives for one example: (K,), or (h, w, K) for a map."""

    @abstractmethod
    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:
        """Labels (after augmentation) [B, ...] -> targets [B, ...]."""

    @abstractmethod
    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        """Outputs [B, *outputs] and targets -> what each term of the loss compares."""

    @abstractmethod
    def decode_outputs(self, outputs: Array) -> Array:
        """Outputs [B, *outputs] -> what is averaged over networks: counts [B], probabilities [B, K]."""

    def unmirror_predictions(self, predictions: Array, width: int) -> Array:  # noqa: ARG002
        """Predictions of mirror images `width` pixels wide, as they are of the images themselves."""
        return predictions

    @abstractmethod
    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        """Scalar metrics of N examples, each counted `weight` [N] times (0: not at all)."""

    def build_prediction_columns(self, predictions: NDArray[Any], classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Predictions as columns for a person: `prediction`, but of images, and what else is worth a column."""
        match self.OUTPUT_KIND:
            case "number":
                return {"prediction": predictions}
            case "class":
                return {"prediction": np.array(classes)[predictions.argmax(-1)], "confidence": predictions.max(-1)}
        return {}

    def list_true_values(self, examples: Examples) -> NDArray[Any]:
        """The true value of each example as a person would write it [N]."""
        match self.OUTPUT_KIND:
            case "number":
                return examples.labels["count"]
            case "class":
                names: NDArray[Any] = np.array(examples.classes)[examples.labels["label"]]
                return names
        return examples.images

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> Mapping[str, NDArray[Any]]:  # noqa: ARG002
        """Simple answers to compare with, each as predictions for what is `inputs` [N, h, w, C], in 0..1.

        The first is the trivial one. They may learn from `train`, as the network does.
        """
        return {}

    def draw_pictures(
        self,
        examples: Examples,
        inputs: NDArray[np.float32],  # noqa: ARG002
        predictions: NDArray[Any],  # noqa: ARG002
    ) -> list[NDArray[np.uint8]]:
        """For each of a few examples, a picture in which a person sees what was predicted."""
        return list(examples.images)

    def build_extra_columns(
        self,
        examples: Examples,  # noqa: ARG002
        inputs: NDArray[np.float32],  # noqa: ARG002
        predictions: NDArray[Any],  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        """What else is worth a column where the truth, and what the network was given, are known too."""
        return {}

    def render_images(self, predictions: NDArray[Any]) -> NDArray[np.uint8] | None:  # noqa: ARG002
        """Predictions as images [N, H, W, C], where they are images."""
        return None

    def build_object_columns(
        self, predictions: NDArray[Any], classes: tuple[str, ...]
    ) -> Mapping[str, NDArray[Any]] | None:  # noqa: ARG002
        """Each object that is predicted as a row of columns, where a task predicts any: the first is `example`, its
        place; of a box x0, y0, x1, y1 in pixels of the image that the network is given.
        """
        return None

    def compute_errors(self, predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
        """How wrong each prediction is [N], larger is worse; it orders the worst examples.

        Of a number the absolute error, of a class the negative log-probability of the true one, of an image the root of
        its mean squared error, as a share of the full range.
        """
        match self.OUTPUT_KIND:
            case "number":
                return np.abs(np.asarray(predictions, np.float64) - self.list_true_values(examples).astype(np.float64))
            case "class":
                likely = predictions[np.arange(len(predictions)), examples.labels["label"]].astype(np.float64)
                errors: NDArray[np.float64] = -np.log(np.maximum(likely, 1e-12))
                return errors
        return np.sqrt(mean_squared_errors(predictions, examples))


def mean_squared_errors(predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
    """The mean squared error of each image that is predicted [N], values in 0..1."""
    pairs = zip(predictions, examples.images, strict=True)
    return np.array([np.square(made.astype(np.float64) - true / 255).mean() for made, true in pairs])
