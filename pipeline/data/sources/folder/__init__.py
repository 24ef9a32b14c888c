"""A folder of images with a CSV of labels, and tables of points and boxes where these are known.

images/…      any usual format, depth and size; without this folder, anywhere below the folder itself
labels.csv    image,count or image,label; optional columns: group, split (train, validation, test)
points.csv    image,x,y                   optional: in pixels of the upright image before resizing
boxes.csv     image,x0,y0,x1,y1[,kind]    optional: in the same pixels; `class` is another name of `kind`
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict

from thalweg.data.examples import DataSource, Examples, Fault, Labels, ReadResult, build_blank_labels
from thalweg.data.sources.folder import label_tables
from thalweg.data.sources.folder.image_files import read_images
from thalweg.data.sources.folder.label_tables import Annotation, Annotations, LabelRow
from thalweg.system import data_files, files
from thalweg.system.counts import format_count, join_first
from thalweg.system.images import is_image_name, write_image
from thalweg.system.images import read_images as read_files

SidePixels = Annotated[int, Field(ge=1, le=4096)]
Placed = dict[str, dict[str, NDArray[np.float32]]]
"""Coordinates [P, 2 or 4] by table and image, in pixels of the resized images."""


class Folder(DataSource):
    """Images that someone labelled. `image` in the tables is the file's path below the images' folder, with /.

    Without a `count` column an image's count is the number of its points. Where there are points and boxes, the i-th
    point and the i-th box of an image are one object. Only the first row of an image is used; each other is a fault.
    The classes are the labels of the good examples, or without labels the kinds of their boxes: sorted, numbers by
    value.
    """

    kind: Literal["folder"] = "folder"
    REQUIRED_FILES: ClassVar[str] = "labels.csv and the images"
    size: Annotated[tuple[SidePixels, SidePixels], Strict(False)] = Field(description="height and width after resizing")
    channels: Literal[1, 3] = Field(3, description="1: gray; 3: red, green, blue")
    images: str = Field("images", description="folder of the images below the path; if it is missing, the path itself")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        for name in "abc":
            write_image(folder / "images" / f"{name}.png", np.full((7, 9, 3), (20, 60, 90), np.uint8))
        files.write_text(folder / "labels.csv", "image,count,group\na.png,2,x\nb.png,0,x\nc.png,1,y\n")
        files.write_text(folder / "points.csv", "image,x,y\na.png,1,1\na.png,9,7\nc.png,4.5,3\n")
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        return "" if files.path_exists(path / "labels.csv") else "labels.csv"

    def read_examples(self, path: Path, seed: int) -> ReadResult:  # noqa: ARG002
        faults: list[Fault] = []
        file = path / "labels.csv"
        if self.find_missing_file(path):
            raise files.UserError(f"{file}: no such file; it needs the columns image,count or image,label")
        header, all_rows = label_tables.read_table(file, ("image",), faults)
        if not all_rows and not faults:
            raise files.UserError(f"{file}: there are no rows below the header")
        labelled = {row.image for row in all_rows} | {fault.name for fault in faults}
        warnings = label_tables.describe_unused_columns(file.name, header, label_tables.LABEL_COLUMNS)
        annotations = label_tables.read_annotations(path, labelled, faults, warnings)
        if not ({"count", "label"} & {*header} or annotations):
            raise files.UserError(
                f"{file}:1: add a column `count` or `label`, or a points.csv or boxes.csv beside this file. "
                + ". ".join([f"The columns are {', '.join(header)}", *(fault.reason for fault in faults)])
            )
        rows, repeated = label_tables.drop_repeated_rows(all_rows)
        for row in rows:
            faults += label_tables.find_label_faults(row)
        faults += label_tables.find_count_faults(_drop_faulty(rows, faults), annotations)

        root = self._find_root(path)
        all_files = files.list_files(root)
        name_faults = data_files.find_name_faults(all_files)
        warnings += name_faults.values()
        files_below = [file for file in all_files if file not in name_faults]
        images = read_images(root, files_below, rows, self.size, self.channels, faults)
        placed, moved = _place_annotations(rows, annotations, images.original_sizes, self.size, faults)
        good_rows = _drop_faulty(rows, faults)
        row_indices = {row.image: index for index, row in enumerate(rows)}
        labels, classes = _build_labels(good_rows, annotations, placed)
        names = [row.image for row in good_rows]
        examples = Examples(
            images=_keep_rows(images.pixels, [row_indices[name] for name in names]),
            names=np.array(names, np.str_),
            groups=np.array([row.cells.get("group", row.image) for row in good_rows], np.str_),
            split=np.array([row.cells.get("split", "") for row in good_rows], np.str_),
            labels=labels,
            classes=classes,
            value_range=images.value_range,
        )
        warnings += _describe_annotations(annotations, moved)
        warnings += _describe_unused_files(path, root, files_below, labelled)
        faults = sorted([*faults, *repeated], key=_parse_location)
        return ReadResult(examples, tuple(faults), (*images.warnings, *warnings))

    def read_sample(self, path: Path, seed: int, count: int) -> int:
        root, names = self._find_root(path), self.build_outline(path, seed).names[:count]
        return len(list(read_files((root / name for name in names), self.size, self.channels)))

    def _find_root(self, path: Path) -> Path:
        """Return the folder that images are named from."""
        return path / self.images if files.path_exists(path / self.images) else path

    def build_outline(self, path: Path, seed: int) -> Examples:  # noqa: ARG002
        try:
            header, rows = label_tables.read_table(path / "labels.csv", ("image",), [])
        except files.UserError:  # `read_examples` says it
            header, rows = [], []
        rows = label_tables.drop_repeated_rows(rows)[0]
        objects = [name for name in label_tables.OBJECT_COLUMNS if files.path_exists(path / f"{name}.csv")]
        names = {*({"count", "label"} & {*header}), *objects, *(["present"] if objects else [])}
        names |= {"count"} if "points" in objects else set()
        names |= {"kinds"} if "boxes" in objects and "label" not in header else set()
        return Examples(
            images=np.broadcast_to(np.uint8(0), (len(rows), *self.size, self.channels)),
            names=np.array([row.image for row in rows], np.str_),
            groups=np.array([row.cells.get("group", row.image) for row in rows], np.str_),
            split=np.array([row.cells.get("split", "") for row in rows], np.str_),
            labels=build_blank_labels(names, len(rows)) if rows else {},
            classes=tuple(sorted({row.cells["label"] for row in rows if "label" in row.cells})),
        )


def _keep_rows(pixels: NDArray[np.uint8], kept: list[int]) -> NDArray[np.uint8]:
    """Move the images `kept`, in rising order, to the front and return them: there is one copy of all pixels."""
    for row, index in enumerate(kept):
        if row != index:
            pixels[row] = pixels[index]
    return pixels[: len(kept)]


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
    """Clip coordinates to their image and resize them; return them and what was moved. Flat boxes go to `faults`."""
    placed: Placed = {name: {} for name in annotations}
    moved: dict[str, list[Annotation]] = {name: [] for name in annotations}
    for name, by_image in annotations.items():
        axes = 2 if name == "boxes" else 1
        for row in rows:
            if row.image not in originals:
                continue
            image_size = np.tile(np.array(originals[row.image][::-1], np.float64), axes)
            items = [item.coordinates for item in by_image.get(row.image, ())]
            coordinates = np.array(items, np.float64).reshape(-1, 2 * axes)
            clipped = np.clip(coordinates, 0, image_size)
            moved[name] += [by_image[row.image][i] for i in np.flatnonzero((clipped != coordinates).any(1))]
            scaled = (clipped / image_size * np.tile(size[::-1], axes)).astype(np.float32)
            placed[name][row.image] = scaled
            if axes == 2:
                for i in np.flatnonzero((scaled[:, 2:] <= scaled[:, :2]).any(1)):
                    reason = f"the box has no area inside its image of {image_size[0]:g} x {image_size[1]:g} pixels"
                    faults.append(Fault(row.image, by_image[row.image][i].where, reason))
    return placed, moved


def _build_labels(rows: list[LabelRow], annotations: Annotations, placed: Placed) -> tuple[Labels, tuple[str, ...]]:
    """Return the labels of `rows`, which have no faults, and the classes that they index."""
    labelled = bool(rows) and "label" in rows[0].cells
    boxes = {} if labelled else annotations.get("boxes", {})  # an image's classes and its objects' are not one list
    kinds = [[box.kind for box in boxes.get(row.image, ()) if box.kind] for row in rows]
    class_names = {row.cells["label"] for row in rows} if labelled else set[str]().union(*kinds)
    are_numbers = all(label_tables.is_number(name) for name in class_names)
    classes = tuple(sorted(class_names, key=lambda name: (float(name) if are_numbers else 0, name)))
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
        labels["present"] = _pad_lists([np.ones(len(values), bool) for values in lists], (), bool)
    if any(kinds):
        labels["kinds"] = _pad_lists([[index[kind] for kind in values] for values in kinds], (), np.int32)
    return labels, classes


def _pad_lists(lists: Sequence[Any], shape: tuple[int, ...], dtype: type[Any]) -> NDArray[Any]:
    """Return lists of different lengths as one array [N, P, *shape], padded with zeros; P is at least 1."""
    array = np.zeros((len(lists), max([1, *map(len, lists)]), *shape), dtype)
    for row, values in zip(array, lists, strict=True):
        row[: len(values)] = values
    return array


def _parse_location(fault: Fault) -> tuple[str, int]:
    file, line = fault.where.rsplit(":", 1)
    return file, int(line)


def _describe_unused_files(path: Path, root: Path, files_below: list[str], labelled: set[str]) -> Iterator[str]:
    """Describe files below the images' folder, and tables, that are not read."""
    folder = f"{root.name or root}/"
    tables = {"labels.csv", *(f"{name}.csv" for name in label_tables.OBJECT_COLUMNS)}
    others = [file for file in files_below if file not in labelled and not (root == path and file in tables)]
    unlabelled = [file for file in others if is_image_name(file)]
    if unlabelled:
        images = f"{format_count(len(unlabelled), 'image')} below {folder} {'has' if len(unlabelled) == 1 else 'have'}"
        yield f"{images} no row in labels.csv: {join_first(unlabelled)}"
    unknown = [file for file in others if not is_image_name(file)]
    if unknown:
        yield f"files below {folder} that are no images are not used, {len(unknown)} in all: {join_first(unknown)}"
    listed = [file.name for file in files.find_files(path, "*.csv")] if root != path else []
    unread = [name for name in listed if name not in tables]
    if unread:
        yield f"tables that are not read: {join_first(unread)}; {join_first(sorted(tables))} are"


def _describe_annotations(annotations: Annotations, moved: dict[str, list[Annotation]]) -> Iterator[str]:
    """Describe objects that are odd, but used."""
    for name, outside in moved.items():
        if outside:
            total = sum(map(len, annotations[name].values()))
            count, locations = f"{len(outside):,} of {total:,} {name}", join_first([item.where for item in outside])
            yield f"{count} reach beyond their image and were moved to its edge: {locations}"
    for name, by_image in annotations.items():
        repeated = []
        for items in by_image.values():
            first = {(item.coordinates, item.kind): item for item in reversed(items)}
            repeated += [item.where for item in items if item is not first[item.coordinates, item.kind]]
        if repeated:
            yield f"{len(repeated)} {name} are duplicates within an image and were kept: {join_first(repeated)}"
