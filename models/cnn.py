"""A plain convolutional network: convolutions, rectifiers, and a head."""

from flax import nnx
from jax import Array

from models.layers import Conv, Head, after, strides


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs] through `depth` 3 x 3 convolutions.

    Each halves the image (for a map: until the map's size is reached) and doubles the channels, from `width` on.
    """

    def __init__(
        self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, width: int = 16, depth: int = 3, rngs: nnx.Rngs
    ) -> None:
        layers, channels, wide = [], inputs[2], width
        steps = strides(inputs, outputs, depth)
        for index, stride in enumerate(steps):
            wide = width if index == 0 else wide * stride
            layers.append(Conv(channels, wide, stride=stride, rngs=rngs))
            channels = wide
        self.layers = nnx.List(layers)
        self.head = Head((*after(inputs, steps), channels), outputs, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        for layer in self.layers:
            x = nnx.relu(layer(x))
        return self.head(x)
