"""The handwritten digits that scikit-learn ships: 8 x 8 pixels in 17 grays.

They are the test set of Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998.
"""

from pathlib import Path
from typing import Literal, Self

import numpy as np

from thalweg.data.examples import DataSource, Examples, ReadResult, build_blank_labels

COUNT = 1797
SIDE = 8  # pixels
WHITE = 16  # the largest value of a pixel
CLASSES = tuple(map(str, range(10)))


class Digits(DataSource):
    """1,797 digits with their labels, in the order of scikit-learn. Who wrote which digit is not known."""

    kind: Literal["digits"] = "digits"

    @classmethod
    def write_example(cls, folder: Path) -> Self:  # noqa: ARG003
        return cls()

    def read_examples(self, path: Path, seed: int) -> ReadResult:
        """Read every digit; neither `path` nor `seed` is used."""
        from sklearn.datasets import load_digits  # takes a second, and no other source needs it

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / WHITE)).astype(np.uint8)[..., None]
        outline = self.build_outline(path, seed)
        labels = {"label": digits.target.astype(np.int32)}
        return ReadResult(Examples(pixels, outline.names, outline.groups, outline.split, labels, CLASSES))

    def build_outline(self, path: Path, seed: int) -> Examples:  # noqa: ARG002
        names = np.array([f"digit-{index:04d}" for index in range(COUNT)])
        images = np.broadcast_to(np.uint8(0), (COUNT, SIDE, SIDE, 1))
        return Examples(images, names, names, np.full(COUNT, ""), build_blank_labels(["label"], COUNT), CLASSES)
