"""Patches of the photographs that scikit-image ships."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict

from thalweg.data.examples import DataSource, Examples, ReadResult

PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel", "hubble_deep_field",
    "immunohistochemistry", "moon", "page", "retina", "rocket", "stereo_motorcycle", "text",
)  # fmt: skip
"""Functions of `skimage.data` whose files are in the package; for others it would need the network."""
SHRINK = 2
"""Pixels of an original to each side of a pixel here: their mean has less of the camera's own noise."""
LUMA = 299, 587, 114
"""Thousandths of red, green and blue in a gray (ITU-R BT.601)."""

Pixels = Annotated[int, Field(ge=16, le=80)]  # the least side of a photograph is 86 pixels here


class Photos(DataSource):
    """Gray patches at random places of 17 photographs: people, animals, things, textures, writing, cells and stars.

    A group is a photograph, so that a network is judged on photographs that it has never seen. There are no labels.
    """

    kind: Literal["photos"] = "photos"
    patches: int = Field(40, ge=1, le=1000, description="number of patches of each photograph")
    size: Annotated[tuple[Pixels, Pixels], Strict(False)] = Field((48, 48), description="height and width in pixels")

    @classmethod
    def write_example(cls, folder: Path) -> Self:  # noqa: ARG003
        return cls(patches=3, size=(16, 24))

    def read_examples(self, path: Path, seed: int) -> ReadResult:
        """Cut every patch; `path` is not used."""
        outline = self.build_outline(path, seed)
        patches = [self._cut_patches(read_photograph(name), seed, index) for index, name in enumerate(PHOTOGRAPHS)]
        return ReadResult(replace(outline, images=np.concatenate(patches)[..., None]))

    def build_outline(self, path: Path, seed: int) -> Examples:  # noqa: ARG002
        count = len(PHOTOGRAPHS) * self.patches
        return Examples(
            images=np.broadcast_to(np.uint8(0), (count, *self.size, 1)),
            names=np.array([f"{name}-{number:03d}" for name in PHOTOGRAPHS for number in range(self.patches)]),
            groups=np.repeat(PHOTOGRAPHS, self.patches),
            split=np.full(count, ""),
            labels={},
        )

    def _cut_patches(self, photograph: NDArray[np.uint8], seed: int, index: int) -> NDArray[np.uint8]:
        """Cut patches [patches, H, W] at places that are random by the seed and the photograph's index."""
        rng = np.random.default_rng((seed, index))
        windows = np.lib.stride_tricks.sliding_window_view(photograph, self.size)
        rows, columns = (rng.integers(count, size=self.patches) for count in windows.shape[:2])
        return windows[rows, columns]


def read_photograph(name: str) -> NDArray[np.uint8]:
    """Read a photograph as grays [H, W] at a half of its size, rounded half up: in whole numbers, so exactly."""
    from skimage import data  # reads files, as few sources do

    pixels = getattr(data, name)()
    if isinstance(pixels, tuple):  # two cameras, and the distances
        pixels = pixels[0]
    gray = pixels.astype(np.int64) @ LUMA if pixels.ndim == 3 else pixels.astype(np.int64) * sum(LUMA)
    height, width = (side // SHRINK for side in gray.shape)
    blocks = gray[: height * SHRINK, : width * SHRINK].reshape(height, SHRINK, width, SHRINK).sum((1, 3))
    whole = SHRINK**2 * sum(LUMA)
    halved: NDArray[np.uint8] = ((blocks + whole // 2) // whole).astype(np.uint8)
    return halved
