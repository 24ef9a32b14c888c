"""Arrays that stand in for a folder of images."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.sources.arrays import Arrays
from thalweg.data.sources.arrays.array_sets import SHAPES, TYPES, has_shape
from thalweg.system import data_files, images
from thalweg.system.files import UserError

COLUMNS = ("label", "count", "points", "boxes", "kinds", "present", "name", "group", "split")
"""What may be known of each image: arrays of the data source `arrays`."""
MAY_BE_EMPTY = ("split", "points", "boxes", "kinds")
"""Columns with places that may be empty."""
WHITE = 1.0
"""The value of white in images of floats; black is 0."""


@dataclass(frozen=True, eq=False)
class Data:
    """Images and labels in memory, in place of files: `run` takes them as `data`.

    - `images`: an array [N, H, W] or [N, H, W, C] with 1 or 3 channels, uint8 (0 to 255) or floats (0 to 1).
    - `labels`: an array with one value an image: the number to predict, or for the task `classify` the class, as text
      or as a whole number. A data frame, or a mapping of arrays, gives more: its columns may be `label`, `count`,
      `name`, `group` (a split by group never separates a group's images) and `split` (train, validation or test, for
      `data.split.by: column`). A mapping may also hold `points`, `boxes`, `kinds` and `present`; their shapes are
      those of the data source [arrays](own-images.md#arrays-arrays). Some tasks need no labels.
    - `classes`: names of the classes 0, 1, …

    Every fault is named at once, by array and row, as `UserError`.

    ```python
    import numpy as np
    import thalweg

    draw = np.random.default_rng(0)
    brightness = draw.integers(0, 8, 120)
    images = (brightness[:, None, None] * 25 + draw.integers(0, 50, (120, 8, 8))).astype(np.uint8)
    data = thalweg.Data(images, brightness)
    ```
    """

    images: Any
    labels: Any = None
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        pixels, faults = convert_images(self.images)
        columns = dict(_list_columns(self.labels))
        if unknown := [name for name in columns if name not in ("", *COLUMNS)]:
            faults.append(f"labels: no such column: {', '.join(unknown)}; allowed: {', '.join(COLUMNS)}")
            columns = {name: values for name, values in columns.items() if name not in unknown}
        converted = {name: _convert_column(name, values, pixels.shape[:1], faults) for name, values in columns.items()}
        is_list = isinstance(self.classes, Iterable) and not isinstance(self.classes, str)
        names = tuple(self.classes) if is_list else (None,)
        if not all(isinstance(name, str | int | np.integer) for name in names):
            faults.append("classes: must be a list of names")
        elif len(set(map(str, names))) < len(names):
            faults.append("classes: must be a list of names, each of them once")
        if faults:
            raise UserError("\n".join(faults))
        object.__setattr__(self, "images", pixels)
        object.__setattr__(self, "labels", converted)
        object.__setattr__(self, "classes", tuple(map(str, names)))

    def __repr__(self) -> str:
        """Say what it holds, not every value."""
        held = ", ".join(name or "labels" for name in self.labels)
        return f"Data({' x '.join(map(str, self.images.shape))} images{f' with {held}' if held else ''})"


def pack_data(data: Data, task: Any) -> bytes:
    """Return data as the content of a .npz file, as the data source `arrays` reads it for the task of this kind."""
    arrays = {_name_column(name, values, task): values for name, values in data.labels.items()}
    if data.classes:
        arrays["classes"] = np.array(data.classes)
    return data_files.pack_arrays({"images": data.images, **arrays})


def find_label_faults(data: Data, folder: Path) -> list[str]:
    """Return what the data source refuses in the packed data in a folder: the first fault of each array."""
    try:
        faults = Arrays().read_examples(folder, 0).faults
    except UserError as error:
        return [str(error).replace(f"{folder / 'data.npz'}: ", "labels: ")]
    places: dict[str, list[str]] = {}
    for fault in faults:
        array, _, place = fault.where.partition(":")[2].partition("[")
        title = "labels" if "" in data.labels else f"labels: {array}"
        places.setdefault(array, []).append(f"{title}[{place}: {fault.reason}")
    return [f"{found[0]}{_count_more(found)}" for found in places.values()]


def convert_images(values: Any) -> tuple[NDArray[np.uint8], list[str]]:
    """Return images as uint8 [N, H, W] or [N, H, W, C], and what is wrong with them."""
    if np.ma.is_masked(values):
        return np.zeros(len(values), np.uint8), ["images: have masked values; fill them, as by images.filled(0)"]
    try:
        array = np.asarray(values)
    except Exception:  # a library's array may raise anything
        count = len(values) if isinstance(values, list | tuple) else ()
        return np.zeros(count, np.uint8), ["images: not one array; give all images one size"]
    if faults := list(_find_image_faults(array)):
        return np.zeros(array.shape[:1], np.uint8), faults
    if array.dtype == np.uint8:
        return array, []
    return images.convert_to_bytes(array, (0.0, WHITE)), []


def _find_image_faults(array: NDArray[Any]) -> Iterator[str]:
    shape = [*array.shape]
    if array.dtype.kind in "OSUT":
        hint = "; for files, give no `data`, but set data.path and data.source" if _holds_paths(array) else ""
        yield f"images: must be one array of numbers, not {_describe_type(array)}{hint}"
        return
    if array.dtype.kind != "f" and array.dtype != np.uint8:
        is_small = array.dtype.kind in "iu" and array.size and 0 <= array.min() <= array.max() <= 255
        hint = "; these fit: use images.astype('uint8')" if is_small else ""
        yield f"images: the type is {array.dtype}; it must be uint8 (0 to 255) or floats (0 to 1){hint}"
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
        hint = "; put the channels last" if array.ndim == 4 and array.shape[1] in (1, 3) else ""
        yield f"images: the shape is {shape}; it must be [N, H, W] or [N, H, W, C] with 1 or 3 channels C{hint}"
    elif not array.size:
        yield f"images: the shape is {shape}: there is no pixel"
    elif array.dtype.kind == "f":
        pixels = array.reshape(len(array), -1)
        if bad := np.flatnonzero(~np.isfinite(pixels).all(1)).tolist():
            yield f"images[{bad[0]}]: has values that are not finite{_count_more(bad)}"
        elif bad := np.flatnonzero((pixels.min(1) < 0) | (pixels.max(1) > WHITE)).tolist():
            ends = f"{pixels[bad[0]].min():g} to {pixels[bad[0]].max():g}"
            hint = "; divide by 255" if pixels.min() >= 0 and pixels.max() <= 255 else ""
            yield f"images[{bad[0]}]: has values from {ends}; floats must be 0 to 1{hint}{_count_more(bad)}"


def _holds_paths(array: NDArray[Any]) -> bool:
    return array.size > 0 and isinstance(array.ravel().tolist()[0], str | Path)


def _describe_type(array: NDArray[Any]) -> str:
    return f"the type {type(array.item()).__name__}" if array.ndim == 0 else f"an array of the type {array.dtype}"


def _count_more(bad: Sequence[Any]) -> str:
    return f" (and {len(bad) - 1:,} more)" if len(bad) > 1 else ""


def _list_columns(labels: Any) -> Iterator[tuple[str, Any]]:
    """Return each column of the labels by name; a single array has no name yet."""
    if labels is None:
        return
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):  # a data frame
        yield from ((str(name), labels[name]) for name in (labels if isinstance(labels, Mapping) else labels.columns))
    else:
        yield "", labels


def _convert_column(name: str, values: Any, length: tuple[int, ...], faults: list[str]) -> NDArray[Any]:
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
        faults += [f"{title}[{bad[0]}]: has no value{_count_more(bad)}"] if bad else []
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
            faults.append(f"{title}[{missing[0]}]: has no value{_count_more(missing)}")
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


def _name_column(name: str, values: NDArray[Any], task: Any) -> str:
    """Name the array of a column: labels without a name are classes or counts."""
    if name:
        return name
    return "label" if task == "classify" or (task != "count" and values.dtype.kind == "U") else "count"
