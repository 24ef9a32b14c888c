"""Arrays that stand in for a folder of images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.api.image_arrays import convert_images
from thalweg.api.label_columns import convert_column, list_columns
from thalweg.data.sources.arrays import Arrays
from thalweg.system import data_files
from thalweg.system.counts import format_more
from thalweg.system.files import UserError

COLUMNS = ("label", "count", "points", "boxes", "kinds", "present", "name", "group", "split")
"""What may be known of each image: arrays of the data source `arrays`."""


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
        columns = dict(list_columns(self.labels))
        if unknown := [name for name in columns if name not in ("", *COLUMNS)]:
            faults.append(f"labels: no such column: {', '.join(unknown)}; allowed: {', '.join(COLUMNS)}")
            columns = {name: values for name, values in columns.items() if name not in unknown}
        converted = {name: convert_column(name, values, pixels.shape[:1], faults) for name, values in columns.items()}
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
    return [f"{found[0]}{format_more(found)}" for found in places.values()]


def _name_column(name: str, values: NDArray[Any], task: Any) -> str:
    """Name the array of a column: labels without a name are classes or counts."""
    if name:
        return name
    return "label" if task == "classify" or (task != "count" and values.dtype.kind == "U") else "count"
