"""Predictions of a final model for images that it has never seen."""

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

BATCH_SIZE = 512


@dataclass(frozen=True)
class PredictionResult:
    """How many images were predicted, into which file or folder; which could not be read and why; what else to know."""

    count: int
    output: Path
    failures: list[str]
    note: str


def predict_images(model_folder: Path, paths: Sequence[Path], output: Path) -> PredictionResult:
    """Predict every image at `paths`, in order, into a CSV.

    A file's `image` is its path as given; one found in a folder its path within that folder, or, in a folder that is
    laid out as a data source (labels.csv beside images/), its path within images/, as labels.csv names it. Where two
    would have one name, both have the whole path. Where the task predicts objects, they go to a table beside it
    (`.boxes.csv`), in pixels of the image as it was given; where it predicts images, into a folder of its name.

    Raises `UserError` where `output` is no CSV, where there is no model, or no image.
    """
    if output.suffix.lower() != ".csv":
        raise files.UserError(
            f"{output}: predictions are a table, so its name must end in .csv: --out {output.name}.csv"
        )
    loaded = trained_model.load_trained_model(model_folder)
    size, channels = loaded.image_shape[:2], loaded.image_shape[2]
    images = list(_list_images(paths))
    alike, last = (Counter(each) for each in ((name for name, _ in images), (file.name for _, file in images)))
    # an image that is made of one given by its path needs none of that path
    short = {name: file.name for name, file in images if name == file.as_posix() and last[file.name] == 1}
    bad: list[str] = []

    def read() -> Iterator[tuple[str, NDArray[np.uint8], tuple[int, int]]]:
        """The name, the pixels and the own size of every image that can be read."""
        for within, file in images:
            try:
                yield within if alike[within] == 1 else file.as_posix(), *files.read_pixels(file, size, channels)
            except files.UserError as error:
                bad.append(str(error))

    names: list[str] = []
    tables: list[pd.DataFrame] = []
    objects: list[pd.DataFrame] = []
    made, brought = 0, 0
    left = read()
    while batch := tuple(islice(left, BATCH_SIZE)):
        own, pixels, sizes = zip(*batch, strict=True)
        predictions = loaded.predict(np.stack(pixels))
        table = pd.DataFrame(loaded.task.build_prediction_columns(predictions, loaded.classes))
        drawn, things = (
            loaded.task.render_images(predictions),
            loaded.task.build_object_columns(predictions, loaded.classes),
        )
        if drawn is not None:
            written = [output.with_suffix("") / _build_output_path(short.get(name, name)) for name in own]
            for file, image in zip(written, drawn, strict=True):
                files.write_image(file, image)
            made += len(written)
            brought += sum(one != size for one in sizes)
            table["prediction"] = [file.as_posix() for file in written]
        if things is not None:
            objects.append(_rescale_objects(pd.DataFrame(things), own, np.array(sizes) / size))
        names += own
        tables.append(table)
    if not names and not bad:
        raise files.UserError(f"{', '.join(str(path) for path in paths)}: no image there")
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"prediction": []})
    table.insert(0, "image", names)
    files.write_table(output, table)
    if objects:
        files.write_table(output.with_suffix(".boxes.csv"), pd.concat(objects, ignore_index=True))
    by = " x ".join(map(str, size))
    note = f"{brought} of {made} images were brought to {by} pixels, the size that the model has learned on"
    return PredictionResult(len(table), output.with_suffix("") if made else output, bad, note if brought else "")


def _rescale_objects(objects: pd.DataFrame, names: Sequence[str], scale: NDArray[np.float64]) -> pd.DataFrame:
    """Objects with their images' names for `example`, and boxes times `scale` [N, 2], of height and width."""
    example = objects.pop("example").to_numpy()
    for column in {"x0", "y0", "x1", "y1"} & {*objects.columns}:
        objects[column] *= scale[example, 1 if column.startswith("x") else 0]
    objects.insert(0, "image", np.array(names)[example])
    return objects


def _build_output_path(name: str) -> Path:
    """Where in a folder the image made of one of this name goes: a PNG, and never out of the folder."""
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
