"""A small pre-activation residual network (He et al. 2016, Identity Mappings in Deep Residual Networks)."""

import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.layers import Conv, Head, after, strides


class Block(nnx.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))), the shortcut a 1 x 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.norms = nnx.List([Norm(inputs), Norm(outputs)])
        self.convs = nnx.List([Conv(inputs, outputs, stride=stride, rngs=rngs), Conv(outputs, outputs, rngs=rngs)])
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else Conv(inputs, outputs, size=1, stride=stride, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        start = nnx.relu(self.norms[0](x))
        inner = self.convs[1](nnx.relu(self.norms[1](self.convs[0](start))))
        return inner + (x if self.shortcut is None else self.shortcut(start))


class Norm(nnx.Module):
    """Group normalisation (Wu and He 2018) in groups of up to 8 channels: no running state, the same at any batch."""

    def __init__(self, channels: int) -> None:
        self.groups = max(1, channels // 8)
        self.scale, self.bias = nnx.Param(jnp.ones(channels)), nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Array) -> Array:
        grouped = x.reshape(len(x), -1, self.groups, x.shape[-1] // self.groups)
        mean = grouped.mean((1, 3), keepdims=True)
        spread = jnp.square(grouped - mean).mean((1, 3), keepdims=True)
        normal = (grouped - mean) * jnp.reciprocal(jnp.sqrt(spread + 1e-5))
        return normal.reshape(x.shape) * self.scale[...] + self.bias[...]


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs] through a stem and `depth` stages of `blocks` blocks, channels doubling."""

    def __init__(
        self,
        inputs: tuple[int, int, int],
        outputs: tuple[int, ...],
        *,
        width: int = 16,
        depth: int = 3,
        blocks: int = 1,
        rngs: nnx.Rngs,
    ) -> None:
        steps = strides(inputs, outputs, depth)
        first, *others = steps
        self.stem = Conv(inputs[2], width, stride=first, rngs=rngs)
        stages, channels = [], width
        for stride in (1, *others):
            wide = channels * stride
            for block in range(blocks):
                stages.append(Block(channels, wide, stride if block == 0 else 1, rngs=rngs))
                channels = wide
        self.stages = nnx.List(stages)
        self.norm = Norm(channels)
        self.head = Head((*after(inputs, steps), channels), outputs, pool=True, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        x = self.stem(x)
        for block in self.stages:
            x = block(x)
        return self.head(nnx.relu(self.norm(x)))
