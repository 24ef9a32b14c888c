"""A small pre-activation residual network (He et al. 2016, Identity Mappings in Deep Residual Networks)."""

from flax import nnx
from jax import Array

from thalweg.core.layers import Conv, GroupNorm, Head, compute_output_size, compute_strides


class ResidualBlock(nnx.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))): two 3 x 3 convolutions that keep the shape."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs) -> None:
        self.norms = nnx.List([GroupNorm(channels) for _ in range(2)])
        self.convs = nnx.List([Conv(channels, channels, rngs=rngs) for _ in range(2)])

    def __call__(self, x: Array) -> Array:
        inner = x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            inner = conv(nnx.relu(norm(inner)))
        return x + inner


class Downsampling(nnx.Module):
    """conv(relu(norm(x))) between stages: it changes the channels and mostly halves the size."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.norm = GroupNorm(inputs)
        self.conv = Conv(inputs, outputs, stride=stride, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        return self.conv(nnx.relu(self.norm(x)))


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs] in stages, each half the size and twice the channels of the one before.

    `blocks` are the residual blocks of each stage. For a map, the size is halved only down to the map's size.
    """

    def __init__(
        self,
        inputs: tuple[int, int, int],
        outputs: tuple[int, ...],
        *,
        width: int = 16,
        blocks: tuple[int, ...] = (1, 1, 1),
        rngs: nnx.Rngs,
    ) -> None:
        steps = compute_strides(inputs, outputs, len(blocks))
        layers: list[nnx.Module] = [Conv(inputs[2], width, stride=steps[0], rngs=rngs)]
        channels = width
        for stage, (stride, number) in enumerate(zip(steps, blocks, strict=True)):
            if stage:
                layers.append(Downsampling(channels, channels * stride, stride, rngs=rngs))
                channels *= stride
            layers += [ResidualBlock(channels, rngs=rngs) for _ in range(number)]
        self.layers = nnx.List(layers)
        self.norm = GroupNorm(channels)
        self.head = Head((*compute_output_size(inputs, steps), channels), outputs, pool=True, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer(x)
        return self.head(nnx.relu(self.norm(x)))
