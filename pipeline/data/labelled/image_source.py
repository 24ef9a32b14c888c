"""The base of sources that read image files: one size for all images, and one way to labels."""

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, Strict

from thalweg.data.examples import DataSource, Examples, Fault, ReadResult
from thalweg.data.labelled.build import build_labelled_outline, build_result
from thalweg.data.labelled.image_files import read_images
from thalweg.data.labelled.label_files import LabelFiles
from thalweg.system import files, images
from thalweg.system.fitting import Fit

SidePixels = Annotated[int, Field(ge=1, le=4096)]


class ImageSource(DataSource):
    """Images of any size, and label files. A subclass reads the label files; all else is the same for each."""

    size: Annotated[tuple[SidePixels, SidePixels], Strict(False)] = Field(description="height and width after resizing")
    channels: Literal[1, 3] = Field(3, description="1: gray; 3: red, green, blue")
    fit: Fit = Field("stretch", description="how an image of another shape gets this size")

    @abstractmethod
    def read_labels(self, path: Path) -> LabelFiles:
        """Read all label files. Raises `UserError` where there is nothing to read."""

    @property
    def image_fit(self) -> Fit:
        return self.fit

    def read_examples(self, path: Path, seed: int) -> ReadResult:  # noqa: ARG002
        labels, faults = self.read_labels(path), list[Fault]()
        read = read_images(labels, self.size, self.channels, self.fit, faults)
        return build_result(path, labels, read, self.fit, faults)

    def read_sample(self, path: Path, seed: int, count: int) -> int:  # noqa: ARG002
        labels = self.read_labels(path)
        named = [row.image for row in labels.rows if labels.index.has_file(row.image)][:count]
        paths = [labels.index.root / name for name in named]
        return len(list(images.read_images(paths, self.size, self.channels, fit=self.fit)))

    def build_outline(self, path: Path, seed: int) -> Examples:  # noqa: ARG002
        try:
            return build_labelled_outline(self.read_labels(path), (*self.size, self.channels))
        except files.UserError:  # `read_examples` says it
            none = np.array([], np.str_)
            return Examples(np.zeros((0, *self.size, self.channels), np.uint8), none, none, none, {})
