"""Restoration of images that are noisy, blurred, dark or small, learned from images alone."""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from pydantic import Field

from thalweg.core import metrics
from thalweg.core import rng as streams
from thalweg.core.augmentations import Change, draw_approximate_normal
from thalweg.core.ssim import apply_separable, gaussian_kernel
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.tasks import Task, mean_squared_errors
from thalweg.tasks.enhance import classical_filters

NOISE_STD = {"denoise": 0.1, "deblur": 0.01, "lighten": 0.02, "upscale": 0.0}
"""Default standard deviation of each problem's noise, as a share of the full range."""
MIN_SIDE_PIXELS = 8  # of an image
TUNING_IMAGES = 32  # training images on which the settings of filters are chosen


class Enhance(Task):
    """Each image is made worse as `problem` says, anew whenever it is trained on; the network learns to undo it."""

    kind: Literal["enhance"] = "enhance"
    problem: Literal["denoise", "deblur", "lighten", "upscale"] = Field(
        "denoise", description="the input of the network: a noisy, blurred, dark, or half as large image"
    )
    noise: float | None = Field(None, ge=0.0, le=1.0, description="its standard deviation; null: the problem's default")
    blur: float = Field(1.5, gt=0.0, le=10.0, description="deblur: standard deviation of the Gaussian, in pixels")
    gamma: float = Field(1.5, gt=0.0, le=10.0, description="lighten: the exponent applied to values")
    gain: float = Field(0.2, gt=0.0, le=1.0, description="lighten: images keep this share of light, or up to twice it")

    OUTPUT_KIND: ClassVar[Literal["number", "class", "image"]] = "image"
    PICTURE_CAPTION: ClassVar[str] = "each as input, prediction and truth"
    CORRUPTS_INPUT: ClassVar[bool] = True
    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions("psnr", "ssim")

    @property
    def loss_families(self) -> dict[str, str]:
        return {"image": "regression", "structure": "image"}

    @property
    def invalidating_changes(self) -> Change:
        # added noise would become part of the target; with random light, the network could not know the true light
        return Change.DETAIL | Change.LIGHT if self.problem == "lighten" else Change.DETAIL

    def find_data_faults(self, examples: Examples) -> list[str]:
        height, width = examples.images.shape[1:3]
        if min(height, width) < MIN_SIDE_PIXELS:
            return [f"images of {height} x {width} pixels are too small: each side needs at least {MIN_SIDE_PIXELS}"]
        if self.problem == "upscale" and (height % 2 or width % 2):
            return [f"problem `upscale` needs images with even sides, but they have {height} x {width} pixels"]
        return []

    def select_labels(self, examples: Examples) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        return {}

    def input_shape(self, spec: DataSpec) -> tuple[int, int, int]:
        height, width, channels = spec.image_shape
        return (height // 2, width // 2, channels) if self.problem == "upscale" else spec.image_shape

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:
        return spec.image_shape

    def corrupt_images(self, keys: Array, images: Array) -> Array:
        """Make images [B, H, W, C] in 0..1 worse and round them to 256 levels, as a file does; `keys` [B]."""
        worse = images
        if self.problem == "deblur":
            worse = apply_separable(images, *(_build_blur_matrix(side, self.blur_kernel) for side in images.shape[1:3]))
        elif self.problem == "lighten":
            light = self.gain * (1.0 + jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, 1)))(keys))
            worse = jnp.minimum(light, 1.0)[:, None, None, None] * images**self.gamma
        elif self.problem == "upscale":
            tall = (images[:, ::2] + images[:, 1::2]) / 2
            worse = (tall[:, :, ::2] + tall[:, :, 1::2]) / 2
        level = NOISE_STD[self.problem] if self.noise is None else self.noise
        if level:
            worse += level * jax.vmap(lambda key: draw_approximate_normal(key, worse.shape[1:]))(keys)
        return jnp.round(jnp.clip(worse, 0.0, 1.0) * 255) / 255

    @property
    def blur_kernel(self) -> NDArray[np.float64]:
        """The kernel along each axis [2 reach + 1], to three standard deviations."""
        return gaussian_kernel(self.blur, int(np.ceil(3 * self.blur)))

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:  # noqa: ARG002
        return {"image": labels["image"]}

    def build_loss_terms(self, outputs: Array, targets: Tree) -> dict[str, Term]:
        return dict.fromkeys(self.loss_families, Term(outputs, targets["image"]))

    def decode_outputs(self, outputs: Array) -> Array:
        return jnp.clip(outputs, 0.0, 1.0)

    def unmirror_predictions(self, predictions: Array, width: int) -> Array:  # noqa: ARG002
        return predictions[:, :, ::-1]

    def compute_metrics(self, predictions: Array, targets: Tree, weight: Array) -> Tree:
        return metrics.compute_metrics(self.METRIC_DIRECTIONS, predictions, targets["image"], weight)

    def compute_references(self, train: Examples, inputs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return classical filters; the settings of a filter are the best on images of `train`."""
        rows = np.unique(np.linspace(0, len(train) - 1, TUNING_IMAGES).astype(int))
        clean = train.images[rows].astype(np.float32) / 255
        keys = jax.random.split(streams.derive_key(0, "references"), len(rows))
        worse = np.asarray(jax.jit(self.corrupt_images)(keys, jnp.asarray(clean)))
        filters = classical_filters.build_filters(self.problem, kernel=self.blur_kernel, brightness=float(clean.mean()))
        chosen = classical_filters.tune_filters(filters, worse, clean)
        return {name: classical_filters.apply_filter(image_filter, inputs) for name, image_filter in chosen.items()}

    def build_extra_columns(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """Return the peak signal-to-noise ratio of each prediction [N] and of its input, in dB."""
        return {
            "psnr": _image_psnr(predictions, examples),
            "given_psnr": _image_psnr(self._resize_input(inputs), examples),
        }

    def draw_pictures(
        self, examples: Examples, inputs: NDArray[np.float32], predictions: NDArray[Any]
    ) -> list[NDArray[np.uint8]]:
        """Draw input, prediction and truth side by side."""
        before, after = self.render_images(self._resize_input(inputs)), self.render_images(predictions)
        gap = np.full((len(examples), examples.images.shape[1], 2, examples.images.shape[3]), 255, np.uint8)
        return list(np.concatenate([before, gap, after, gap, examples.images], axis=2))

    def render_images(self, predictions: NDArray[Any]) -> NDArray[np.uint8]:
        pixels: NDArray[np.uint8] = np.round(np.clip(predictions, 0.0, 1.0) * 255).astype(np.uint8)
        return pixels

    def _resize_input(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return inputs at the size of the truth."""
        if self.problem != "upscale":
            return inputs
        return classical_filters.apply_filter(classical_filters.upscale_nearest, inputs)


def _build_blur_matrix(side: int, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the blur of a row of pixels as a matrix [side, side]; its last pixels continue beyond its ends."""
    reach = len(kernel) // 2
    matrix = np.zeros((side, side))
    for offset, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        matrix[np.arange(side), np.clip(np.arange(side) + offset, 0, side - 1)] += weight
    return matrix


def _image_psnr(predictions: NDArray[Any], examples: Examples) -> NDArray[np.float64]:
    min_error = 10 ** (-metrics.MAX_PSNR_DB / 10)
    decibels: NDArray[np.float64] = -10 * np.log10(np.maximum(mean_squared_errors(predictions, examples), min_error))
    return decibels
