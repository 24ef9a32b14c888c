"""Write predictions in the format of a data source."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from thalweg.data.examples import DataSource
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.schema.section import find_members
from thalweg.system import files
from thalweg.system.fitting import Size
from thalweg.tasks import Task

CORNERS = ("x0", "y0", "x1", "y1")


def list_formats() -> dict[str, type[DataSource]]:
    """Return the data sources that can write predictions, by kind."""
    members = find_members("thalweg.data.sources")
    return {
        kind: member
        for kind, member in members.items()
        if issubclass(member, DataSource) and member.WRITTEN_PREDICTIONS
    }


def require_format(kind: str, task: Task) -> type[DataSource]:
    """Return the source of this kind. Raises `UserError` if it cannot write what the task predicts."""
    formats = list_formats()
    if kind not in formats:
        raise files.UserError(f"--format {kind}: no such format; choose one of {', '.join(formats)}")
    predicted = name_predictions(task)
    suitable = [name for name, member in formats.items() if predicted in member.WRITTEN_PREDICTIONS]
    if kind not in suitable:
        others = f"; choose one of {', '.join(suitable)}" if suitable else "; no format does"
        raise files.UserError(f"--format {kind}: does not hold what the task `{task.kind}` predicts{others}")
    return formats[kind]


def name_predictions(task: Task) -> str:
    """Return what a task predicts of an image: 'label', 'count', 'objects', or 'image'."""
    if type(task).build_object_columns is not Task.build_object_columns:
        return "objects"
    return {"class": "label", "number": "count"}.get(task.OUTPUT_KIND, "image")


def list_predictions(
    predicted: str,
    images: Sequence[tuple[str, Path, Path, Size]],
    table: pd.DataFrame,
    objects: pd.DataFrame | None,
) -> Iterator[PredictedImage]:
    """Return the predictions of images, given by name, safe path, file and size, in the rows of `table`."""
    found = dict(iter(objects.groupby("image"))) if objects is not None else {}
    for (name, path, file, size), value in zip(images, table["prediction"], strict=True):
        yield PredictedImage(
            name=name,
            path=path.as_posix(),
            file=file,
            size=size,
            label=str(value) if predicted == "label" else None,
            count=float(value) if predicted == "count" else None,
            objects=tuple(_list_objects(found[name]) if name in found else ()) if predicted == "objects" else None,
        )


def _list_objects(rows: pd.DataFrame) -> Iterator[PredictedObject]:
    kinds = rows["class"].tolist() if "class" in rows else [""] * len(rows)
    corners = [rows[corner].tolist() for corner in CORNERS]
    for x0, y0, x1, y1, kind, confidence in zip(*corners, kinds, rows["confidence"].tolist(), strict=True):
        yield PredictedObject((x0, y0, x1, y1), str(kind), confidence)


def write_files(folder: Path, contents: Mapping[str, bytes | Path]) -> None:
    """Write files of these contents, or copies of these files, by their paths below a folder."""
    for name, content in contents.items():
        files.write_bytes(folder / name, files.read_bytes(content) if isinstance(content, Path) else content)
