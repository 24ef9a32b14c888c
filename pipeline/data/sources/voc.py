"""Boxes in the format of Pascal VOC: an .xml file for each image, and lists of names for a split.

The first pixel has the number 1, and a box holds its last pixel ("The PASCAL Visual Object Classes Challenge",
Everingham et al. 2010): it reaches from xmin - 1 to xmax.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, Self
from xml.sax.saxutils import escape

from pydantic import Field

from thalweg.data.examples import Fault
from thalweg.data.labelled.box_source import BoxFiles, BoxSource, check_stems
from thalweg.data.labelled.file_index import SPLIT_WORDS, find_folder_split, index_files
from thalweg.data.labelled.image_files import write_example_images
from thalweg.data.labelled.label_files import Annotation, LabelFiles, LabelRow, find_box_fault, is_number
from thalweg.data.predictions import PredictedImage
from thalweg.schema.section import Strings
from thalweg.system import files, safe_xml
from thalweg.system.counts import format_count, join_first
from thalweg.system.images import is_image_name
from thalweg.system.safe_xml import Element

SIDES = ("xmin", "ymin", "xmax", "ymax")
IMAGE_FOLDERS = ("JPEGImages", "images")
LISTS = "ImageSets/Main/"
LIST_FILE = re.compile(rf"{LISTS}[^/]+\.txt")
LIST_MARK = re.compile(r"\s+-?[01]$")
"""What lists of one class have after a name: whether the image holds the class."""


class Voc(BoxSource):
    """Images with boxes in .xml files, such as Annotations/a.xml for JPEGImages/a.jpg.

    `filename` is a path below JPEGImages/, images/ or the data's folder, from the .xml file, or the end of the path of
    one image; else, or if that image has another .xml file, the image with the .xml file's own name is meant. The lists
    ImageSets/Main/train.txt, val.txt and test.txt are the split; without them, folders called so, of the .xml file or
    else of the image. An object marked `difficult` is used unless `difficult` is false.
    """

    kind: Literal["voc"] = "voc"
    REQUIRED_FILES: ClassVar[str] = "images and an .xml file for each"
    classes: Strings = Field((), description="names that objects may have, in this order; none: all, sorted")
    difficult: bool = Field(True, description="whether to use objects that are marked as difficult")
    first_pixel: Literal[0, 1] = Field(1, description="the number of the first pixel; 0: xmin and xmax are edges")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        paths = [folder / "JPEGImages" / f"{name}.png" for name in "abc"]
        write_example_images(paths)
        images = [PredictedImage(path.name, path.name, path, (7, 9)) for path in paths]
        for file, content in cls.encode_predictions(images, ()).items():
            files.write_bytes(folder / file, content)
        box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>7</ymax></bndbox>"
        text = f"<annotation><filename>a.png</filename><object><name>cat</name>{box}</object></annotation>"
        files.write_text(folder / "Annotations" / "a.xml", text)
        files.write_text(folder / "ImageSets" / "Main" / "train.txt", "a\nb\n")
        files.write_text(folder / "ImageSets" / "Main" / "val.txt", "c\n")
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        return "" if any(name.endswith(".xml") for name in files.list_files(path)) else ".xml file"

    def read_labels(self, path: Path) -> LabelFiles:
        warnings: list[str] = []
        found = BoxFiles(index_files(path, warnings), warnings=warnings)
        stems: dict[str, list[str]] = {}
        for name in filter(is_image_name, found.index.names):
            stems.setdefault(PurePosixPath(name).stem, []).append(name)
        own_images = {stem: names[0] for stem, names in stems.items() if len(names) == 1}
        splits = _read_lists(path, found)
        others = []
        for file in filter(_is_xml, found.index.names):
            try:
                root = safe_xml.read_xml(path / file)
            except files.UserError as error:
                where, _, reason = str(error).removeprefix(f"{path}/").partition(": ")
                found.faults.append(Fault(file, where, reason))
                found.used.add(file)
                continue
            if root.tag == "annotation":
                found.used.add(file)
                if _find_stem(root.find_text("filename")) in ("", PurePosixPath(file).stem):
                    self._read_annotation(path, file, root, own_images, splits, found)
                else:
                    others.append((file, root))
        # an image belongs to the .xml file of its own name, then to one that has no image of its own name
        stale: list[str] = []
        for file, root in sorted(others, key=lambda item: PurePosixPath(item[0]).stem in own_images):
            if self._read_annotation(path, file, root, own_images, splits, found):
                stale.append(file)
        if not found.rows and not found.faults:
            raise files.UserError(f"{path}: no .xml file has the root `annotation`")
        if stale:
            several = f"{format_count(len(stale), '.xml file')} whose `filename` is the image of another .xml file"
            found.warnings.append(f"{several}, read for the image with its own name: {join_first(sorted(stale))}")
        if found.left_out:
            objects = format_count(len(found.left_out), "object")
            found.warnings.append(f"{objects} marked difficult left out: {join_first(found.left_out)}")
        found.warnings.extend(_describe_unknown_names(splits, found))
        return self.build_box_labels(found, self.classes or None, "no .xml file")

    def _read_annotation(
        self,
        path: Path,
        file: str,
        root: Element,
        own_images: Mapping[str, str],
        splits: Mapping[str, list[str]],
        found: BoxFiles,
    ) -> bool:
        """Read one .xml file; return whether the image that it names is that of another, so that its own is used."""
        stem, where = PurePosixPath(file).stem, f"{file}:{root.line}"
        written, own = root.find_text("filename"), own_images.get(stem, "")
        listed = splits.get(stem, [""])
        split = listed[0] if splits else find_folder_split(file)
        folders = [*(path / folder for folder in IMAGE_FOLDERS), (path / file).parent, path]
        image, reason = found.index.find_image(written, split, *folders)
        is_stale = bool(own) and own not in found.images and image in found.images
        if own and (is_stale or reason or not found.index.has_file(image)):
            image, reason = own, ""
        if not written and not found.index.has_file(image) and not reason:
            found.faults.append(Fault(file, where, "there is no image of this name"))
            return False
        row = LabelRow(where, {"image": image, "split": split or ("" if splits else find_folder_split(image))})
        is_first = found.add_row(row)
        if len(listed) > 1:
            reason = reason or f"this name is in the lists of the {' and '.join(sorted(listed))} sets"
        if reason:
            found.faults.append(row.fault(reason))
        size = next(root.list_children("size"), Element("", 0))
        height, width = size.find_text("height"), size.find_text("width")
        if height.isdecimal() and width.isdecimal() and int(height) and int(width):
            found.sizes[image] = (int(height), int(width))
        for item in root.list_children("object") if is_first else ():
            self._read_object(file, image, item, found)
        return is_stale

    def _read_object(self, file: str, image: str, item: Element, found: BoxFiles) -> None:
        where, name = f"{file}:{item.line}", item.find_text("name")
        box = next(item.list_children("bndbox"), Element("", 0))
        cells = [box.find_text(side) for side in SIDES]
        faults = [f"`{side}` is not a finite number ('{cell}')" for side, cell in zip(SIDES, cells, strict=True)
                  if not is_number(cell)]  # fmt: skip
        if not name:
            faults.append("the object has no name")
        elif self.classes and name not in self.classes:
            faults.append(f"the name '{name}' is none of data.source.classes ({', '.join(self.classes)})")
        if not faults:
            x0, y0, x1, y1 = map(float, cells)
            corners = (x0 - self.first_pixel, y0 - self.first_pixel, x1, y1)
            if fault := find_box_fault(*corners):
                faults.append(fault)
            elif item.find_text("difficult") == "1" and not self.difficult:
                found.left_out.append(where)
            else:
                found.boxes.setdefault(image, []).append(Annotation(where, corners, name))
        found.faults.extend(Fault(image, where, fault) for fault in faults)

    @classmethod
    def check_predicted_names(cls, paths: Sequence[str], classes: Sequence[str]) -> None:  # noqa: ARG003
        check_stems(paths, ".xml")

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, bytes]:  # noqa: ARG003
        """Write Annotations/, with `confidence` in each object."""
        content = {}
        for image in images:
            objects = []
            for item in image.objects or ():
                x0, y0, x1, y1 = item.box
                sides = "".join(f"<{n}>{v:.9g}</{n}>" for n, v in zip(SIDES, (x0 + 1, y0 + 1, x1, y1), strict=True))
                name = f"<name>{escape(item.kind or 'object')}</name><difficult>0</difficult>"
                confidence = f"<confidence>{item.confidence:.9g}</confidence>"
                objects.append(f"  <object>{name}{confidence}<bndbox>{sides}</bndbox></object>\n")
            height, width = image.size
            size = f"  <size><width>{width}</width><height>{height}</height></size>\n"
            filename = f"  <filename>{escape(image.name)}</filename>\n"
            text = f"<annotation>\n{filename}{size}{''.join(objects)}</annotation>\n"
            content[f"Annotations/{PurePosixPath(image.path).with_suffix('.xml')}"] = text.encode()
        return content


def _is_xml(name: str) -> bool:
    return name.endswith(".xml")


def _find_stem(written: str) -> str:
    return PurePosixPath(written.replace("\\", "/")).stem


def _read_lists(path: Path, found: BoxFiles) -> dict[str, list[str]]:
    """Read the lists of the split: the sets of each .xml file's name without suffix."""
    stems = {PurePosixPath(file).stem for file in filter(_is_xml, found.index.names)}
    splits: dict[str, list[str]] = {}
    for file in (name for name in found.index.names if LIST_FILE.fullmatch(name)):
        found.used.add(file)
        split = SPLIT_WORDS.get(PurePosixPath(file).stem, "")
        text = files.read_bytes(path / file).decode("utf-8-sig", errors="replace") if split else ""
        for line in filter(None, map(str.strip, text.splitlines())):
            name = line if line in stems else LIST_MARK.sub("", line)
            if split not in splits.setdefault(name, []):
                splits[name].append(split)
    return splits


def _describe_unknown_names(splits: Mapping[str, list[str]], found: BoxFiles) -> Iterator[str]:
    stems = {PurePosixPath(file).stem for file in found.used if _is_xml(file)}
    unknown = [name for name in splits if name not in stems]
    if unknown:
        yield f"{format_count(len(unknown), 'name')} in {LISTS} without an .xml file: {join_first(unknown)}"
