"""A folder for each class: cat/a.png, dog/b.png; with a split, train/cat/a.png, val/dog/b.png, test/…"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from thalweg.data.labelled.file_index import find_folder_split, index_files
from thalweg.data.labelled.image_files import write_example_images
from thalweg.data.labelled.image_source import ImageSource
from thalweg.data.labelled.label_files import LabelFiles, LabelRow, drop_lone_split
from thalweg.data.predictions import PredictedImage
from thalweg.system import files
from thalweg.system.counts import format_count, join_first
from thalweg.system.images import is_image_name


class ImageFolder(ImageSource):
    """Images sorted into folders, whose names are the classes; folders within them do not matter.

    If all folders at the top are called like splits (train; val, valid or validation; test) and hold folders, they are
    the splits. A train folder alone marks no split.
    """

    kind: Literal["imagefolder"] = "imagefolder"
    REQUIRED_FILES: ClassVar[str] = "a folder of images for each class"
    WRITTEN_PREDICTIONS: ClassVar[tuple[str, ...]] = ("label",)

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        names = ("train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "test/dog/old/d.png")
        write_example_images(folder / name for name in names)
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        folders = [inner for inner in files.find_files(path, "*") if files.is_folder(inner)]
        if len(folders) == 1:  # of a part, or of all images
            folders = [inner for inner in files.find_files(folders[0], "*") if files.is_folder(inner)]
        return "" if len(folders) > 1 else "folders of two classes"

    def read_labels(self, path: Path) -> LabelFiles:
        warnings: list[str] = []
        index = index_files(path, warnings)
        images = [name for name in index.names if is_image_name(name)]
        has_splits = _has_splits(path, images)
        depth = 1 + has_splits
        rows, faults = [], []
        for name in images:
            folders = name.split("/")[:-1]
            label = folders[depth - 1] if len(folders) >= depth else ""
            split = find_folder_split(f"{folders[0]}/") if has_splits and folders else ""
            cells = {"image": name, "label": label, "split": split}
            rows.append(LabelRow(f"{'/'.join(folders) or '.'}/", cells))
            if len(folders) < depth:
                faults.append(rows[-1].fault("lies in no folder of a class"))
        good = {fault.name for fault in faults}
        classes = tuple(sorted({row.cells["label"] for row in rows if row.image not in good}))
        if not classes:
            raise files.UserError(f"{path}: no folder with images; make a folder for each class, named like it")
        return LabelFiles(
            index=index,
            rows=drop_lone_split(rows),
            faults=faults,
            warnings=[*warnings, *_describe_empty_folders(path, has_splits, classes)],
            listed=frozenset(images),
            classes=classes,
        )

    @classmethod
    def check_predicted_names(cls, paths: Sequence[str], classes: Sequence[str]) -> None:
        odd = [name for name in classes if "/" in name or name.startswith(".")]
        if odd:
            raise files.UserError(f"no folder can be named like these classes: {join_first(odd)}")
        shared = [path for path, count in Counter(paths).items() if count > 1]
        if shared:
            raise files.UserError(f"several images have the same path below their folders: {join_first(shared)}")

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, Path]:  # noqa: ARG003
        """Copy each image into the folder of its class."""
        return {f"{image.label}/{image.path}": image.file for image in images}


def _has_splits(path: Path, images: list[str]) -> bool:
    """Return whether the folders at the top are splits. Raises `UserError` where only some of them seem to be."""
    inside: dict[str, bool] = {}
    for name in images:
        top, *rest = name.split("/")
        if rest:
            inside[top] = inside.get(top, False) or len(rest) > 1
    splits = [top for top, has_folders in inside.items() if has_folders and find_folder_split(f"{top}/")]
    bare = [top for top in inside if top not in splits and find_folder_split(f"{top}/")]
    others = [top for top in inside if top not in [*splits, *bare]]
    problems = []
    if others:
        problems.append(
            f"{path}: there are folders of splits ({join_first(splits)}), but also others ({join_first(others)}); "
            "put the folders of classes into folders train, validation and test, or into none"
        )
    if bare:
        problems.append(
            f"{path}: {join_first(bare)}: hold images without a folder of a class; sort them into folders such as "
            f"{bare[0]}/CLASS/, or move them out of the data"
        )
    if splits and problems:
        raise files.UserError("\n".join(problems))
    return bool(splits)


def _describe_empty_folders(path: Path, has_splits: bool, classes: Sequence[str]) -> Iterator[str]:
    pattern = "*/*" if has_splits else "*"
    folders = {file.name for file in files.find_files(path, pattern) if files.is_folder(file)}
    empty = sorted(name for name in folders - {*classes} if not name.startswith("."))
    if empty:
        yield f"{format_count(len(empty), 'folder')} without images, so without a class: {join_first(empty)}"
