"""Predict new images with a final model."""

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts import trained_model
from thalweg.cli import formats
from thalweg.cli.formats import CORNERS
from thalweg.cli.outputs import IMAGE_MARK, check_contents, check_outputs
from thalweg.config.params_file import parse_params
from thalweg.data.labelled.image_files import describe_frames, describe_range
from thalweg.data.predictions import PredictedImage
from thalweg.system import compiled, data_files, files, progress, table_files
from thalweg.system.counts import format_count, join_first
from thalweg.system.fitting import Fit, Size, place_image
from thalweg.system.images import ValueRange, find_value_range, is_image_name, measure_ranges, read_images, write_image
from thalweg.system.members import list_dotted_members
from thalweg.system.paths import PARAMS

BATCH_SIZE = 512  # images in memory at once


@dataclass(frozen=True)
class PredictionResult:
    """The number of predicted images, where they are, a message for each unreadable image, and notes."""

    count: int
    output: Path
    failures: list[str]
    notes: list[str]


def run_predict(arguments: argparse.Namespace) -> None:
    """Predict as the command line asks, and print where the predictions are. Raises `UserError` for unread images."""
    compiled.guard_compiled_programs()
    with progress.show_stage("predict"):
        result = predict_images(
            arguments.model,
            arguments.paths,
            arguments.out,
            form=arguments.format,
            force=arguments.force,
            trusted=arguments.trust,
        )
    for message in (*result.failures, *result.notes):
        print(message, file=sys.stderr)
    print(f"{format_count(result.count, 'prediction')} in {result.output}")
    if result.failures:
        total = result.count + len(result.failures)
        raise files.UserError(f"{len(result.failures)} of {format_count(total, 'image')} could not be read")


def predict_images(
    model_folder: Path,
    paths: Sequence[Path],
    output: Path,
    *,
    form: str = "",
    force: bool = False,
    trusted: Collection[str] = (),
) -> PredictionResult:
    """Predict every image at `paths`, in order, and write the CSV file `output`.

    The column `image` has a file's path as given. An image in a folder has its path within that folder, or within
    images/ if labels.csv lies beside it, as in a data source. Two images with the same name get their whole paths.
    Predicted objects go to a table beside the CSV (`.boxes.csv`), in pixels of the original image; predicted images go
    to a folder with the CSV's name, and so do the predictions in the format of a data source, if `form` names one.

    Raises `UserError` if `output` is not a CSV, there is no model, there are no images, the format cannot hold what
    the task predicts, or `check_outputs` finds a file of the user's where a result would be written.
    """
    if output.suffix.lower() != ".csv":
        raise files.UserError(f"{output}: must be a CSV file, for example --out {output.name}.csv")
    if fault := data_files.find_name_faults([str(output)]):
        raise files.UserError(fault[str(output)])
    model = trained_model.load_trained_model(model_folder, {*trusted, *_list_own_code()})
    all_images, others = _find_images(paths)
    name_faults = data_files.find_name_faults(all_images)
    images = {name: file for name, file in all_images.items() if name not in name_faults}
    if not all_images:
        raise files.UserError(f"{', '.join(map(str, paths))}: no images found")
    size, channels = model.image_shape[:2], model.image_shape[2]
    safe_paths = dict(_list_output_paths(images))
    pictures = {name: output.with_suffix("") / _name_png(path) for name, path in safe_paths.items()}
    source = formats.require_format(form, model.task) if form else None
    if source:
        source.check_predicted_names([path.as_posix() for path in safe_paths.values()], model.classes)
    predicted: list[PredictedImage] = []
    object_table = output.with_suffix(".boxes.csv")
    value_range = model.value_range or find_value_range(measure_ranges(images.values()))
    failures = [*name_faults.values()]
    several_frames: list[str] = []
    tables: list[pd.DataFrame] = []
    objects: list[pd.DataFrame] = []
    has_images, resized_count = False, 0
    readable = _read_images(images, size, channels, value_range, model.fit, failures, several_frames)
    while batch := tuple(islice(readable, BATCH_SIZE)):
        names, pixels, sizes = zip(*batch, strict=True)
        predictions = model.predict(np.stack(pixels))
        table = pd.DataFrame(model.task.build_prediction_columns(predictions, model.classes))
        table.insert(0, "image", names)
        predicted_images = model.task.render_images(predictions)
        object_columns = model.task.build_object_columns(predictions, model.classes)
        if predicted_images is not None:
            has_images = True
            resized_count += sum(original != size for original in sizes)
            table["prediction"] = [pictures[name].as_posix() for name in names]
        if object_columns is not None:
            restored = _restore_objects(pd.DataFrame(object_columns), names, sizes, size, model.fit)
            in_bars = len(object_columns["example"]) - len(restored)
            if in_bars:
                table["prediction"] = restored["image"].value_counts().reindex(names, fill_value=0).to_numpy()
            objects.append(restored)
        if not tables:
            own_tables = {output: table, **({object_table: objects[0]} if objects else {})}
            written_images = list(pictures.values()) if has_images else []
            check_outputs(own_tables, written_images, images.values(), force=force)
        for index, image in enumerate(() if predicted_images is None else predicted_images):
            x0, y0, x1, y1 = place_image(sizes[index], size, model.fit).target  # without the bars of a letterbox
            write_image(pictures[names[index]], image[y0:y1, x0:x1], IMAGE_MARK)
        if source:
            located = [(name, safe_paths[name], images[name], full) for name, full in zip(names, sizes, strict=True)]
            kind, found = formats.name_predictions(model.task), objects[-1] if objects else None
            predicted += formats.list_predictions(kind, located, table, found)
        tables.append(table)
    if not tables:
        raise files.UserError("\n".join([*failures, "no image could be read; nothing is written"]))
    folder, contents = output.with_suffix(""), source.encode_predictions(predicted, model.classes) if source else {}
    old_copies = check_contents(folder, contents, images.values(), force=force)
    all_rows = pd.concat(tables, ignore_index=True)
    table_files.write_table(output, all_rows)
    if objects:
        table_files.write_table(object_table, pd.concat(objects, ignore_index=True))
    for path in old_copies:
        files.remove_file(path)
    formats.write_files(folder, contents)
    notes = [f"files that are no images are not used, {len(others)} in all: {join_first(others)}"] if others else []
    notes += [describe_frames(several_frames)] if several_frames else []
    if resized_count:
        resized = f"{resized_count} of {format_count(len(all_rows), 'image')} resized to {size[0]} x {size[1]} pixels"
        notes.append(f"{resized}, the size that the model was trained on")
    if value_range and not model.value_range:
        notes.append(f"{describe_range(value_range)}; the model was trained on images of 8 bits")
    return PredictionResult(len(all_rows), folder if has_images or contents else output, failures, notes)


