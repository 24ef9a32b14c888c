"""Turn the label files and images of a data set into examples, or into an outline of them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Examples, Fault, Labels, ReadResult, build_blank_labels
from thalweg.data.labelled.image_files import ImageFiles
from thalweg.data.labelled.label_files import LabelFiles, LabelRow, drop_faulty_rows, is_number
from thalweg.data.labelled.placing import PlacedObjects, describe_objects, place_objects
from thalweg.system.counts import format_count, join_first
from thalweg.system.fitting import Fit
from thalweg.system.images import is_image_name


def build_result(path: Path, labels: LabelFiles, images: ImageFiles, fit: Fit, faults: list[Fault]) -> ReadResult:
    """Build the examples of the rows that have no fault; `faults` are those of the images."""
    size = (images.pixels.shape[1], images.pixels.shape[2])
    faults = [*labels.faults, *faults, *_find_size_faults(labels, images)]
    placed = place_objects(labels, images.original_sizes, size, fit, faults)
    good_rows = drop_faulty_rows(labels.rows, faults)
    row_indices = {row.image: index for index, row in enumerate(labels.rows)}
    example_labels, classes = _build_labels(good_rows, labels, placed)
    examples = Examples(
        images=_keep_rows(images.pixels, [row_indices[row.image] for row in good_rows]),
        **_build_texts(good_rows),
        labels=example_labels,
        classes=classes,
        value_range=images.value_range,
    )
    warnings = [
        *images.warnings,
        *labels.warnings,
        *describe_objects(labels.annotations, placed),
        *_describe_cut_counts(good_rows, labels, images, fit),
        *labels.index.describe_outside(path, row_indices),
        *_describe_unused_files(labels),
    ]
    return ReadResult(examples, tuple(sorted([*faults, *labels.repeated], key=_parse_location)), tuple(warnings))


def _find_size_faults(labels: LabelFiles, images: ImageFiles) -> Iterator[Fault]:
    """Find images whose label file was made for another size."""
    for row in labels.rows:
        size, original = labels.sizes.get(row.image), images.original_sizes.get(row.image)
        if size and original and size != original:
            made = f"the labels are for an image of {size[1]} x {size[0]} pixels"
            yield row.fault(f"{made}, but it has {original[1]} x {original[0]}")


def build_labelled_outline(labels: LabelFiles, image_shape: tuple[int, int, int]) -> Examples:
    """Build the examples without pixels, each label 1."""
    rows, annotations = labels.rows, labels.annotations
    names = {*annotations, *(["present"] if annotations else [])}
    names |= {"count", "label"} & {name for row in rows[:1] for name in row.cells}
    names |= {"count"} if "points" in annotations or labels.counts_objects else set()
    kinds = {item.kind for items in annotations.get("boxes", {}).values() for item in items if item.kind}
    names |= {"kinds"} if kinds and "label" not in names else set()
    found = {row.cells["label"] for row in rows} if "label" in names else kinds
    return Examples(
        images=np.broadcast_to(np.uint8(0), (len(rows), *image_shape)),
        **_build_texts(rows),
        labels=build_blank_labels(names, len(rows)) if rows else {},
        classes=_order_classes(found) if labels.classes is None else labels.classes,
    )


def _build_texts(rows: list[LabelRow]) -> dict[str, Any]:
    return {
        "names": np.array([row.image for row in rows], np.str_),
        "groups": np.array([row.cells.get("group", row.image) for row in rows], np.str_),
        "split": np.array([row.cells.get("split", "") for row in rows], np.str_),
    }


def _keep_rows(pixels: NDArray[np.uint8], kept: list[int]) -> NDArray[np.uint8]:
    """Move the images `kept`, in rising order, to the front and return them: there is one copy of all pixels."""
    for row, index in enumerate(kept):
        if row != index:
            pixels[row] = pixels[index]
    return pixels[: len(kept)]


def _build_labels(rows: list[LabelRow], files: LabelFiles, placed: PlacedObjects) -> tuple[Labels, tuple[str, ...]]:
    """Return the labels of `rows`, which have no faults, and the classes that they index."""
    labelled = bool(rows) and "label" in rows[0].cells
    boxes = {} if labelled else placed.objects.get("boxes", {})  # an image's classes and its objects' are not one list
    kinds = [[box.kind for box in boxes.get(row.image, ()) if box.kind] for row in rows]
    found = {row.cells["label"] for row in rows} if labelled else set[str]().union(*kinds)
    classes = _order_classes(found) if files.classes is None else files.classes
    index = {name: number for number, name in enumerate(classes)}

    labels: Labels = {}
    if labelled:
        labels["label"] = np.array([index[row.cells["label"]] for row in rows], np.int32)
    has_count = bool(rows) and "count" in rows[0].cells
    if placed.coordinates and (has_count or "points" in placed.coordinates or files.counts_objects):
        of_image = next(iter(placed.coordinates.values()))
        labels["count"] = np.array([len(of_image[row.image]) for row in rows], np.float32)
    elif has_count:
        labels["count"] = np.array([float(row.cells["count"]) for row in rows], np.float32)
    for name, by_image in placed.coordinates.items():
        lists = [by_image[row.image] for row in rows]
        labels[name] = _pad_lists(lists, (4 if name == "boxes" else 2,), np.float32)
        labels["present"] = _pad_lists([np.ones(len(values), bool) for values in lists], (), bool)
    if any(kinds):
        labels["kinds"] = _pad_lists([[index[kind] for kind in values] for values in kinds], (), np.int32)
    return labels, classes


def _order_classes(names: set[str]) -> tuple[str, ...]:
    """Sort classes, numbers by value."""
    are_numbers = all(map(is_number, names))
    return tuple(sorted(names, key=lambda name: (float(name) if are_numbers else 0, name)))


def _pad_lists(lists: Sequence[Any], shape: tuple[int, ...], dtype: type[Any]) -> NDArray[Any]:
    """Return lists of different lengths as one array [N, P, *shape], padded with zeros; P is at least 1."""
    array = np.zeros((len(lists), max([1, *map(len, lists)]), *shape), dtype)
    for row, values in zip(array, lists, strict=True):
        row[: len(values)] = values
    return array


def _parse_location(fault: Fault) -> list[str | int]:
    """Return a location as texts and numbers in turn, which sort as a person would."""
    parts = re.split(r"([0-9]+)", fault.where)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def _describe_cut_counts(rows: list[LabelRow], labels: LabelFiles, images: ImageFiles, fit: Fit) -> Iterator[str]:
    """Say that counts may hold what a crop does not show."""
    height, width = images.pixels.shape[1:3]
    cut = [row.image for row in rows if (size := images.original_sizes[row.image])[0] * width != size[1] * height]
    if fit == "crop" and cut and "count" in rows[0].cells and not labels.annotations:
        shown = f"{format_count(len(cut), 'image')}, whose counts are of the whole images: {join_first(cut)}"
        yield f"fit: crop cuts the edges off {shown}"


def _describe_unused_files(labels: LabelFiles) -> Iterator[str]:
    """Describe files below the index's folder that are not read."""
    root = labels.index.root
    folder = f"{root.name or root}/"
    others = [file for file in labels.index.names if file not in labels.listed and file not in labels.used]
    unlabelled = [file for file in others if is_image_name(file)]
    if unlabelled:
        images = f"{format_count(len(unlabelled), 'image')} below {folder} {'has' if len(unlabelled) == 1 else 'have'}"
        yield f"{images} {labels.unlisted}: {join_first(unlabelled)}"
    unknown = [file for file in others if not is_image_name(file)]
    if unknown:
        yield f"files below {folder} that are no images are not used, {len(unknown)} in all: {join_first(unknown)}"
