"""Predict new images with a final model."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts import trained_model
from thalweg.data.sources.folder import IMAGE_SUFFIXES
from thalweg.system import files

BATCH_SIZE = 512  # images in memory at once


@dataclass(frozen=True)
class PredictionResult:
    """The number of predicted images, where they are, a message for each unreadable image, and a note."""

    count: int
    output: Path
    failures: list[str]
    note: str


def predict_images(model_folder: Path, paths: Sequence[Path], output: Path) -> PredictionResult:
    """Predict every image at `paths`, in order, and write the CSV file `output`.

    The column `image` has a file's path as given. An image in a folder has its path within that folder, or within
    images/ if labels.csv lies beside it, as in a data source. Two images with the same name get their whole paths.
    Predicted objects go to a table beside the CSV (`.boxes.csv`), in pixels of the original image; predicted images go
    to a folder with the CSV's name.

    Raises `UserError` if `output` is not a CSV, there is no model, or there are no images.
    """
    if output.suffix.lower() != ".csv":
        raise files.UserError(f"{output}: must be a CSV file, for example --out {output.name}.csv")
    model = trained_model.load_trained_model(model_folder)
    size, channels = model.image_shape[:2], model.image_shape[2]
    images = list(_list_images(paths))
    name_counts, file_counts = Counter(name for name, _ in images), Counter(file.name for _, file in images)
    # a predicted image lies directly in the folder if its original was given by path and has a unique file name
    short = {name: file.name for name, file in images if name == file.as_posix() and file_counts[file.name] == 1}
    failures: list[str] = []

    def read_images() -> Iterator[tuple[str, NDArray[np.uint8], tuple[int, int]]]:
        """Return name, pixels and original size of each readable image."""
        for name, file in images:
            try:
                yield name if name_counts[name] == 1 else file.as_posix(), *files.read_pixels(file, size, channels)
            except files.UserError as error:
                failures.append(str(error))

    names: list[str] = []
    tables: list[pd.DataFrame] = []
    objects: list[pd.DataFrame] = []
    image_count, resized_count = 0, 0
    readable = read_images()
    while batch := tuple(islice(readable, BATCH_SIZE)):
        batch_names, pixels, sizes = zip(*batch, strict=True)
        predictions = model.predict(np.stack(pixels))
        table = pd.DataFrame(model.task.build_prediction_columns(predictions, model.classes))
        predicted_images = model.task.render_images(predictions)
        object_columns = model.task.build_object_columns(predictions, model.classes)
        if predicted_images is not None:
            outputs = [output.with_suffix("") / _build_output_path(short.get(name, name)) for name in batch_names]
            for file, image in zip(outputs, predicted_images, strict=True):
                files.write_image(file, image)
            image_count += len(outputs)
            resized_count += sum(original != size for original in sizes)
            table["prediction"] = [file.as_posix() for file in outputs]
        if object_columns is not None:
            objects.append(_rescale_objects(pd.DataFrame(object_columns), batch_names, np.array(sizes) / size))
        names += batch_names
        tables.append(table)
    if not names and not failures:
        raise files.UserError(f"{', '.join(map(str, paths))}: no images found")
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"prediction": []})
    table.insert(0, "image", names)
    files.write_table(output, table)
    if objects:
        files.write_table(output.with_suffix(".boxes.csv"), pd.concat(objects, ignore_index=True))
    resized = f"{resized_count} of {image_count} images were resized to {size[0]} x {size[1]} pixels"
    note = f"{resized}, the size that the model was trained on" if resized_count else ""
    return PredictionResult(len(table), output.with_suffix("") if image_count else output, failures, note)


def _rescale_objects(objects: pd.DataFrame, names: Sequence[str], scale: NDArray[np.float64]) -> pd.DataFrame:
    """Replace `example` by the image's name, and multiply boxes by `scale` [N, 2] of height and width."""
    example = objects.pop("example").to_numpy()
    for column in {"x0", "y0", "x1", "y1"} & {*objects.columns}:
        objects[column] *= scale[example, 1 if column.startswith("x") else 0]
    objects.insert(0, "image", np.array(names)[example])
    return objects


def _build_output_path(name: str) -> Path:
    """Return the path of a predicted image within its folder: a PNG, without absolute or parent paths."""
    path = Path(*(part for part in Path(name).parts if part != ".." and part != Path(name).anchor))
    return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")


def _list_images(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for path in paths:
        if path.is_dir():
            labelled = (path / "labels.csv").exists() and (path / "images").is_dir()
            root = path / "images" if labelled else path
            yield from ((name, root / name) for name in files.list_files(root) if name.lower().endswith(IMAGE_SUFFIXES))
        else:
            yield path.as_posix(), path
