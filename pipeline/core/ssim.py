"""How alike two images look: structural similarity."""

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

WINDOW_SIDE = 11
WINDOW_STD = 1.5
"""The Gaussian window, as in the source: its side and its standard deviation, in pixels."""
STABILIZERS = 0.01**2, 0.03**2
"""What keeps the comparisons of light and of contrast steady where both are near 0, for values in 0..1."""


def ssim(image: Array, other: Array) -> Array:
    """Structural similarity of images in 0..1, 1 where they are the same: [B, H, W, C], [B, H, W, C] -> [B].

    Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004, equation 13: each
    channel by itself, averaged over the places where the window lies within the image. An image that is smaller than
    the window has a smaller one.
    """
    parts = jnp.stack([image, other, image * image, other * other, image * other])
    a, b, aa, bb, ab = apply_separable(parts, _build_windows(image.shape[1]), _build_windows(image.shape[2]))
    light = (2 * a * b + STABILIZERS[0]) / (a * a + b * b + STABILIZERS[0])
    # far from 0..1 a difference of squares is rounded to below 0
    spread = jnp.maximum(aa - a * a, 0.0) + jnp.maximum(bb - b * b, 0.0)
    shape = (2 * (ab - a * b) + STABILIZERS[1]) / (spread + STABILIZERS[1])
    alike: Array = (light * shape).reshape(len(image), -1).mean(1)
    return alike


def apply_separable(images: Array, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Array:
    """A linear map of rows [y, H] and of columns [x, W] over images [..., H, W, C]: [..., y, x, C].

    As matrix products: in a loop body on CPU a window's sum or a convolution is slow.
    """
    down, across = (jnp.asarray(weights, images.dtype) for weights in (rows, columns))
    return jnp.einsum("yh,...hwc,xw->...yxc", down, images, across, precision="highest")


def gaussian_kernel(std: float, radius: int) -> NDArray[np.float64]:
    """A Gaussian of standard deviation `std`, in pixels, up to `radius` to each side; its sum is 1 [2 reach + 1]."""
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / std) ** 2)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _build_windows(side: int) -> NDArray[np.float64]:
    """The window at each place where it lies within a row of pixels [places, side]."""
    size = min(WINDOW_SIDE, side - 1 + side % 2)
    weights, places = gaussian_kernel(WINDOW_STD, size // 2), side - size + 1
    return np.stack([np.pad(weights, (place, places - 1 - place)) for place in range(places)])
