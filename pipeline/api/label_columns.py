"""Columns of labels as arrays of numbers or of text, from what a user has in memory."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.sources.arrays.array_sets import SHAPES, TYPES, has_shape
from thalweg.system.counts import format_more

MAY_BE_EMPTY = ("split", "points", "boxes", "kinds")
"""Columns with places that may be empty."""


def list_columns(labels: Any) -> Iterator[tuple[str, Any]]:
    """Return each column of the labels by name; a single array has no name yet."""
    if labels is None:
        return
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):  # a data frame
        yield from ((str(name), labels[name]) for name in (labels if isinstance(labels, Mapping) else labels.columns))
    else:
        yield "", labels


def convert_column(name: str, values: Any, length: tuple[int, ...], faults: list[str]) -> NDArray[Any]:
    """Return a column as an array of numbers or of text; add what is wrong with it to `faults`."""
    title = f"labels: {name}" if name else "labels"
    if np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data)
    try:
        array = np.array(values, object) if isinstance(values, list | tuple) else np.asarray(values)
    except (ValueError, TypeError) as error:
        faults.append(f"{title}: not one array ({error})")
        return np.zeros(0)
    if array.ndim == 0:
        kind = "" if array.dtype.kind != "O" else f" of the type {type(array.item()).__name__}; give a list or an array"
        faults.append(f"{title}: has a single value for {length[0]:,} images{kind}" if length else f"{title}: no array")
        return array
    before = len(faults)
    if array.dtype.hasobject or array.dtype.kind == "T":
        array = _convert_objects(array, name, title, faults)
    role = name or "label"  # as strict for a count
    if len(faults) > before:
        return array
    if array.dtype.kind not in TYPES[role]:
        faults.append(f"{title}: the type is {array.dtype}; it must be {_describe_kinds(TYPES[role])}")
    elif length and array.shape[:1] != length:
        faults.append(f"{title}: has {len(array):,} values for {length[0]:,} images")
    elif not has_shape(role, array.shape):
        hint = "; for a column a class, use labels.argmax(1)" if role == "label" and array.ndim == 2 else ""
        faults.append(f"{title}: the shape is {[*array.shape]}; it must be {SHAPES.get(role, '[N]')}{hint}")
    elif array.dtype.kind == "f" and name not in MAY_BE_EMPTY:
        bad = np.flatnonzero(np.isnan(array.reshape(len(array), -1)).any(1)).tolist()
        faults += [f"{title}[{bad[0]}]: has no value{format_more(bad)}"] if bad else []
    return array


def _describe_kinds(kinds: str) -> str:
    """Describe kinds of NumPy types in words."""
    words = ["numbers"] if "f" in kinds else ["whole numbers"] if "i" in kinds else []
    return " or ".join([*words, *(["text"] if "U" in kinds else [])])


def _convert_objects(array: NDArray[Any], name: str, title: str, faults: list[str]) -> NDArray[Any]:
    """Return an array of Python objects as one of numbers or of text; an empty place of `split` is ''."""
    items = [item.item() if getattr(item, "ndim", None) == 0 else item for item in array.ravel().tolist()]
    items = [None if _is_missing(item) else item for item in items]
    present = [item for item in items if item is not None]
    if all(isinstance(item, str) for item in present):
        missing = [index for index, item in enumerate(items) if item is None]
        if missing and name not in MAY_BE_EMPTY:
            faults.append(f"{title}[{missing[0]}]: has no value{format_more(missing)}")
        return np.array([item or "" for item in items], np.str_).reshape(array.shape)
    if any(isinstance(item, list | tuple) or hasattr(item, "shape") for item in present):
        hint = "; fill the empty places with None" if name in MAY_BE_EMPTY else ""
        faults.append(f"{title}: has rows of several lengths; the shape must be {SHAPES.get(name, '[N]')}{hint}")
        return np.zeros(array.shape)
    if not all(isinstance(item, bool | int | float) for item in present):
        kinds = ", ".join(sorted({type(item).__name__ for item in present}))
        wanted = _describe_kinds(TYPES[name or "label"]).replace(" or ", " or all ")
        faults.append(f"{title}: holds values of the types {kinds}; make them all {wanted}")
        return np.zeros(array.shape)
    numbers = np.array([np.nan if item is None else item for item in items])
    if numbers.dtype.hasobject:
        faults.append(f"{title}: holds a whole number beyond 64 bits")
        return np.zeros(array.shape)
    return numbers.reshape(array.shape)


def _is_missing(item: Any) -> bool:
    """Say whether a value stands for none: None, NaN, or a missing value of Pandas."""
    return item is None or type(item).__name__ in ("NAType", "NaTType") or (isinstance(item, float) and item != item)
