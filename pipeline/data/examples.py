"""Examples, and the interface of the data sources that read them."""
# ruff: noqa: ARG002, ARG003 (defaults of an interface ignore their arguments)

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thalweg.data.predictions import PredictedImage
from thalweg.schema.section import StrictModel
from thalweg.system.files import UserError
from thalweg.system.fitting import Fit
from thalweg.system.images import ValueRange

Labels = dict[str, NDArray[np.generic]]
"""The labels of each example, by name. A source returns some of these:

- `count` float32 [N]: the number of people;
- `label` int32 [N]: index into `Examples.classes`;
- `points` float32 [N, P, 2]: x, y of each object in pixels of `images`, 0 <= x <= W, 0 <= y <= H
  (the left edge of the first pixel is 0, its centre 0.5), padded to the most objects in any image;
- `boxes` float32 [N, P, 4]: x0, y0, x1, y1 in the same pixels;
- `kinds` int32 [N, P]: the class of each object, index into `Examples.classes`;
- `present` bool [N, P]: which of the P slots hold an object (needed wherever points or boxes are given).
"""
LABEL_TYPES: dict[str, tuple[tuple[int, ...], type[Any]]] = {
    "count": ((), np.float32),
    "label": ((), np.int32),
    "points": ((1, 2), np.float32),
    "boxes": ((1, 4), np.float32),
    "kinds": ((1,), np.int32),
    "present": ((1,), np.bool_),
}
"""The shape of each label in one example that has one object, and its type."""
ARRAYS = ("images", "names", "groups", "split")
"""The arrays of `Examples` with one entry an example, beside its labels."""


@dataclass(frozen=True)
class Examples:
    """N examples in memory, images all of one size.

    `images` uint8 [N, H, W, C]; `names` and `groups` str [N] (a split by group never separates a group's examples;
    without groups each example is its own group); `split` str [N], one of '', 'train', 'validation', 'test', '' where
    the source does not say; `classes` the names that `label` or `kinds` index; `value_range` the values of black and
    white in originals of more than 8 bits, None if there are none.
    """

    images: NDArray[np.uint8]
    names: NDArray[np.str_]
    groups: NDArray[np.str_]
    split: NDArray[np.str_]
    labels: Labels
    classes: tuple[str, ...] = ()
    value_range: ValueRange | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take_rows(self, rows: NDArray[np.generic]) -> "Examples":
        """Return the examples at `rows` (indices or a mask), in that order."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in ARRAYS}
        return replace(self, **arrays, labels={name: values[rows] for name, values in self.labels.items()})

    def drop_images(self) -> "Examples":
        """Return the examples with images of no size."""
        return replace(self, images=self.images[:, :0])


def concatenate_examples(parts: Sequence[Examples]) -> Examples:
    """Concatenate sets of examples of the same source."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    labels = {name: np.concatenate([part.labels[name] for part in parts]) for name in parts[0].labels}
    return replace(parts[0], **arrays, labels=labels)


@dataclass(frozen=True)
class Fault:
    """An example that cannot be used: its name, its location (`labels.csv:12`), and the reason."""

    name: str
    where: str
    reason: str


@dataclass(frozen=True)
class ReadResult:
    """The result of reading a source: good examples, faults, and warnings for a person."""

    examples: Examples
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


class DataSource(StrictModel):
    """A data source: where images and labels come from.

    Its fields are options in params.yaml. Subclasses set `kind` to their file's name.
    """

    kind: str

    #: the files read from `data.path`, in words; empty where a source draws its examples
    REQUIRED_FILES: ClassVar[str] = ""
    #: what `encode_predictions` can write: some of 'label', 'count' and 'objects'
    WRITTEN_PREDICTIONS: ClassVar[tuple[str, ...]] = ()

    @property
    def image_fit(self) -> Fit:
        """How images of another shape get the size of the examples."""
        return "stretch"

    def find_missing_file(self, path: Path) -> str:
        """Return the name of a required file that is missing under `path`; '' where there is none."""
        return ""

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        """Write a few examples without a fault into an empty folder; return the source that reads them.

        The tests of all our sources need it; an own source can do without.
        """
        raise UserError(f"{cls.__name__} writes no examples into {folder}")

    @abstractmethod
    def read_examples(self, path: Path, seed: int) -> ReadResult:
        """Read every example under `path`; `seed` is for sources that draw their examples.

        Raises `thalweg.system.files.UserError` where nothing can be read at all.
        """

    def read_sample(self, path: Path, seed: int, count: int) -> int:
        """Read at most `count` examples, for the time that it takes, and return their number; 0 if reading is quick."""
        return 0

    def build_outline(self, path: Path, seed: int) -> Examples | None:
        """Return the examples as far as they are known before images are read: without pixels, each label 1.

        They may have examples that `read_examples` leaves out. They are empty and have no labels where only the shape
        of images is known. None where even that is unknown.
        """
        return None

    @classmethod
    def check_predicted_names(cls, paths: Sequence[str], classes: Sequence[str]) -> None:
        """Raise `UserError` if the format cannot hold predictions of images with these paths, or these classes."""

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, bytes | Path]:
        """Return predictions as files of this format, by path: their content, or a file to copy.

        Beside the images, `read_examples` reads them. `check_predicted_names` has allowed the names.
        """
        return {}


def build_blank_labels(names: Iterable[str], count: int) -> Labels:
    """Build labels of `count` examples with one object each, every value 1."""
    types = {name: LABEL_TYPES[name] for name in names}
    return {name: np.broadcast_to(np.ones((), dtype), (count, *shape)) for name, (shape, dtype) in types.items()}
