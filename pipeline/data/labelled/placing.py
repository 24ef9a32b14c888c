"""Points and boxes in the pixels of resized images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Fault
from thalweg.data.labelled.label_files import Annotation, Annotations, LabelFiles
from thalweg.system.counts import join_first
from thalweg.system.fitting import Fit, Size, place_image


@dataclass(frozen=True)
class PlacedObjects:
    """The objects that are seen, and their coordinates [P, 2 or 4]: by 'points' or 'boxes', then by image.

    `moved` were beyond the edge of their image; `hidden` are left out because a crop does not show them.
    """

    objects: Annotations
    coordinates: dict[str, dict[str, NDArray[np.float32]]]
    moved: dict[str, list[Annotation]]
    hidden: dict[str, list[Annotation]]


def place_objects(
    labels: LabelFiles, original_sizes: dict[str, Size], size: Size, fit: Fit, faults: list[Fault]
) -> PlacedObjects:
    """Clip the objects of each image to it, and move them as the image is moved. Flat boxes go to `faults`.

    An object is hidden by a crop if its point, or else the middle of its box, lies outside.
    """
    placed = PlacedObjects({}, {}, {}, {})
    for name in labels.annotations:
        placed.objects[name], placed.coordinates[name], placed.moved[name], placed.hidden[name] = {}, {}, [], []
    for row in labels.rows:
        if row.image not in original_sizes:
            continue
        placement = place_image(original_sizes[row.image], size, fit)
        full = np.array(original_sizes[row.image][::-1], np.float64)
        objects = {name: by_image.get(row.image, []) for name, by_image in labels.annotations.items()}
        resized = {}
        for name, items in objects.items():
            axes = 2 if name == "boxes" else 1
            given = np.array([item.coordinates for item in items], np.float64).reshape(-1, 2 * axes)
            coordinates = given * np.tile(full, axes) if labels.has_shares else given
            clipped = np.clip(coordinates, 0, np.tile(full, axes))
            placed.moved[name] += [items[i] for i in np.flatnonzero((clipped != coordinates).any(1))]
            resized[name] = placement.convert_to_resized(clipped).astype(np.float32)
            if axes == 2:
                for i in np.flatnonzero((resized[name][:, 2:] <= resized[name][:, :2]).any(1)):
                    reason = f"the box has no area inside its image of {full[0]:g} x {full[1]:g} pixels"
                    faults.append(Fault(row.image, items[i].where, reason))
        for name, items in objects.items():
            seen = _find_seen(resized, name, size) if fit == "crop" else np.ones(len(items), bool)
            limits = np.tile(np.array(size[::-1], np.float32), resized[name].shape[1] // 2)
            placed.coordinates[name][row.image] = np.clip(resized[name], 0, limits)[seen]
            placed.objects[name][row.image] = [items[i] for i in np.flatnonzero(seen)]
            placed.hidden[name] += [items[i] for i in np.flatnonzero(~seen)]
    return placed


def _find_seen(resized: dict[str, NDArray[np.float32]], name: str, size: Size) -> NDArray[np.bool_]:
    """Return which objects are within a resized image; a point and a box that belong together are seen alike."""
    belong = len({len(values) for values in resized.values()}) == 1
    boxes = resized.get("boxes") if belong or name == "boxes" else None
    middles = resized.get("points") if belong or name == "points" else None
    limits = np.array(size[::-1])
    seen = np.ones(len(resized[name]), bool)
    if boxes is not None:
        inside = np.clip(boxes, 0, np.tile(limits, 2))
        seen &= (inside[:, 2:] > inside[:, :2]).all(1)
        middles = (boxes[:, :2] + boxes[:, 2:]) / np.float32(2) if middles is None else middles
    if middles is not None:
        seen &= ((middles >= 0) & (middles <= limits)).all(1)
    return seen


def describe_objects(annotations: Annotations, placed: PlacedObjects) -> Iterator[str]:
    """Describe objects that are odd, but used, and those that are not seen."""
    for name, outside in placed.moved.items():
        if outside:
            total = sum(map(len, annotations[name].values()))
            count, locations = f"{len(outside):,} of {total:,} {name}", join_first([item.where for item in outside])
            yield f"{count} reach beyond their image and were moved to its edge: {locations}"
    for name, hidden in placed.hidden.items():
        if hidden:
            total = sum(map(len, annotations[name].values()))
            locations = join_first([item.where for item in hidden])
            yield f"fit: crop cuts off {len(hidden):,} of {total:,} {name}, which are left out: {locations}"
    for name, by_image in annotations.items():
        repeated = []
        for items in by_image.values():
            first = {(item.coordinates, item.kind): item for item in reversed(items)}
            repeated += [item.where for item in items if item is not first[item.coordinates, item.kind]]
        if repeated:
            yield f"{len(repeated)} {name} are duplicates within an image and were kept: {join_first(repeated)}"