def _list_own_code() -> set[str]:
    """Return the dotted paths that the user's own params.yaml names."""
    try:
        return set(list_dotted_members(parse_params(PARAMS, files.read_bytes(PARAMS))[0]).values())
    except files.UserError:
        return set()


def _read_images(
    images: Mapping[str, Path],
    size: tuple[int, int],
    channels: int,
    value_range: ValueRange | None,
    fit: Fit,
    failures: list[str],
    several_frames: list[str],
) -> Iterator[tuple[str, NDArray[np.uint8], tuple[int, int]]]:
    """Return name, pixels and original size of each readable image.

    Adds a message to `failures` for each other image, and to `several_frames` each whose further frames are not used.
    """
    shown = progress.track(images, "predicting", len(images), "image")
    for name, image in zip(shown, read_images(images.values(), size, channels, value_range, fit), strict=True):
        if isinstance(image, files.UserError):
            failures.append(str(image))
            continue
        if image.frame_count > 1:
            several_frames.append(f"{name} ({image.frame_count})")
        yield name, image.pixels, image.original_size


def _restore_objects(
    objects: pd.DataFrame, names: Sequence[str], sizes: Sequence[Size], size: Size, fit: Fit
) -> pd.DataFrame:
    """Replace `example` by the image's name, and convert boxes from pixels of `size` to those of the originals.

    A box is cut at the image's border; one that lies in the bars of a letterbox is left out.
    """
    example = objects.pop("example").to_numpy()
    boxes = np.array(objects[list(CORNERS)], np.float64)
    for index, original in enumerate(sizes):
        rows = example == index
        restored = place_image(original, size, fit).convert_to_original(boxes[rows])
        boxes[rows] = np.clip(restored, 0, np.tile(original[::-1], 2))
    objects[list(CORNERS)] = boxes
    objects.insert(0, "image", np.array(names)[example])
    seen = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1))
    return objects.iloc[seen] if fit == "letterbox" else objects


def _list_output_paths(images: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """Return each image's name and path within the output folder, without absolute or parent paths.

    It lies directly in the folder if its original was given by path and has a unique file name.
    """
    counts = Counter(file.name for file in images.values())
    for name, file in images.items():
        original = Path(file.name if name == file.as_posix() and counts[file.name] == 1 else name)
        yield name, Path(*(part for part in original.parts if part != ".." and part != original.anchor))


def _name_png(path: Path) -> Path:
    return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")


def _find_images(paths: Sequence[Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the files of all images by name, and the files in folders that are no images.

    Two images with the same name get their whole paths; all do if such a path is the name of a third.
    """
    images: list[tuple[str, Path]] = []
    others: list[str] = []
    for path in paths:
        if not files.is_folder(path):
            images.append((path.as_posix(), path))
            continue
        is_labelled = files.path_exists(path / "labels.csv") and files.is_folder(path / "images")
        root = path / "images" if is_labelled else path
        names = files.list_files(root)
        images += [(name, root / name) for name in names if is_image_name(name)]
        others += [name for name in names if not is_image_name(name)]
    counts = Counter(name for name, _ in images)
    named = [(name if counts[name] == 1 else file.as_posix(), file) for name, file in images]
    is_unique = len(dict(named)) == len(set(named))
    return dict(named) if is_unique else {file.as_posix(): file for _, file in images}, others
