"""Image processing without learning, by scikit-image: each filter is a function of one image [H, W, C] in 0..1."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.floating[Any]]
ImageFilter = Callable[[FloatImage], FloatImage]

# scikit-image is imported where it is used: every stage imports this file, but few use a filter


def build_filters(problem: str, *, kernel: NDArray[np.float64], brightness: float) -> dict[str, dict[str, ImageFilter]]:
    """Return the filters for a problem, each with its settings; the first does the least possible.

    `kernel` is the blur of the images along each axis, `brightness` the usual mean of an image.
    """
    unchanged: dict[str, dict[str, ImageFilter]] = {"the unchanged input": {"": keep_image}}
    match problem:
        case "denoise":
            strengths = (0.2, 0.4, 0.6, 0.8, 1.0)
            return unchanged | {
                "median": {f"{side} x {side}": partial(median_filter, side=side) for side in (3, 5)},
                "non-local means": {f"h = {by} sigma": partial(non_local_means, strength=by) for by in strengths},
            }
        case "deblur":
            rounds = (10, 20, 40, 80)
            return unchanged | {
                "Richardson-Lucy": {f"{n} rounds": partial(richardson_lucy, kernel=kernel, rounds=n) for n in rounds}
            }
        case "lighten":
            clips = (0.005, 0.01, 0.03)
            return unchanged | {
                "average brightness": {"": partial(match_brightness, brightness=brightness)},
                "histogram equalisation": {"": equalise_histogram},
                "adaptive equalisation": {f"clip {by}": partial(equalise_adaptively, clip=by) for by in clips},
            }
    return {"nearest pixel": {"": upscale_nearest}, "bicubic": {"": upscale_bicubic}}


def tune_filters(
    filters: Mapping[str, Mapping[str, ImageFilter]], inputs: FloatImage, targets: FloatImage
) -> dict[str, ImageFilter]:
    """Return each filter at the setting that comes nearest to `targets` [N, H, W, C] in decibels, and name it so."""
    tuned = {}
    for name, settings in filters.items():
        quality = {
            setting: np.log(np.square(apply_filter(image_filter, inputs) - targets).mean((1, 2, 3)) + 1e-10).mean()
            for setting, image_filter in (settings.items() if len(settings) > 1 else ())
        }
        best = min(quality, key=lambda setting: quality[setting]) if quality else next(iter(settings))
        tuned[f"{name}, {best}" if best else name] = settings[best]
    return tuned


def apply_filter(image_filter: ImageFilter, images: FloatImage) -> NDArray[np.float32]:
    """Apply a filter to images [N, H, W, C] and clip the results to 0..1."""
    return np.stack([np.clip(image_filter(image), 0.0, 1.0) for image in images]).astype(np.float32)


def keep_image(image: FloatImage) -> FloatImage:
    return image


def median_filter(image: FloatImage, *, side: int) -> FloatImage:
    """Return the median of side x side pixels, each channel by itself."""
    from skimage.filters import median as of_neighbours

    return np.asarray(of_neighbours(image, np.ones((side, side, 1)), mode="nearest"))


def non_local_means(image: FloatImage, *, strength: float) -> FloatImage:
    """Return each pixel as the mean of pixels with similar surroundings (Buades et al. 2005), at h = strength * sigma.

    Sigma is estimated from the image itself: the median of the finest diagonal details, by Haar's wavelet (Donoho and
    Johnstone 1994).
    """
    from skimage.restoration import denoise_nl_means

    height, width = (side - side % 2 for side in image.shape[:2])
    whole = image[:height, :width]
    detail = (whole[::2, ::2] - whole[::2, 1::2] - whole[1::2, ::2] + whole[1::2, 1::2]) / 2
    sigma = float(np.median(np.abs(detail)) / 0.6745)
    if not sigma:
        return image
    clean = denoise_nl_means(image, patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, channel_axis=-1)
    return np.asarray(clean).reshape(image.shape)  # it drops a single channel


def richardson_lucy(image: FloatImage, *, kernel: NDArray[np.float64], rounds: int) -> FloatImage:
    """Return the likeliest image under Poisson noise, by `rounds` iterations; `kernel` has blurred it along both axes.

    Richardson 1972, Lucy 1974. The edge continues beyond the image, as when it was blurred.
    """
    from skimage.restoration import richardson_lucy as rounds_of

    reach = len(kernel)
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    spread = np.outer(kernel, kernel)[:, :, None]
    sharp = rounds_of(padded.astype(np.float64), spread, num_iter=rounds, filter_epsilon=1e-6)
    return np.asarray(sharp)[reach:-reach, reach:-reach]


def match_brightness(image: FloatImage, *, brightness: float) -> FloatImage:
    """Scale the image to the usual mean brightness."""
    mean = float(image.mean())
    return image * (brightness / mean) if mean else image


def equalise_histogram(image: FloatImage) -> FloatImage:
    """Replace values by their rank, so that all are equally frequent; channels together, to keep hues."""
    from skimage.exposure import equalize_hist

    return np.asarray(equalize_hist(image.ravel())).reshape(image.shape)


def equalise_adaptively(image: FloatImage, *, clip: float) -> FloatImage:
    """Equalise parts of the image with limited contrast (Pizer et al. 1987, Zuiderveld 1994)."""
    from skimage.exposure import equalize_adapthist

    gray = image.shape[-1] == 1
    equal = np.asarray(equalize_adapthist(image[..., 0] if gray else image, clip_limit=clip))
    return equal[..., None] if gray else equal


def upscale_nearest(image: FloatImage) -> FloatImage:
    """Double the size, each pixel four times."""
    return image.repeat(2, axis=0).repeat(2, axis=1)


def upscale_bicubic(image: FloatImage) -> FloatImage:
    """Double the size by cubic interpolation."""
    from skimage.transform import resize

    height, width, channels = image.shape
    return np.asarray(resize(image, (2 * height, 2 * width, channels), order=3, mode="edge", anti_aliasing=False))
