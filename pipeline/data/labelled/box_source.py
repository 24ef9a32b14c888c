"""The base of sources that read boxes: one list of classes, and counts of the boxes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import ClassVar

from pydantic import Field

from thalweg.data.examples import Fault
from thalweg.data.labelled.file_index import FileIndex
from thalweg.data.labelled.image_source import ImageSource
from thalweg.data.labelled.label_files import Annotation, LabelFiles, LabelRow, drop_lone_split, drop_repeated_rows
from thalweg.schema.section import Strings
from thalweg.system.counts import format_count, join_first
from thalweg.system.files import UserError
from thalweg.system.fitting import Size


@dataclass(frozen=True)
class BoxFiles:
    """What a reader of boxes gathers, file by file: see `LabelFiles`. `left_out` are objects that it does not use."""

    index: FileIndex
    rows: list[LabelRow] = field(default_factory=list)
    boxes: dict[str, list[Annotation]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    sizes: dict[str, Size] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    images: set[str] = field(default_factory=set)

    def add_row(self, row: LabelRow) -> bool:
        """Add a row; return whether it is the first of its image. The objects of another row are not used."""
        is_first = row.image not in self.images
        self.rows.append(row)
        self.images.add(row.image)
        return is_first


def check_stems(paths: Iterable[str], suffix: str) -> None:
    """Raise `UserError` if images with these paths would share a file of boxes, as a.png and a.jpg do."""
    by_file: dict[str, list[str]] = {}
    for path in paths:
        by_file.setdefault(PurePosixPath(path).with_suffix(suffix).as_posix(), []).append(path)
    shared = [f"{file} ({', '.join(images)})" for file, images in by_file.items() if len(images) > 1]
    if shared:
        raise UserError(f"several images would share one {suffix} file; rename them: {join_first(shared)}")


class BoxSource(ImageSource):
    """Images with boxes. An image's count is the number of its boxes; an image without boxes is an example, too."""

    WRITTEN_PREDICTIONS: ClassVar[tuple[str, ...]] = ("objects",)
    only: Strings = Field((), description="classes to use; none: all. Boxes of others are left out")

    def build_box_labels(
        self, found: BoxFiles, classes: Sequence[str] | None, unlisted: str, *, has_shares: bool = False
    ) -> LabelFiles:
        """Build the label files from what was gathered; `classes` gives the order of the classes that boxes have.

        Raises `UserError` if `only` names a class that no box has.
        """
        rows, repeated = drop_repeated_rows(found.rows)
        kinds = {box.kind or "" for boxes in found.boxes.values() for box in boxes}
        if unknown := [name for name in self.only if name not in kinds]:
            has = join_first(sorted(kinds), 20) or "none"
            raise UserError(f"data.source.only: no box has the class {', '.join(unknown)}; the boxes have {has}")
        wanted = {*self.only} or kinds
        boxes = {
            image: [box for box in boxes if not self.only or box.kind in wanted] for image, boxes in found.boxes.items()
        }
        order = [name for name in dict.fromkeys(classes or sorted(wanted)) if name in wanted]
        return LabelFiles(
            index=found.index,
            rows=drop_lone_split(rows),
            annotations={"boxes": boxes},
            faults=found.faults,
            repeated=repeated,
            warnings=[*found.warnings, *_describe_unused_classes(classes or (), kinds)],
            listed=frozenset({row.image for row in found.rows} | {fault.name for fault in found.faults}),
            used=frozenset(found.used),
            unlisted=unlisted,
            classes=tuple(order),
            has_shares=has_shares,
            counts_objects=True,
            sizes=found.sizes,
        )


def _describe_unused_classes(classes: Sequence[str], kinds: set[str]) -> Iterator[str]:
    unused = [name for name in dict.fromkeys(classes) if name not in kinds]
    if unused:
        yield f"{format_count(len(unused), 'class', 'classes')} without a box, left out: {join_first(unused)}"
