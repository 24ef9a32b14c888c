"""Rows and objects from arrays: each fault is named by array and index."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Fault
from thalweg.data.labelled.label_files import SPLIT_NAMES, Annotation, Annotations, LabelRow, find_box_fault
from thalweg.data.predictions import PredictedObject
from thalweg.data.sources.arrays.array_sets import ArraySet

COLUMNS = ("label", "count", "name", "group", "split")
"""The arrays with one value an image."""
MAX_COUNT = 2**24  # float32 has every integer up to here


def build_rows(sets: Sequence[ArraySet], classes: Sequence[str], faults: list[Fault]) -> list[LabelRow]:
    """Build a row for each image, in the order of the arrays; faults of labels and splits go to `faults`."""
    rows = []
    for group in sets:
        digits = max(5, len(str(len(group) - 1)))
        columns = {role: values.tolist() for role, values in group.arrays.items() if role in COLUMNS}
        for index in range(len(group)):
            values = {role: column[index] for role, column in columns.items()}
            cells = {"image": str(values.get("name", f"{group.split or 'image'}-{index:0{digits}}"))}
            cells["split"] = group.split or str(values.get("split", ""))
            cells |= {role: str(values[role]) for role in ("count", "group") if role in values}
            row_faults = list(_find_row_faults(cells, values))
            if "label" in values:
                cells["label"], reason = _name_class(values["label"], classes)
                row_faults += [("label", reason)] if reason else []
            rows.append(LabelRow(f"{group.locations['images']}[{index}]", cells))
            faults += [
                Fault(cells["image"], f"{group.locations[role]}[{index}]", reason) for role, reason in row_faults
            ]
    return rows


def _find_row_faults(cells: dict[str, str], values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the role and the reason of each fault."""
    if "split" in values and cells["split"] not in ("", *SPLIT_NAMES):
        yield "split", f"`split` is '{cells['split']}'; allowed: {', '.join(SPLIT_NAMES)}, or empty"
    if cells.get("group") == "":
        yield "group", "`group` is empty"
    if "count" in values and not (0 <= values["count"] <= MAX_COUNT and values["count"] == int(values["count"])):
        yield "count", f"`count` must be a whole number from 0 to {MAX_COUNT:,}, not {values['count']}"


def _name_class(value: Any, classes: Sequence[str]) -> tuple[str, str]:
    """Return the name of a class, and what is wrong with the value."""
    if isinstance(value, str):
        return value, _find_name_fault(value, classes)
    if not np.isfinite(value) or value != int(value):
        return "", f"a class must be a whole number or a text, not {value}"
    number = int(value)
    if classes and not 0 <= number < len(classes):
        return "", f"the class {number} is none of 0 to {len(classes) - 1}, the classes that have a name"
    return (classes[number] if classes else str(number)), ""


def _find_name_fault(name: str, classes: Sequence[str]) -> str:
    if not name:
        return "the class is empty"
    return f"the class '{name}' is none of {', '.join(classes)}" if classes and name not in classes else ""


def read_objects(
    sets: Sequence[ArraySet], rows: Sequence[LabelRow], classes: Sequence[str], faults: list[Fault]
) -> Annotations:
    """Read the points and boxes of the rows that the arrays hold."""
    tables = [role for role in ("points", "boxes") if role in sets[0].arrays]
    annotations: Annotations = {role: {} for role in tables}
    remaining = iter(rows)
    for group in sets:
        for index in range(len(group)):
            row = next(remaining)
            for role in tables:
                slots = _find_slots(group, role, index)
                if "count" in row.cells and float(row.cells["count"]) != len(slots):
                    reason = f"`count` is {row.cells['count']}, but {len(slots)} {role} are present"
                    faults.append(Fault(row.image, f"{group.locations['count']}[{index}]", reason))
                read = [_read_slot(group, role, (index, slot), row.image, classes, faults) for slot in slots]
                annotations[role][row.image] = [item for item in read if item]
    return annotations


def _find_slots(group: ArraySet, role: str, index: int) -> list[int]:
    """Return the slots of an image that hold an object."""
    if "present" in group.arrays:
        return np.flatnonzero(group.arrays["present"][index]).tolist()
    return np.flatnonzero(~np.isnan(group.arrays[role][index]).any(-1)).tolist()


def _read_slot(
    group: ArraySet, role: str, place: tuple[int, int], image: str, classes: Sequence[str], faults: list[Fault]
) -> Annotation | None:
    where = f"{group.locations[role]}[{place[0]}, {place[1]}]"
    coordinates = tuple(map(float, group.arrays[role][place].tolist()))
    kind, reason = None, ""
    if role == "boxes" and "kinds" in group.arrays:
        kind, reason = _name_class(group.arrays["kinds"][place].item(), classes)
    if not np.isfinite(coordinates).all():
        reason = f"not all coordinates are finite: {coordinates}"
    elif role == "boxes":
        reason = find_box_fault(*coordinates) or reason
    if not reason:
        return Annotation(where, coordinates, kind)
    faults.append(Fault(image, where, reason))
    return None


def pack_objects(objects: Sequence[Sequence[PredictedObject]]) -> dict[str, NDArray[Any]]:
    """Pack the objects of N images into arrays with one slot for each object [N, P]."""
    shape = (len(objects), max([1, *map(len, objects)]))
    boxes, confidence = np.zeros((*shape, 4)), np.zeros(shape)
    present, kinds = np.zeros(shape, bool), np.full(shape, "", object)
    for row, items in enumerate(objects):
        for slot, item in enumerate(items):
            boxes[row, slot], confidence[row, slot] = item.box, item.confidence
            present[row, slot], kinds[row, slot] = True, item.kind
    arrays = {"boxes": boxes, "present": present, "confidence": confidence}
    return arrays | ({"kinds": kinds.astype(np.str_)} if (kinds != "").any() else {})
