"""The tables beside a folder of images, checked row by row: every fault with its place, none hidden by another."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thalweg.data.examples import Bad
from thalweg.system import files

SPLITS = ("train", "validation", "test")
OBJECTS = {"points": ("x", "y"), "boxes": ("x0", "y0", "x1", "y1")}
MOST = 2**24  # float32 has every integer up to here


@dataclass(frozen=True)
class Row:
    """One image's row: its place (`labels.csv:12`) and its cells by column."""

    where: str
    cells: dict[str, str]

    @property
    def image(self) -> str:
        return self.cells["image"]

    def fault(self, reason: str) -> Bad:
        return Bad(self.cells.get("image", ""), self.where, reason)


@dataclass(frozen=True)
class Thing:
    """A point (x, y) or a box (x0, y0, x1, y1): the place of its row, its coordinates as given, what it is."""

    where: str
    at: tuple[float, ...]
    kind: str | None = None


Things = dict[str, dict[str, list[Thing]]]
"""By 'points' or 'boxes', where the table is there, then by image."""


def read_table(path: Path, required: tuple[str, ...], bad: list[Bad]) -> tuple[list[str], list[Row]]:
    """Header and rows; a row with more or fewer cells than the header goes to `bad`.

    Raises `UserError` where there is no table or it lacks a required column.
    """
    lines = files.read_rows(path)
    if not lines:
        raise files.UserError(f"{path}: is empty; its first line must name the columns {', '.join(required)}")
    (first, header), *rest = lines
    missing = [f"`{name}`" for name in required if name not in header]
    if missing:
        raise files.UserError(f"{path}:{first}: no column {', '.join(missing)}; its columns are {', '.join(header)}")
    if len({*header}) < len(header):
        raise files.UserError(f"{path}:{first}: a column stands there twice; its columns are {', '.join(header)}")
    rows = []
    for line, cells in rest:
        row = Row(f"{path.name}:{line}", dict(zip(header, cells, strict=False)))
        if len(cells) == len(header):
            rows.append(row)
        else:
            bad.append(row.fault(f"has {len(cells)} cells where the header has {len(header)}"))
    return header, rows


def first_rows(rows: list[Row]) -> tuple[list[Row], list[Bad]]:
    """The first row of each image, sorted by image, and the others as bad."""
    first: dict[str, Row] = {}
    bad = []
    for row in rows:
        if not row.image:
            bad.append(row.fault("`image` is empty"))
        elif row.image in first:
            bad.append(row.fault(f"this image already has a row, {first[row.image].where}"))
        else:
            first[row.image] = row
    return [first[name] for name in sorted(first)], bad


def label_faults(row: Row) -> Iterator[Bad]:
    """What is wrong in a row of `labels.csv`, as far as the row alone can tell."""
    cells = row.cells
    if "count" in cells and (reason := _count_fault(cells["count"])):
        yield row.fault(reason)
    for name in ("label", "group"):
        if cells.get(name) == "":
            yield row.fault(f"`{name}` is empty")
    if cells.get("split", "") not in ("", *SPLITS):
        yield row.fault(f"split '{cells['split']}' is not known; it can be {', '.join(SPLITS)}")


def read_things(folder: Path, known: set[str], bad: list[Bad]) -> Things:
    """Points and boxes of the `known` images, as far as there are tables of them; faults go to `bad`."""
    things: Things = {}
    for name, columns in OBJECTS.items():
        path = folder / f"{name}.csv"
        if not files.exists(path):
            continue
        try:
            _, rows = read_table(path, ("image", *columns), bad)
        except files.UserError as error:
            bad.append(Bad(path.name, f"{path.name}:1", str(error)))
            continue
        things[name] = {}
        for row in rows:
            faults = list(_thing_faults(row, columns, known))
            bad += map(row.fault, faults)
            if not faults:
                at = tuple(float(row.cells[column]) for column in columns)
                things[name].setdefault(row.image, []).append(Thing(row.where, at, row.cells.get("kind")))
    return things


def disagreements(rows: list[Row], things: Things) -> Iterator[Bad]:
    """Images of which the tables give different numbers of objects; `rows` are those without a fault so far."""
    for row in rows:
        number = {name: len(of_image.get(row.image, ())) for name, of_image in things.items()}
        for name, found in number.items() if "count" in row.cells else ():
            count = float(row.cells["count"])
            if count != found:
                yield row.fault(f"`count` is {count:g}, but {name}.csv has {found} {name} of this image")
        if len({*number.values()}) > 1:
            points, boxes = number["points"], number["boxes"]
            yield row.fault(f"points.csv has {points} points of this image, but boxes.csv has {boxes} boxes")


def _number_fault(name: str, text: str) -> str | None:
    try:
        if math.isfinite(float(text)) and "_" not in text:
            return None
    except ValueError:
        pass
    return f"`{name}` is empty" if not text else f"`{name}` is not a finite number ('{text}')"


def _count_fault(text: str) -> str | None:
    if fault := _number_fault("count", text):
        return fault
    value = float(text)
    if value < 0:
        return f"`count` is negative ({text})"
    if not value.is_integer():
        return f"`count` is not an integer ({text})"
    return f"`count` is above {MOST:,} ({text})" if value > MOST else None


def _thing_faults(row: Row, columns: tuple[str, ...], known: set[str]) -> Iterator[str]:
    if row.image not in known:
        yield "this image has no row in labels.csv"
    numbers = [fault for name in columns if (fault := _number_fault(name, row.cells[name]))]
    yield from numbers
    if len(columns) == 4 and not numbers:
        x0, y0, x1, y1 = (float(row.cells[name]) for name in columns)
        if x1 <= x0 or y1 <= y0:
            yield f"the box has no area: x from {x0:g} to {x1:g}, y from {y0:g} to {y1:g}"
    if row.cells.get("kind") == "" and len(columns) == 4:
        yield "`kind` is empty"
