"""The tables beside a folder of images, checked row by row: every fault is reported with its line."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from thalweg.data.examples import Fault
from thalweg.data.labelled.file_index import FileIndex
from thalweg.data.labelled.label_files import (
    SPLIT_NAMES,
    Annotation,
    Annotations,
    LabelRow,
    find_box_fault,
    is_number,
)
from thalweg.system import data_files, files
from thalweg.system.counts import format_count

OBJECT_COLUMNS = {"points": ("x", "y"), "boxes": ("x0", "y0", "x1", "y1")}
LABEL_COLUMNS = ("image", "count", "label", "group", "split")
CLASS_COLUMNS = {"points": (), "boxes": ("kind", "class")}
"""The columns that may hold an object's class: `predict` writes `class`."""
MAX_COUNT = 2**24  # float32 has every integer up to here


def read_table(
    path: Path, required: tuple[str, ...], index: FileIndex, faults: list[Fault]
) -> tuple[list[str], list[LabelRow]]:
    """Read header and rows, with images by their names in `index`.

    A row with more or fewer cells than the header goes to `faults`.

    Raises `UserError` where the table is missing or empty, or lacks a required column.
    """
    lines = data_files.read_rows(path)
    if not lines:
        raise files.UserError(f"{path}: the file is empty; its first line must name the columns {', '.join(required)}")
    (first, header), *body = lines
    missing = [f"`{name}`" for name in required if name not in header]
    if missing:
        separator = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), "")
        advice = f". The columns are separated by {separator!r}; write commas" if separator else ""
        names = ", ".join(header)
        raise files.UserError(f"{path}:{first}: no column {', '.join(missing)}; the columns are {names}{advice}")
    if len({*header}) < len(header):
        raise files.UserError(f"{path}:{first}: two columns have one name; the columns are {', '.join(header)}")
    rows = []
    for line, cells in body:
        named = dict(zip(header, cells, strict=False))
        if "image" in named:
            named["image"] = index.name_image(named["image"], path.parent)
        row = LabelRow(f"{path.name}:{line}", named)
        if len(cells) == len(header):
            rows.append(row)
        else:
            faults.append(row.fault(f"the row has {len(cells)} cells, but the header has {len(header)}"))
    return header, rows


def find_label_faults(row: LabelRow) -> Iterator[Fault]:
    """Find the faults of a row of `labels.csv` that the row alone shows."""
    cells = row.cells
    if "count" in cells and (reason := _find_count_fault(cells["count"])):
        yield row.fault(reason)
    for name in ("label", "group"):
        if cells.get(name) == "":
            yield row.fault(f"`{name}` is empty")
    if cells.get("split", "") not in ("", *SPLIT_NAMES):
        yield row.fault(f"`split` is '{cells['split']}'; allowed: {', '.join(SPLIT_NAMES)}, or empty")


def read_annotations(
    folder: Path, labelled_images: set[str], index: FileIndex, faults: list[Fault], warnings: list[str]
) -> Annotations:
    """Read the points and boxes of the images `labelled_images`, where their tables exist.

    Faults go to `faults`, columns that are not used to `warnings`.
    """
    annotations: Annotations = {}
    for name, columns in OBJECT_COLUMNS.items():
        path = folder / f"{name}.csv"
        if not files.path_exists(path):
            continue
        try:
            header, rows = read_table(path, ("image", *columns), index, faults)
        except files.UserError as error:
            faults.append(Fault(path.name, f"{path.name}:1", str(error)))
            continue
        class_column = next((column for column in CLASS_COLUMNS[name] if column in header), "")
        warnings += describe_unused_columns(path.name, header, ["image", *columns, *filter(None, [class_column])])
        if _has_shares(rows, columns):
            reason = "all coordinates are between 0 and 1, like shares of the image; write pixels of the original"
            faults.append(Fault(path.name, f"{path.name}:1", reason))
            continue
        annotations[name] = {}
        for row in rows:
            row_faults = list(_find_annotation_faults(row, columns, class_column, labelled_images))
            faults += map(row.fault, row_faults)
            if not row_faults:
                coordinates = tuple(float(row.cells[column]) for column in columns)
                annotations[name].setdefault(row.image, []).append(
                    Annotation(row.where, coordinates, row.cells.get(class_column) if class_column else None)
                )
    return annotations


def describe_unused_columns(file: str, header: Sequence[str], used: Collection[str]) -> list[str]:
    """Say which columns of a table are not used; [] if all are."""
    unused = [name or "(no name)" for name in header if name not in used]
    return [f"{file}: unused columns: {', '.join(unused)}"] if unused else []


def _has_shares(rows: list[LabelRow], columns: tuple[str, ...]) -> bool:
    """Return whether coordinates look like shares of the image: none is above 1, and some are not whole."""
    cells = [row.cells[column] for row in rows for column in columns]
    values = [float(cell) for cell in cells if is_number(cell)]
    return bool(values) and all(0 <= value <= 1 for value in values) and not all(map(float.is_integer, values))


def find_count_faults(rows: list[LabelRow], annotations: Annotations) -> Iterator[Fault]:
    """Find images whose tables disagree on the number of objects; `rows` are those without a fault so far."""
    for row in rows:
        numbers = {name: len(by_image.get(row.image, ())) for name, by_image in annotations.items()}
        shown = {name: format_count(n, "box" if name == "boxes" else "point", name) for name, n in numbers.items()}
        for name, number in numbers.items() if "count" in row.cells else ():
            count = float(row.cells["count"])
            if count != number:
                yield row.fault(f"`count` is {count:g}, but {name}.csv has {shown[name]} for this image")
        if len({*numbers.values()}) > 1:
            yield row.fault(f"points.csv has {shown['points']} for this image, but boxes.csv has {shown['boxes']}")


def _find_number_fault(name: str, text: str) -> str | None:
    if is_number(text):
        return None
    return f"`{name}` is empty" if not text else f"`{name}` is not a finite number ('{text}')"


def _find_count_fault(text: str) -> str | None:
    if fault := _find_number_fault("count", text):
        return fault
    value = float(text)
    if value < 0:
        return f"`count` is negative ({text})"
    if not value.is_integer():
        return f"`count` is not an integer ({text})"
    return f"`count` is above {MAX_COUNT:,} ({text})" if value > MAX_COUNT else None


def _find_annotation_faults(
    row: LabelRow, columns: tuple[str, ...], class_column: str, labelled_images: set[str]
) -> Iterator[str]:
    if row.image not in labelled_images:
        yield "this image has no row in labels.csv"
    numbers = [fault for name in columns if (fault := _find_number_fault(name, row.cells[name]))]
    yield from numbers
    if len(columns) == 4 and not numbers and (fault := find_box_fault(*(float(row.cells[name]) for name in columns))):
        yield fault
    if class_column and not row.cells[class_column]:
        yield f"`{class_column}` is empty"
