"""What the label files of a data set say, before an image is read."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from thalweg.data.examples import Fault
from thalweg.data.labelled.file_index import FileIndex
from thalweg.system.fitting import Size

SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What is known of one image: its location (`labels.csv:12`) and its cells: image, count, label, group, split."""

    where: str
    cells: dict[str, str]

    @property
    def image(self) -> str:
        return self.cells["image"]

    def fault(self, reason: str) -> Fault:
        return Fault(self.cells.get("image", ""), self.where, reason)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A point (x, y) or a box (x0, y0, x1, y1): its location, its coordinates in the file, its class."""

    where: str
    coordinates: tuple[float, ...]
    kind: str | None = None


Annotations = dict[str, dict[str, list[Annotation]]]
"""By 'points' or 'boxes', for each that the data set knows, then by image."""


@dataclass(frozen=True)
class LabelFiles:
    """The label files of a data set: a row for each image, sorted by image, and the objects in the images.

    `faults` exclude their images, `repeated` do not. `listed` are all images that the files name, `used` the files
    below the index's folder that are no images and were read. `unlisted` says what an image lacks that has no row.
    `classes` is the order of the classes; None sorts those in use. With `has_shares` coordinates are shares of the
    image's sides; with `counts_objects` an image's count is the number of its objects. `sizes` are the sizes (H, W) of
    images that the labels were made for, where they say so.
    """

    index: FileIndex
    rows: list[LabelRow]
    annotations: Annotations = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    repeated: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    listed: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    unlisted: str = "no row in labels.csv"
    classes: tuple[str, ...] | None = None
    has_shares: bool = False
    counts_objects: bool = False
    sizes: dict[str, Size] = field(default_factory=dict)


def drop_repeated_rows(rows: Iterable[LabelRow]) -> tuple[list[LabelRow], list[Fault]]:
    """Return the first row of each image, sorted by image, and a fault for each other row."""
    first: dict[str, LabelRow] = {}
    faults = []
    for row in rows:
        if not row.image:
            faults.append(row.fault("`image` is empty"))
        elif row.image in first:
            faults.append(row.fault(f"this image already has a row at {first[row.image].where}"))
        else:
            first[row.image] = row
    return [first[name] for name in sorted(first)], faults


def drop_faulty_rows(rows: Iterable[LabelRow], faults: Iterable[Fault]) -> list[LabelRow]:
    """Return the rows of the images that have no fault."""
    failed = {fault.name for fault in faults}
    return [row for row in rows if row.image not in failed]


def drop_lone_split(rows: list[LabelRow]) -> list[LabelRow]:
    """Return the rows without the mark `train` if each of them has it: it says nothing."""
    if {row.cells.get("split", "") for row in rows} != {"train"}:
        return rows
    return [LabelRow(row.where, {**row.cells, "split": ""}) for row in rows]


def find_box_fault(x0: float, y0: float, x1: float, y1: float) -> str:
    """Say that a box has no area; '' if it has one."""
    is_flat = x1 <= x0 or y1 <= y0
    return f"the box has no area: x from {x0:g} to {x1:g}, y from {y0:g} to {y1:g}" if is_flat else ""


def is_number(text: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False
