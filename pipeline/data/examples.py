"""What every data source gives and every later stage reads."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thalweg.schema.section import StrictModel

Labels = dict[str, NDArray[np.generic]]
"""What is known of each example, by name. A source gives those that it has:

- `count` float32 [N]: how many people;
- `label` int32 [N]: index into `Examples.classes`;
- `points` float32 [N, P, 2]: x, y of each object in pixels of `images`, 0 <= x <= W, 0 <= y <= H
  (the left edge of the first pixel is 0, its centre 0.5), padded to the most objects in any image;
- `boxes` float32 [N, P, 4]: x0, y0, x1, y1 in the same pixels;
- `kinds` int32 [N, P]: what each object is, index into `Examples.classes`;
- `present` bool [N, P]: which of the P slots hold an object (needed wherever points or boxes are given).
"""
ARRAYS = ("images", "names", "groups", "split")
"""What `Examples` has of each example, beside its labels."""


@dataclass(frozen=True)
class Examples:
    """N examples in memory, images all of one size.

    `images` uint8 [N, H, W, C]; `names` and `groups` str [N] (a group's examples are never split apart where a split
    is by group; without groups each example is its own); `split` str [N], one of '', 'train', 'validation', 'test',
    '' where the source does not say; `classes` the names that `label` or `kinds` index.
    """

    images: NDArray[np.uint8]
    names: NDArray[np.str_]
    groups: NDArray[np.str_]
    split: NDArray[np.str_]
    labels: Labels
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def take_rows(self, rows: NDArray[np.generic]) -> "Examples":
        """The examples at `rows` (indices or a mask), in that order."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in ARRAYS}
        return replace(self, **arrays, labels={name: values[rows] for name, values in self.labels.items()})


@dataclass(frozen=True)
class Fault:
    """An example that cannot be used: its name, where it stands (`labels.csv:12`), and why."""

    name: str
    where: str
    reason: str


@dataclass(frozen=True)
class ReadResult:
    """What a source found: the good examples, the bad ones, and what else a person should know."""

    examples: Examples
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


class DataSource(StrictModel):
    """A data source: its options in params.yaml and how to read it. Subclasses set `kind` to their file's name."""

    kind: str

    #: what is read from `data.path`, in words; nothing where a source draws its examples
    REQUIRED_FILES: ClassVar[str] = ""

    def find_missing_file(self, path: Path) -> str:  # noqa: ARG002
        """The name of a file that is not under `path` and without which nothing can be read; '' where there is none."""
        return ""

    @classmethod
    @abstractmethod
    def write_example(cls, folder: Path) -> Self:
        """Write a few examples, without a fault, into an empty folder, and return the source that reads them."""

    @abstractmethod
    def read_examples(self, path: Path, seed: int) -> ReadResult:
        """Every example under `path`; `seed` is for sources that draw their examples.

        Raises `thalweg.system.files.UserError` where nothing can be read at all.
        """

    def build_outline(self, seed: int) -> Examples | None:  # noqa: ARG002
        """The examples as far as they are known before anything is read: without pixels, each label 1.

        None at all, and no labels, where only the images' shape is known; None where not even that is.
        """
        return None
