"""Arrays in one .npz file: images, and labels, counts, points or boxes, each with one entry an image."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from thalweg.data.examples import DataSource, Examples, Fault, ReadResult
from thalweg.data.labelled.build import build_labelled_outline, build_result
from thalweg.data.labelled.file_index import FileIndex
from thalweg.data.labelled.image_files import ImageFiles, find_image_warnings
from thalweg.data.labelled.label_files import LabelFiles, LabelRow, drop_lone_split
from thalweg.data.predictions import PredictedImage
from thalweg.data.sources.arrays import array_rows
from thalweg.data.sources.arrays.array_sets import ArraySet, read_array_sets
from thalweg.schema.section import Strings
from thalweg.system import data_files, files, images
from thalweg.system.counts import join_first
from thalweg.system.images import ValueRange


class Arrays(DataSource):
    """Images that are all of one size, and what is known of them; docs/own-images.md lists the arrays.

    Arrays of several sets may lie side by side, with the set in their names: x_train, y_test. Text or whole numbers are
    classes; `classes` names the numbers 0, 1, … A slot of points or boxes is empty where `present` is false, or without
    `present` where a coordinate is NaN.
    """

    kind: Literal["arrays"] = "arrays"
    REQUIRED_FILES: ClassVar[str] = "a .npz file"
    WRITTEN_PREDICTIONS: ClassVar[tuple[str, ...]] = ("label", "count", "objects")
    file: str = Field("", description="the .npz file below the path; none: the only one there")
    classes: Strings = Field((), description="names of the classes 0, 1, …; none: the array `classes`, or the numbers")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        pixels = np.arange(4 * 3 * 5, dtype=np.uint8).reshape(4, 3, 5)
        arrays = {"x_train": pixels[:3], "y_train": np.array([2, 0, 1]), "x_test": pixels[3:], "y_test": np.array([1])}
        data_files.write_arrays(folder / "data.npz", arrays)
        return cls()

    def find_missing_file(self, path: Path) -> str:
        if self.file:
            return "" if files.path_exists(path / self.file) else self.file
        return "" if files.find_files(path, "*.npz") else ".npz file"

    def read_examples(self, path: Path, seed: int) -> ReadResult:  # noqa: ARG002
        labels, sets = self._read_labels(path, with_images=True)
        faults: list[Fault] = []
        pixels, value_range = _join_pixels(sets, labels.rows, faults)
        sizes = {row.image: (pixels.shape[1], pixels.shape[2]) for row in labels.rows}
        image_files = ImageFiles(pixels, sizes, value_range, tuple(find_image_warnings(pixels, value_range, [])))
        return build_result(path, labels, image_files, "stretch", faults)

    def build_outline(self, path: Path, seed: int) -> Examples | None:  # noqa: ARG002
        try:
            labels, sets = self._read_labels(path, with_images=False)
        except files.UserError:  # `read_examples` says it
            return None
        return build_labelled_outline(labels, _find_image_shape(sets[0]))

    def _read_labels(self, path: Path, *, with_images: bool) -> tuple[LabelFiles, list[ArraySet]]:
        """Read all but the images. Raises `UserError` where arrays do not fit, or two images have one name."""
        file = self._find_file(path)
        sets, classes, unused = read_array_sets(file, with_images=with_images)
        faults: list[Fault] = []
        rows = drop_lone_split(array_rows.build_rows(sets, self.classes or classes, faults))
        names = [row.image for row in rows]
        if len({*names}) < len(names):
            repeated = sorted(name for name, count in Counter(names).items() if count > 1)
            raise files.UserError(f"{file}: several images have the name {join_first(repeated)}")
        annotations = array_rows.read_objects(sets, rows, self.classes or classes, faults)
        labels = LabelFiles(
            index=FileIndex(path, tuple(names)),
            rows=rows,
            annotations=annotations,
            faults=faults,
            warnings=[f"{file.name}: arrays that are not used: {join_first(unused)}"] if unused else [],
            listed=frozenset(names),
            classes=self.classes or classes or None,
        )
        return labels, sets

    def _find_file(self, path: Path) -> Path:
        if self.file:
            return path / self.file
        found = files.find_files(path, "*.npz")
        if len(found) != 1:
            names = f": {join_first([file.name for file in found])}; set data.source.file" if found else ""
            raise files.UserError(f"{path}: needs one .npz file, but has {len(found)}{names}")
        return found[0]

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, bytes]:  # noqa: ARG003
        """Write predictions.npz: names, and label, count, or boxes with present, confidence and kinds."""
        arrays: dict[str, NDArray[Any]] = {"names": np.array([image.name for image in images])}
        if all(image.label is not None for image in images):
            arrays["label"] = np.array([image.label for image in images])
        elif all(image.count is not None for image in images):
            arrays["count"] = np.array([image.count for image in images])
        else:
            arrays |= array_rows.pack_objects([image.objects or () for image in images])
        return {"predictions.npz": data_files.pack_arrays(arrays)}


def _find_image_shape(group: ArraySet) -> tuple[int, int, int]:
    height, width, *channels = group.arrays["images"].shape[1:]
    return height, width, channels[0] if channels else 1


def _join_pixels(
    sets: Sequence[ArraySet], rows: Sequence[LabelRow], faults: list[Fault]
) -> tuple[NDArray[np.uint8], ValueRange | None]:
    """Return the images of all sets [N, H, W, C], and the values of black and white if they are not of 8 bits.

    Images with values that are not finite go to `faults`; their pixels are 0.
    """
    shape = _find_image_shape(sets[0])
    arrays = [group.arrays["images"].reshape(-1, *shape) for group in sets]
    if all(array.dtype == np.uint8 for array in arrays):
        return np.concatenate(arrays), None
    usable = [np.isfinite(array).all((1, 2, 3)) for array in arrays]
    for row, is_usable in zip(rows, np.concatenate(usable), strict=True):
        if not is_usable:
            faults.append(row.fault("it has values that are not finite"))
    good = [array[rows_used] for array, rows_used in zip(arrays, usable, strict=True)]
    ends = [(float(array.min()), float(array.max())) for array in good if len(array)]
    value_range = images.find_value_range(ends) or (0.0, 1.0)
    pixels = np.zeros((len(rows), *shape), np.uint8)
    position = 0
    for array, rows_used in zip(arrays, usable, strict=True):
        part = pixels[position : position + len(array)]
        part[rows_used] = images.convert_to_bytes(array[rows_used], value_range)
        position += len(array)
    return pixels, value_range
