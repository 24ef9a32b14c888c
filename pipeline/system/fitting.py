"""How an image of any size becomes one of a given size, and where its coordinates go."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Fit = Literal["stretch", "crop", "letterbox"]
"""Stretch both sides; cut the longer side off at both ends; or leave bars beside the shorter one."""
Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class Placement:
    """The part `source` of an original fills the part `target` of the resized image; both are x0, y0, x1, y1."""

    source: tuple[float, float, float, float]
    target: tuple[int, int, int, int]

    @property
    def target_size(self) -> Size:
        x0, y0, x1, y1 = self.target
        return y1 - y0, x1 - x0

    def convert_to_resized(self, coordinates: NDArray[Any]) -> NDArray[Any]:
        """Convert x, y pairs [..., 2 k] from pixels of the original to pixels of the resized image."""
        (source, source_sides), (target, target_sides) = self._list_parts(coordinates.shape[-1] // 2)
        return (coordinates - source) / source_sides * target_sides + target

    def convert_to_original(self, coordinates: NDArray[Any]) -> NDArray[Any]:
        """Convert x, y pairs [..., 2 k] from pixels of the resized image to pixels of the original."""
        (source, source_sides), (target, target_sides) = self._list_parts(coordinates.shape[-1] // 2)
        return (coordinates - target) * source_sides / target_sides + source

    def _list_parts(self, pairs: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return the corner and the sides of each part, repeated for so many pairs."""
        parts = (np.array(part, np.float64) for part in (self.source, self.target))
        return [(np.tile(part[:2], pairs), np.tile(part[2:] - part[:2], pairs)) for part in parts]


def place_image(original: Size, size: Size, fit: Fit) -> Placement:
    """Place an image of size `original` in one of `size`, in the middle.

    A crop keeps the largest part of the same shape. A letterbox keeps all, as large as it can be in whole pixels.
    """
    (full_height, full_width), (height, width) = original, size
    if fit == "crop":
        scale = min(full_height / height, full_width / width)
        left, top = (full_width - width * scale) / 2, (full_height - height * scale) / 2
        left, top = max(left, 0.0), max(top, 0.0)  # rounding may take either below
        return Placement((left, top, full_width - left, full_height - top), (0, 0, width, height))
    whole = (0.0, 0.0, float(full_width), float(full_height))
    if fit == "letterbox":
        scale = min(height / full_height, width / full_width)
        inner_height, inner_width = (max(1, round(side * scale)) for side in original)
        x0, y0 = (width - inner_width) // 2, (height - inner_height) // 2
        return Placement(whole, (x0, y0, x0 + inner_width, y0 + inner_height))
    return Placement(whole, (0, 0, width, height))
