"""A plain convolutional network: convolutions, rectifiers, and a head."""

from flax import nnx
from jax import Array

from thalweg.core.layers import Conv, Head, compute_output_size, compute_strides


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs] in `depth` stages of `repeat` 3 x 3 convolutions.

    Each stage halves the image (for a map, only down to the map's size) and doubles the channels, which begin at
    `width`. `norm` puts batch normalisation (Ioffe and Szegedy 2015) before each rectifier.
    """

    def __init__(
        self,
        inputs: tuple[int, int, int],
        outputs: tuple[int, ...],
        *,
        width: int = 16,
        depth: int = 3,
        repeat: int = 1,
        norm: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        steps = compute_strides(inputs, outputs, depth)
        layers, norms, channels, stage_width = [], [], inputs[2], width
        for stage, stride in enumerate(steps):
            stage_width = stage_width * stride if stage else width
            for position in range(repeat):
                layers.append(Conv(channels, stage_width, stride=1 if position else stride, rngs=rngs))
                norms.append(nnx.BatchNorm(stage_width, momentum=0.9, rngs=rngs) if norm else None)
                channels = stage_width
        self.layers, self.norms = nnx.List(layers), nnx.List(norms)
        self.head = Head((*compute_output_size(inputs, steps), channels), outputs, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = layer(x)
            x = nnx.relu(x if norm is None else norm(x))
        return self.head(x)
