"""Layers that are fast in a loop body on CPU, and the head that all models share."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

CONV_VARIANCE, DENSE_VARIANCE = 1.0, 1 / 3
"""Variance of initial weights, times fan-in: measured, see docs/params.md."""
MAX_CHANNELS = 2**31 - 1
MAX_PATCH_BYTES = 64 * 2**20
"""Of a layer's patches of one batch on an accelerator: more than its cache holds."""


class Conv(nnx.Module):
    """Convolution, [B, H, W, I] -> [B, ceil(H / stride), ceil(W / stride), O]; weights start with variance 1 / fan-in.

    It is shifted slices (patches) and one matrix product: XLA's own convolution inside `scan` or `map` runs 20 to 40
    times slower on CPU (jax#12868), and side by side for many lanes it is a slow grouped one on a GPU (jax#26568). Only
    a large layer on an accelerator is XLA's: one lane keeps the device busy, and its patches would fill the memory.
    """

    def __init__(
        self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1, dilation: int = 1, rngs: nnx.Rngs
    ) -> None:
        self.size, self.stride, self.dilation = size, stride, dilation
        self.kernel = nnx.Param(_draw_weights(rngs, CONV_VARIANCE, size * size * inputs, outputs))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Array) -> Array:
        patch_bytes = x.size * x.dtype.itemsize * self.size**2 // self.stride**2
        return (
            self._multiply_patches(x) if is_by_patches(jax.default_backend(), patch_bytes) else self._convolve_whole(x)
        )

    def _multiply_patches(self, x: Array) -> Array:
        reach = self.dilation * (self.size - 1)
        rows, columns = (-(-side // self.stride) for side in x.shape[1:3])
        padded = jnp.pad(x, ((0, 0), *[(reach // 2, reach - reach // 2)] * 2, (0, 0))) if reach else x
        starts = range(0, reach + 1, self.dilation)
        # rows first: fewer kernels forwards and backwards than a slice for each offset; compiles an eighth faster
        tall = [padded[:, i : i + (rows - 1) * self.stride + 1 : self.stride] for i in starts]
        slices = [band[:, :, j : j + (columns - 1) * self.stride + 1 : self.stride] for band in tall for j in starts]
        patches = jnp.concatenate(slices, -1) if len(slices) > 1 else slices[0]
        flat = patches.reshape(-1, patches.shape[-1]) @ self.kernel[...] + self.bias[...]
        return flat.reshape(len(x), rows, columns, -1)

    def _convolve_whole(self, x: Array) -> Array:
        reach = self.dilation * (self.size - 1)
        product = jax.lax.conv_general_dilated(
            x,
            self.kernel[...].reshape(self.size, self.size, x.shape[-1], -1),
            (self.stride, self.stride),
            [(reach // 2, reach - reach // 2)] * 2,
            rhs_dilation=(self.dilation, self.dilation),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return product + self.bias[...]


def is_by_patches(backend: str, patch_bytes: int) -> bool:
    """Return whether a convolution with so many bytes of patches is a matrix product of them, on a backend of JAX."""
    return backend == "cpu" or patch_bytes <= MAX_PATCH_BYTES


class Dense(nnx.Module):
    """[B, I] -> [B, O]; weights start with variance 1 / (3 fan-in), as in PyTorch."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(_draw_weights(rngs, DENSE_VARIANCE, inputs, outputs))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Array) -> Array:
        return x @ self.kernel[...] + self.bias[...]


class GroupNorm(nnx.Module):
    """Group normalisation (Wu and He 2018), without running state: each example alone, whatever the batch.

    Groups have 8 channels; channels that 8 does not divide are one group.
    """

    def __init__(self, channels: int) -> None:
        self.groups = channels // 8 if channels % 8 == 0 else 1
        self.scale, self.bias = nnx.Param(jnp.ones(channels)), nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Array) -> Array:
        grouped = x.reshape(len(x), -1, self.groups, x.shape[-1] // self.groups)
        mean = grouped.mean((1, 3), keepdims=True)
        spread = jnp.square(grouped - mean).mean((1, 3), keepdims=True)
        normal = (grouped - mean) * jnp.reciprocal(jnp.sqrt(spread + 1e-5))
        return normal.reshape(x.shape) * self.scale[...] + self.bias[...]


class Head(nnx.Module):
    """Features [B, h, w, C] -> [B, *outputs].

    A map takes one matrix, applied at every position. A vector takes one matrix over all positions, or with `pool`
    over their mean.
    """

    def __init__(
        self, features: tuple[int, int, int], outputs: tuple[int, ...], *, pool: bool = False, rngs: nnx.Rngs
    ) -> None:
        self.map, self.pool = len(outputs) == 3, pool
        positions = features[0] * features[1]
        self.last = Dense(features[2] * (1 if self.map or pool else positions), outputs[-1], rngs=rngs)

    def __call__(self, x: Array) -> Array:
        if self.map:
            return self.last(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)
        return self.last(x.mean((1, 2)) if self.pool else x.reshape(len(x), -1))


def _draw_weights(rngs: nnx.Rngs, variance: float, inputs: int, outputs: int) -> Array:
    """Draw uniform weights [I, O] with this variance, times I.

    Raises ValueError for a layer so large that JAX cannot count its weights, which it would say in words of its own.
    """
    if max(inputs, outputs) > MAX_CHANNELS:
        raise ValueError(f"a layer would have {inputs:,} inputs and {outputs:,} outputs; use a smaller network")
    draw = nnx.initializers.variance_scaling(variance, "fan_in", "uniform")
    return draw(rngs.params(), (inputs, outputs))


def compute_strides(inputs: tuple[int, int, int], outputs: tuple[int, ...], depth: int) -> tuple[int, ...]:
    """Choose the stride of each of `depth` layers: halve until the map's size is reached, or always for a vector.

    Raises ValueError if no number of halvings up to `depth` leads from the image to the map.
    """
    if len(outputs) == 1:
        return (2,) * depth
    for halvings in range(depth + 1):
        steps = (2,) * halvings + (1,) * (depth - halvings)
        if compute_output_size(inputs, steps) == outputs[:2]:
            return steps
    raise ValueError(f"{depth} layers cannot lead from an image of {inputs[:2]} to a map of {outputs[:2]}")


def compute_output_size(inputs: tuple[int, int, int], steps: tuple[int, ...]) -> tuple[int, int]:
    """Compute the height and width of an image after layers of these strides."""
    height, width, _ = inputs
    for stride in steps:
        height, width = -(-height // stride), -(-width // stride)
    return height, width
