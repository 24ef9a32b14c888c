"""Boxes in the format of YOLO: a .txt file for each image, and a list of class names.

A line is: number of the class, middle x, middle y, width, height, all four as shares of the image's sides (Redmon, the
Darknet framework). A sixth number, the confidence of a prediction, is not used.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, Self

from pydantic import Field

from thalweg.data.examples import Fault
from thalweg.data.labelled.box_source import BoxFiles, BoxSource, check_stems
from thalweg.data.labelled.file_index import FileIndex, find_folder_split, index_files
from thalweg.data.labelled.image_files import write_example_images
from thalweg.data.labelled.label_files import Annotation, LabelFiles, LabelRow, is_number
from thalweg.data.predictions import PredictedImage
from thalweg.data.sources.yolo.dataset_file import describe_other_names, find_name_file, read_names, read_sets
from thalweg.schema.section import Strings
from thalweg.system import files
from thalweg.system.counts import format_count, join_first
from thalweg.system.images import is_image_name

COLUMNS = ("class", "x", "y", "width", "height")
ROUNDING = 1e-4
"""A box may reach so far beyond its image, as a share of its side: numbers in files are rounded."""


class Yolo(BoxSource):
    """Images with boxes in .txt files: labels/a.txt for images/a.jpg, or a.txt beside a.jpg.

    The sets train, val (valid, validation) and test of data.yaml are the split; without them, folders on the way to an
    image that are called so. An image without a file has no boxes. Names are those of data.yaml (`names`), or the lines
    of classes.txt or obj.names.
    """

    kind: Literal["yolo"] = "yolo"
    REQUIRED_FILES: ClassVar[str] = "images, their .txt files, and data.yaml or classes.txt"
    classes: Strings = Field((), description="names of the classes 0, 1, …; none: from data.yaml or classes.txt")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        write_example_images(folder / "images" / f"{name}.png" for name in "abc")
        files.write_text(folder / "labels" / "a.txt", "1 0.5 0.5 1 1\n0 0.25 0.25 0.2 0.5\n")
        files.write_text(folder / "labels" / "b.txt", "")
        files.write_text(folder / "labels" / "c.txt", "1 0.3 0.625 0.4 0.25\n")
        files.write_text(folder / "classes.txt", "cat\ndog\n")
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        if not any(name.endswith(".txt") for name in files.list_files(path)):
            return ".txt file of boxes"
        return "" if self.classes or find_name_file(index_files(path, [])) else "data.yaml or classes.txt"

    def read_labels(self, path: Path) -> LabelFiles:
        warnings: list[str] = []
        found = BoxFiles(index_files(path, warnings), warnings=warnings)
        names = self.classes or read_names(path, found)
        splits = read_sets(path, found)
        images = [name for name in found.index.names if is_image_name(name)]
        label_files = {image: _find_label_file(image, found.index) for image in images}
        images_by_file: dict[str, list[str]] = {}
        for image, file in label_files.items():
            images_by_file.setdefault(file, []).append(image)
        without = []
        for image, file in label_files.items():
            row = LabelRow(file or image, {"image": image, "split": splits.get(image, [find_folder_split(image)])[0]})
            found.add_row(row)
            if len(splits.get(image, ())) > 1:
                found.faults.append(row.fault(f"data.yaml puts this image into the {' and '.join(splits[image])} sets"))
            if not file:
                without.append(image)
                continue
            found.used.add(file)
            if len(images_by_file[file]) == 1:
                _read_boxes(path, file, image, names, found)
            else:
                found.faults.append(row.fault(f"{' and '.join(images_by_file[file])} share this file"))
        if len(without) == len(images):
            raise files.UserError(
                f"{path}: no image has a .txt file of boxes, beside it or in a folder labels/ in place of images/"
            )
        if without:
            have = f"{format_count(len(without), 'image')} without a .txt file"
            found.warnings.append(f"{have} count as images without objects: {join_first(without)}")
        found.warnings.extend(describe_other_names(path, names, found))
        found.faults.extend(_find_lone_files(found))
        return self.build_box_labels(found, names, "no .txt file", has_shares=True)

    @classmethod
    def check_predicted_names(cls, paths: Sequence[str], classes: Sequence[str]) -> None:  # noqa: ARG003
        check_stems(paths, ".txt")

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, bytes]:
        """Write labels/ and classes.txt; the sixth number of a line is the confidence."""
        names = [*classes] or ["object"]
        content = {"classes.txt": "".join(f"{name}\n" for name in names)}
        for image in images:
            sides = (image.size[1], image.size[0])
            lines = []
            for item in image.objects or ():
                x0, y0, x1, y1 = (value / sides[axis % 2] for axis, value in enumerate(item.box))
                shares = ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, item.confidence)
                number = names.index(item.kind) if item.kind else 0
                lines.append(" ".join([str(number), *(f"{share:.9g}" for share in shares)]) + "\n")
            content[f"labels/{PurePosixPath(image.path).with_suffix('.txt')}"] = "".join(lines)
        return {name: text.encode() for name, text in content.items()}


def _find_label_file(image: str, index: FileIndex) -> str:
    """Return the file of an image's boxes: in labels/ in place of the last images/, or beside it; '' if none."""
    beside = PurePosixPath(image).with_suffix(".txt")
    parts = list(beside.parts)
    places = [position for position, part in enumerate(parts[:-1]) if part == "images"]
    swapped = [*parts[: places[-1]], "labels", *parts[places[-1] + 1 :]] if places else ["labels", *parts]
    return next((name for name in ("/".join(swapped), beside.as_posix()) if name in index.known), "")


