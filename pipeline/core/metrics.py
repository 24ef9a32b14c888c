"""Metrics over N examples, each counted `weight` times: scalars by which trials are compared.

`weight` [N] >= 0; an example of weight 0 is padding and may hold anything, NaN too. If all weights are 0 the result is
NaN. A new metric is one function and its line in `FAMILIES`; a task that uses it names it. A user's own metric is a
`Metric` at a dotted path, and its name is the last part of the path.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core.own_functions import Protocol, check_function, require_floats
from thalweg.core.ssim import ssim as structural_similarity
from thalweg.core.types import Tree
from thalweg.system.members import MemberError, import_member, is_dotted

CALIBRATION_BINS = 15  # of equal width, for `calibration_error`, as in its source
MAX_PSNR_DB = 100.0  # a perfect image counts so: the mean over images must stay finite


@dataclass(frozen=True)
class Metric:
    """A metric's better direction, its name in words, its bounds for any prediction, and its function.

    Without a `label` the words are those of its name. `function` takes prediction [N, ...], truth [N, ...] and weight
    [N] and returns a scalar; a task must measure a metric without one itself. The bounds for images assume values in
    0..1.
    """

    direction: Literal["min", "max", "zero"]
    label: str = ""
    low: float = -math.inf
    high: float = math.inf
    function: Callable[[Array, Array, Array], Array] | None = None


def mae(prediction: Array, truth: Array, weight: Array) -> Array:
    """Mean absolute error, in the truth's unit: [N], [N], [N] -> scalar."""
    return _weighted_mean(jnp.abs(prediction - truth), weight)


def rmse(prediction: Array, truth: Array, weight: Array) -> Array:
    """Root of the mean squared error, in the truth's unit: [N], [N], [N] -> scalar."""
    return jnp.sqrt(_weighted_mean((prediction - truth) ** 2, weight))


def bias(prediction: Array, truth: Array, weight: Array) -> Array:
    """Mean of prediction - truth, in the truth's unit; above 0: predictions too high: [N], [N], [N] -> scalar."""
    return _weighted_mean(prediction - truth, weight)


def exact(prediction: Array, truth: Array, weight: Array) -> Array:
    """Share of predictions that are right after rounding, halves up: [N], [N] whole numbers, [N] -> scalar."""
    below = jnp.floor(prediction)
    return _weighted_mean(below + (prediction - below >= 0.5) == truth, weight)


def accuracy(probabilities: Array, label: Array, weight: Array) -> Array:
    """Share of examples whose likeliest class is the label: [N, K], int [N], [N] -> scalar."""
    return _weighted_mean(probabilities.argmax(-1) == label, weight)


def log_loss(probabilities: Array, label: Array, weight: Array) -> Array:
    """Mean of -log(probability of the label), at least 1e-12, in nats: [N, K], int [N], [N] -> scalar."""
    likely = jnp.take_along_axis(probabilities, label[:, None], axis=-1, mode="clip")[:, 0]
    return _weighted_mean(-jnp.log(jnp.maximum(likely, 1e-12)), weight)


def calibration_error(probabilities: Array, label: Array, weight: Array) -> Array:
    """Expected calibration error, the mean |accuracy - confidence| over bins: [N, K], int [N], [N] -> scalar.

    Confidence is the likeliest class's probability, in M `CALIBRATION_BINS` (i/M, (i+1)/M]; each bin counts by its
    weight. Guo et al., "On calibration of modern neural networks", 2017, equation 3.
    """
    confidence = probabilities.max(-1)
    gap = jnp.where(weight > 0, (probabilities.argmax(-1) == label) - confidence, 0.0) * weight
    edges = jnp.arange(1, CALIBRATION_BINS, dtype=confidence.dtype) / CALIBRATION_BINS
    of_bin = jax.nn.one_hot(jnp.searchsorted(edges, confidence), CALIBRATION_BINS, dtype=gap.dtype)
    return jnp.abs((gap[:, None] * of_bin).sum(0)).sum() / weight.sum()


def psnr(image: Array, truth: Array, weight: Array) -> Array:
    """Peak signal-to-noise ratio, -10 log10 of the mean squared error of values in 0..1, in dB: mean over images.

    [N, H, W, C], [N, H, W, C], [N] -> scalar. A perfect image counts as `MAX_PSNR_DB`.
    """
    error = jnp.square(image - truth).reshape(len(image), -1).mean(1)
    return _weighted_mean(-10.0 * jnp.log10(jnp.maximum(error, 10.0 ** (-MAX_PSNR_DB / 10))), weight)


