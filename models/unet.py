"""A small U-Net: images to images, of the same size or twice the size."""

import itertools

import jax.numpy as jnp
from flax import nnx
from jax import Array

from thalweg.core.layers import Conv, Dense

PIXEL_MEAN = 0.5  # of values in 0..1, about, before normalisation
PIXEL_STD = 0.25  # likewise


class Model(nnx.Module):
    """[B, h, w, C] -> [B, H, W, K] in `depth` levels, each half the size and twice the channels of the one before.

    Ronneberger et al., "U-Net", 2015, with changes. The first level, of `width` channels, has half the size of the
    output, and the last layer makes four pixels at each position (Shi et al. 2016): a level of full size would take
    longer than all others. The output is added to a linear map of the input, pixel by pixel.
    """

    def __init__(
        self,
        inputs: tuple[int, int, int],
        outputs: tuple[int, ...],
        *,
        width: int = 24,
        depth: int = 2,
        rngs: nnx.Rngs,
    ) -> None:
        same, twice = inputs[:2], (2 * inputs[0], 2 * inputs[1])
        if len(outputs) != 3 or outputs[:2] not in (same, twice):
            raise ValueError(f"a U-Net turns an image of {same} into one of {same} or {twice}, not {outputs[:2]}")
        self.outputs = outputs
        widths = [width * 2**level for level in range(depth)]
        first = Conv(inputs[2], width, stride=2 if outputs[:2] == same else 1, rngs=rngs)
        self.down = nnx.List([first, *(Conv(i, o, stride=2, rngs=rngs) for i, o in itertools.pairwise(widths))])
        self.middle = Conv(widths[-1], widths[-1], rngs=rngs)
        self.up = nnx.List([Conv(i, 4 * o, size=1, rngs=rngs) for o, i in itertools.pairwise(widths)][::-1])
        self.merge = nnx.List([Conv(2 * o, o, rngs=rngs) for o in widths[:-1]][::-1])
        change, linear = Conv(width, 4 * outputs[2], rngs=rngs), Dense(inputs[2], outputs[2], rngs=rngs)
        change.kernel[...] = jnp.zeros_like(change.kernel[...])
        linear.kernel[...] = jnp.eye(inputs[2], outputs[2]) * PIXEL_STD
        linear.bias[...] = jnp.full(outputs[2], PIXEL_MEAN)
        self.last = nnx.List([change, linear])

    def __call__(self, x: Array) -> Array:
        height, width, channels = self.outputs
        change, beside = self.last
        linear = beside(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], channels)
        if linear.shape[1] != height:
            linear = linear.repeat(2, axis=1).repeat(2, axis=2)
        skips = []
        for down in self.down:
            x = nnx.relu(down(x))
            skips.append(x)
        x = nnx.relu(self.middle(x))
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            larger = _pixel_shuffle(nnx.relu(up(x)))[:, : skip.shape[1], : skip.shape[2]]
            x = nnx.relu(merge(jnp.concatenate([larger, skip], -1)))
        enhanced: Array = linear + _pixel_shuffle(change(x))[:, :height, :width]
        return enhanced


def _pixel_shuffle(x: Array) -> Array:
    """Double the size: each position's channels become four pixels, [B, h, w, 4 K] -> [B, 2 h, 2 w, K]."""
    count, height, width, channels = x.shape
    blocks = x.reshape(count, height, width, 2, 2, channels // 4)
    return blocks.swapaxes(2, 3).reshape(count, 2 * height, 2 * width, channels // 4)