def _read_boxes(path: Path, file: str, image: str, names: Sequence[str], found: BoxFiles) -> None:
    text = files.read_bytes(path / file).decode("utf-8-sig", errors="replace")
    for line, content in enumerate(text.splitlines(), 1):
        cells, where = content.split(), f"{file}:{line}"
        if not cells:
            continue
        faults = list(_find_line_faults(cells, len(names)))
        found.faults.extend(Fault(image, where, fault) for fault in faults)
        if not faults:
            x, y, width, height = map(float, cells[1:5])
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            inside = tuple(_clamp_rounded(corner) for corner in corners)
            found.boxes.setdefault(image, []).append(Annotation(where, inside, names[int(float(cells[0]))]))


def _find_line_faults(cells: list[str], class_count: int) -> Iterator[str]:
    if len(cells) not in (5, 6):
        yield f"the line has {format_count(len(cells), 'number')}; a box has five: {', '.join(COLUMNS)}"
        return
    words = [f"`{name}` is not a finite number ('{cell}')" for name, cell in zip(COLUMNS, cells, strict=False)
             if not is_number(cell)]  # fmt: skip
    yield from words
    if words:
        return
    number, *shares = map(float, cells[:5])
    if not number.is_integer() or not 0 <= number < class_count:
        yield f"the class {cells[0]} is none of 0 to {class_count - 1}, the classes that have a name"
    for name, share in zip(COLUMNS[1:], shares, strict=True):
        if not 0 <= share <= 1:
            yield f"`{name}` is {share:g}, but a share of the image's side is from 0 to 1"
        elif share == 0 and name in ("width", "height"):
            yield f"the box has no area: its {name} is 0"


def _clamp_rounded(share: float) -> float:
    """Return the image's edge for a share that rounding took beyond it."""
    edge = min(max(share, 0.0), 1.0)
    return edge if abs(share - edge) <= ROUNDING else share


def _find_lone_files(found: BoxFiles) -> Iterator[Fault]:
    """Find files of boxes in labels/ that belong to no image."""
    for name in found.index.names:
        if name.endswith(".txt") and name not in found.used and "labels" in name.split("/")[:-1]:
            found.used.add(name)
            yield Fault(name, name, "there is no image of this name")
