"""A folder of images with a CSV of labels and, where they are known, the places of the objects in them.

images/…      any usual format, depth and size; or anywhere below the folder itself
labels.csv    image,count or image,label; group and split (train, validation, test) beside them where wanted
points.csv    image,x,y                   where there are points: in pixels of the upright image as it was given
boxes.csv     image,x0,y0,x1,y1[,kind]    where there are boxes: in the same pixels
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict

from thalweg.data.examples import DataSource, Examples, Fault, Labels, ReadResult
from thalweg.data.sources.folder.label_tables import (
    Annotation,
    Annotations,
    LabelRow,
    drop_repeated_rows,
    find_count_faults,
    find_label_faults,
    read_annotations,
    read_table,
)
from thalweg.system import files

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
LABEL_COLUMNS = {"image", "count", "label", "group", "split"}

SidePixels = Annotated[int, Field(ge=1, le=4096)]
Placed = dict[str, dict[str, NDArray[np.float32]]]
"""Coordinates [P, 2 or 4] by table and image, in pixels of the resized images."""


class Folder(DataSource):
    """Images that someone labelled. `image` in the tables is the file's path below the images' folder, with /.

    Without a `count` column an image's count is the number of its points. Where there are points and boxes, the i-th
    point and the i-th box of an image are one object. Of two rows for one image the first is used, the second is bad.
    The classes are the labels of the good examples, or without labels the kinds of their boxes: sorted, integers by
    value.
    """

    kind: Literal["folder"] = "folder"
    REQUIRED_FILES: ClassVar[str] = "labels.csv and the images"
    size: Annotated[tuple[SidePixels, SidePixels], Strict(False)] = Field(description="height and width after resizing")
    channels: Literal[1, 3] = Field(3, description="1: gray; 3: red, green, blue")
    images: str = Field("images", description="folder of the images below the path; if there is none, the path itself")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        for name in "abc":
            files.write_image(folder / "images" / f"{name}.png", np.full((7, 9, 3), (20, 60, 90), np.uint8))
        files.write_text(folder / "labels.csv", "image,count,group\na.png,2,x\nb.png,0,x\nc.png,1,y\n")
        files.write_text(folder / "points.csv", "image,x,y\na.png,1,1\na.png,9,7\nc.png,4.5,3\n")
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        return "" if files.path_exists(path / "labels.csv") else "labels.csv"

    def read_examples(self, path: Path, seed: int) -> ReadResult:  # noqa: ARG002
        bad: list[Fault] = []
        file = path / "labels.csv"
        if self.find_missing_file(path):
            raise files.UserError(f"{file}: there is no such file; it must have columns image,count or image,label")
        header, table = read_table(file, ("image",), bad)
        if not table and not bad:
            raise files.UserError(f"{file}: has no rows below its header")
        labelled = {row.image for row in table} | {fault.name for fault in bad}
        things = read_annotations(path, labelled, bad)
        if not ({"count", "label"} & {*header} or things):
            raise files.UserError(
                f"{file}:1: needs a column `count` or `label`, or a points.csv or boxes.csv beside it; "
                + ". ".join([f"its columns are {', '.join(header)}", *(fault.reason for fault in bad)])
            )
        rows, repeated = drop_repeated_rows(table)
        for row in rows:
            bad += find_label_faults(row)
        bad += find_count_faults(_drop_faulty(rows, bad), things)

        root = path / self.images if files.path_exists(path / self.images) else path
        listed = files.list_files(root)
        images, originals = self._read_images(root, listed, rows, bad)
        placed, moved = _place_annotations(rows, things, originals, self.size, bad)
        good = _drop_faulty(rows, bad)
        where = {row.image: index for index, row in enumerate(rows)}
        labels, classes = _build_labels(good, things, placed)
        names = [row.image for row in good]
        examples = Examples(
            images=images[[where[name] for name in names]],
            names=np.array(names, np.str_),
            groups=np.array([row.cells.get("group", row.image) for row in good], np.str_),
            split=np.array([row.cells.get("split", "") for row in good], np.str_),
            labels=labels,
            classes=classes,
        )
        unlabelled = [file for file in listed if file.lower().endswith(IMAGE_SUFFIXES) and file not in labelled]
        warnings = _warnings(root, sorted({*header} - LABEL_COLUMNS), unlabelled, things, moved)
        return ReadResult(examples, tuple(sorted([*bad, *repeated], key=_parse_location)), tuple(warnings))

    def build_outline(self, seed: int) -> Examples:  # noqa: ARG002
        none = np.zeros(0, np.str_)
        return Examples(np.zeros((0, *self.size, self.channels), np.uint8), none, none, none, {})

    def _read_images(
        self, root: Path, listed: list[str], rows: list[LabelRow], bad: list[Fault]
    ) -> tuple[NDArray[np.uint8], dict[str, tuple[int, int]]]:
        """Pixels [N, H, W, C] in the order of `rows`, and the own height and width of each image that can be read."""
        pixels = np.zeros((len(rows), *self.size, self.channels), np.uint8)
        originals = {}
        there = {*listed}
        by_name = {Path(file).name: file for file in listed}
        for index, row in enumerate(rows):
            if row.image not in there:
                near = by_name.get(Path(row.image).name)
                hint = f"; is it {near}?" if near else ""
                bad.append(row.fault(f"no such file below {root.name or root}/{hint}"))
                continue
            file = root / row.image
            try:
                pixels[index], originals[row.image] = files.read_pixels(file, self.size, self.channels)
            except files.UserError as error:
                bad.append(row.fault(str(error).removeprefix(f"{file}: ")))
        return pixels, originals


def _drop_faulty(rows: list[LabelRow], faults: list[Fault]) -> list[LabelRow]:
    failed = {fault.name for fault in faults}
    return [row for row in rows if row.image not in failed]


def _place_annotations(
    rows: list[LabelRow],
    annotations: Annotations,
    originals: dict[str, tuple[int, int]],
    size: tuple[int, int],
    faults: list[Fault],
) -> tuple[Placed, dict[str, list[Annotation]]]:
    """Coordinates, moved into their frame and scaled with it, and what was moved; boxes without area go to `faults`."""
    placed: Placed = {name: {} for name in annotations}
    moved: dict[str, list[Annotation]] = {name: [] for name in annotations}
    for name, of_image in annotations.items():
        axes = 2 if name == "boxes" else 1
        for row in rows:
            if row.image not in originals:
                continue
            frame = np.tile(np.array(originals[row.image][::-1], np.float64), axes)
            given = np.array([thing.coordinates for thing in of_image.get(row.image, ())], np.float64).reshape(
                -1, 2 * axes
            )
            inside = np.clip(given, 0, frame)
            moved[name] += [of_image[row.image][i] for i in np.flatnonzero((inside != given).any(1))]
            scaled = (inside / frame * np.tile(size[::-1], axes)).astype(np.float32)
            placed[name][row.image] = scaled
            if axes == 2:
                for i in np.flatnonzero((scaled[:, 2:] <= scaled[:, :2]).any(1)):
                    reason = f"the box has no area inside its frame of {frame[0]:g} x {frame[1]:g} pixels"
                    faults.append(Fault(row.image, of_image[row.image][i].where, reason))
    return placed, moved


def _build_labels(rows: list[LabelRow], annotations: Annotations, placed: Placed) -> tuple[Labels, tuple[str, ...]]:
    """The labels of `rows`, without a fault, and the classes they index."""
    labelled = bool(rows) and "label" in rows[0].cells
    boxes = {} if labelled else annotations.get("boxes", {})  # an image's classes and its objects' are not one list
    kinds = [[thing.kind for thing in boxes.get(row.image, ()) if thing.kind] for row in rows]
    found = {row.cells["label"] for row in rows} if labelled else set[str]().union(*kinds)
    numbers = all(name.isascii() and name.removeprefix("-").isdigit() for name in found)
    classes = tuple(sorted(found, key=lambda name: (int(name) if numbers else 0, name)))
    index = {name: number for number, name in enumerate(classes)}

    labels: Labels = {}
    if labelled:
        labels["label"] = np.array([index[row.cells["label"]] for row in rows], np.int32)
    if rows and "count" in rows[0].cells:
        labels["count"] = np.array([float(row.cells["count"]) for row in rows], np.float32)
    elif "points" in annotations:
        labels["count"] = np.array([len(placed["points"][row.image]) for row in rows], np.float32)
    for name, of_image in placed.items():
        lists = [of_image[row.image] for row in rows]
        labels[name] = _pad_lists(lists, (4 if name == "boxes" else 2,), np.float32)
        labels["present"] = _pad_lists([np.ones(len(one), bool) for one in lists], (), bool)
    if any(kinds):
        labels["kinds"] = _pad_lists([[index[kind] for kind in one] for one in kinds], (), np.int32)
    return labels, classes


def _pad_lists(lists: Sequence[Any], shape: tuple[int, ...], dtype: type[Any]) -> NDArray[Any]:
    """Lists of different lengths as one array [N, P, *shape], zero where there is nothing; P is at least 1."""
    array = np.zeros((len(lists), max([1, *map(len, lists)]), *shape), dtype)
    for row, one in zip(array, lists, strict=True):
        row[: len(one)] = one
    return array


def _parse_location(fault: Fault) -> tuple[str, int]:
    file, line = fault.where.rsplit(":", 1)
    return file, int(line)


def _warnings(
    root: Path, unused: list[str], unlabelled: list[str], things: Annotations, moved: dict[str, list[Annotation]]
) -> Iterator[str]:
    """What is worth knowing of tables and images that are not wrong."""
    if unused:
        yield f"labels.csv: columns that nothing uses: {', '.join(unused)}"
    if unlabelled:
        number = len(unlabelled)
        yield f"{number} images below {root.name or root}/ have no row in labels.csv: {_join_first(unlabelled)}"
    for name, outside in moved.items():
        total, places = sum(map(len, things[name].values())), _join_first([thing.where for thing in outside])
        if outside:
            yield f"{len(outside)} of {total} {name} reach past their frame and were moved to its edge: {places}"
    for name, of_image in things.items():
        repeated = []
        for those in of_image.values():
            first = {(thing.coordinates, thing.kind): thing for thing in reversed(those)}
            repeated += [thing.where for thing in those if thing is not first[thing.coordinates, thing.kind]]
        if repeated:
            yield f"{len(repeated)} {name} repeat another of the same image and were kept: {_join_first(repeated)}"


def _join_first(items: Sequence[str], limit: int = 5) -> str:
    return ", ".join(items[:limit]) + (", …" if len(items) > limit else "")
