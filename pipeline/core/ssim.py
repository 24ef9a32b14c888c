"""Structural similarity of images, and the separable filters behind it."""

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

WINDOW_SIDE = 11  # pixels, of the Gaussian window; as in the source
WINDOW_STD = 1.5  # pixels; as in the source
LIGHT_STABILIZER = 0.01**2  # the source's C1 for values in 0..1: keeps the comparison of light finite near 0
CONTRAST_STABILIZER = 0.03**2  # the source's C2: the same for contrast


def ssim(image: Array, other: Array) -> Array:
    """Compute the structural similarity of images in 0..1, 1 if equal: [B, H, W, C], [B, H, W, C] -> [B].

    Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004, equation 13, for each
    channel separately, averaged over all positions of the window within the image. A smaller image has a smaller
    window.
    """
    products = jnp.stack([image, other, image * image, other * other, image * other])
    a, b, aa, bb, ab = apply_separable(products, _build_windows(image.shape[1]), _build_windows(image.shape[2]))
    light = (2 * a * b + LIGHT_STABILIZER) / (a * a + b * b + LIGHT_STABILIZER)
    # far from 0..1, rounding can make a difference of squares negative
    variances = jnp.maximum(aa - a * a, 0.0) + jnp.maximum(bb - b * b, 0.0)
    contrast = (2 * (ab - a * b) + CONTRAST_STABILIZER) / (variances + CONTRAST_STABILIZER)
    similarity: Array = (light * contrast).reshape(len(image), -1).mean(1)
    return similarity


def apply_separable(images: Array, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Array:
    """Apply linear maps to rows [y, H] and to columns [x, W] of images [..., H, W, C]: [..., y, x, C].

    It multiplies matrices: in a loop body on CPU a window's sum or a convolution is slow.
    """
    down, across = (jnp.asarray(weights, images.dtype) for weights in (rows, columns))
    return jnp.einsum("yh,...hwc,xw->...yxc", down, images, across, precision="highest")


def gaussian_kernel(std: float, radius: int) -> NDArray[np.float64]:
    """Build a Gaussian of standard deviation `std` pixels that sums to 1 [2 radius + 1]."""
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / std) ** 2)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _build_windows(side: int) -> NDArray[np.float64]:
    """Build the window at each position where it fits into a row of pixels [positions, side]."""
    size = min(WINDOW_SIDE, side - 1 + side % 2)
    weights, positions = gaussian_kernel(WINDOW_STD, size // 2), side - size + 1
    return np.stack([np.pad(weights, (position, positions - 1 - position)) for position in range(positions)])