def ssim(image: Array, truth: Array, weight: Array) -> Array:
    """Structural similarity (`thalweg.core.ssim`): mean over images, [N, H, W, C] twice, [N] -> scalar."""
    return _weighted_mean(structural_similarity(image, truth), weight)


FAMILIES: dict[str, dict[str, Metric]] = {
    "regression": {
        "mae": Metric("min", "mean absolute error", low=0.0, function=mae),
        "rmse": Metric("min", "root mean square error", low=0.0, function=rmse),
        "bias": Metric("zero", "bias", function=bias),
        "exact": Metric("max", "share exactly right", low=0.0, high=1.0, function=exact),
    },
    "classification": {
        "accuracy": Metric("max", "accuracy", low=0.0, high=1.0, function=accuracy),
        "log_loss": Metric("min", "log loss", low=0.0, function=log_loss),
        "calibration_error": Metric("min", "calibration error", low=0.0, high=1.0, function=calibration_error),
    },
    "image": {
        "psnr": Metric("max", "peak signal-to-noise ratio", low=0.0, high=MAX_PSNR_DB, function=psnr),
        "ssim": Metric("max", "structural similarity", low=-1.0, high=1.0, function=ssim),
    },
    "detection": {
        "ap50": Metric("max", "average precision at 0.5", low=0.0, high=1.0),
        "ap": Metric("max", "average precision at 0.5 to 0.95", low=0.0, high=1.0),
        "precision": Metric("max", "precision", low=0.0, high=1.0),
        "recall": Metric("max", "recall", low=0.0, high=1.0),
    },
}
"""Metrics by kind of output. The detection metrics share most of their work, so the task measures them together."""
METRICS = {name: metric for family in FAMILIES.values() for name, metric in family.items()}

TAKEN_NAMES = (
    *("trial", "seed", "fold", "epoch", "first_loss", "train_loss", "train_spread", "val_loss", "learning_rate"),
    *("number", "state", "value", "epochs", "diverged_step", "pruned_at", "audit", "same_as"),
    *("answer", "diverged", "ended", "first", "rank", "role"),
)
"""Columns beside the metrics: of the learning curves, of the trials, and of what is computed from these."""


def _check_value(value: Any, *_inputs: Any) -> Array:
    number: Array = require_floats(value, ((),), "one number").astype(jnp.float32)
    return number


OWN = Protocol("a metric", ("prediction", "truth", "weight"), _check_value)


def find_own_metric(path: str) -> Metric:
    """Import the user's metric at a dotted path. Raises `MemberError`."""
    if not is_dotted(path):
        raise MemberError(path, "is no dotted path of an own metric, such as `my_metrics.worst`")
    metric = import_member(path)
    if not isinstance(metric, Metric) or metric.function is None:
        raise MemberError(path, f"must be a `{Metric.__module__}.Metric` with a function")
    if metric.direction not in ("min", "max", "zero"):
        raise MemberError(path, f"has the direction {metric.direction!r}; it must be min, max or zero")
    if not isinstance(metric.label, str):
        raise MemberError(path, f"has the label {metric.label!r}; it must be text")
    bounds: tuple[Any, Any] = (metric.low, metric.high)
    if not all(isinstance(bound, int | float) for bound in bounds) or not metric.low < metric.high:
        raise MemberError(path, f"has the bounds {bounds[0]!r} and {bounds[1]!r}; `low` must be below `high`")
    if fault := find_name_fault(name_own_metric(path), METRICS):
        raise MemberError(path, fault)
    return replace(metric, function=check_function(path, metric.function, OWN))


def find_name_fault(name: str, others: Iterable[str] = ()) -> str:
    """Return why a metric beside `others` cannot have a name, as the end of a sentence; '' if it can."""
    owner = "another metric" if name in others else "a column of our tables" if name in TAKEN_NAMES else ""
    return f"has the name of {owner}, `{name}`; give it another one" if owner else ""


def name_own_metric(path: str) -> str:
    """Return the name of an own metric in tables and in params.yaml: the last part of its dotted path."""
    return path.rpartition(".")[2]


def list_directions(*names: str) -> dict[str, str]:
    """List each metric's better direction."""
    return {name: METRICS[name].direction for name in names}


def compute_metrics(names: Iterable[str], prediction: Array, truth: Array, weight: Array) -> Tree:
    """Measure several metrics of the same predictions: scalars by name."""
    functions = {name: METRICS[name].function for name in names}
    return {name: function(prediction, truth, weight) for name, function in functions.items() if function}


def _weighted_mean(values: Array, weight: Array) -> Array:
    return jnp.where(weight > 0, values * weight, 0.0).sum() / weight.sum()
