"""Boxes in the format of COCO: .json files with `images`, `categories` and `annotations`, and images anywhere below.

The format is that of "Microsoft COCO: Common Objects in Context" (Lin et al. 2014): `bbox` is x, y, width, height in
pixels of the image, from its upper left corner.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeGuard

from pydantic import Field

from thalweg.data.examples import Fault
from thalweg.data.labelled.box_source import BoxFiles, BoxSource
from thalweg.data.labelled.file_index import find_folder_split, find_split, index_files
from thalweg.data.labelled.image_files import write_example_images
from thalweg.data.labelled.label_files import Annotation, LabelFiles, LabelRow, find_box_fault
from thalweg.data.predictions import PredictedImage
from thalweg.schema.section import Strings
from thalweg.system import files
from thalweg.system.counts import format_count, join_first

LISTS = ("images", "categories", "annotations")
MAX_PIXELS = 2**31
"""No coordinate is as large; neither is NaN below it."""


class Coco(BoxSource):
    """Images with boxes, listed in .json files.

    A file's name or folder says its split, as in instances_train2017.json; if it does not, the image's folder does.

    `file_name` is a path below the data's folder, from the .json file, from `/`, or the end of the path of one image.
    The classes are the categories that boxes have, by their ids. Regions marked `iscrowd` are no boxes.
    """

    kind: Literal["coco"] = "coco"
    REQUIRED_FILES: ClassVar[str] = "a .json file with images, categories and annotations, and the images"
    annotations: Strings = Field((), description="the .json files below the path; none: all that are in this format")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        write_example_images(folder / "train" / f"{name}.png" for name in "abc")
        images = [{"id": k, "file_name": f"{name}.png", "width": 9, "height": 7} for k, name in enumerate("abc")]
        boxes = [(0, 3, [1, 1, 3, 4]), (0, 1, [0, 0, 9, 7]), (2, 3, [4.5, 2, 2, 2])]
        annotations = [
            {"id": k, "image_id": image, "category_id": category, "bbox": box, "iscrowd": 0}
            for k, (image, category, box) in enumerate(boxes)
        ]
        categories = [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}]
        tree = {"images": images, "categories": categories, "annotations": annotations}
        files.write_json(folder / "annotations" / "instances_train.json", tree)
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        missing = [name for name in self.annotations if not files.path_exists(path / name)]
        if missing or self.annotations:
            return ", ".join(missing)
        return "" if any(name.endswith(".json") for name in files.list_files(path)) else ".json file"

    def read_labels(self, path: Path) -> LabelFiles:
        warnings: list[str] = []
        found = BoxFiles(index_files(path, warnings), warnings=warnings)
        names = self.annotations or tuple(name for name in found.index.names if name.endswith(".json"))
        readers = []
        for name in names:
            tree = files.read_json(path / name)
            if not isinstance(tree, dict) or not all(isinstance(tree.get(key), list) for key in LISTS):
                if self.annotations:
                    raise files.UserError(f"{path / name}: must have the lists {', '.join(LISTS)}")
                continue
            found.used.add(name)
            readers.append(_CocoFile(name, tree, path, found))
        if not readers:
            raise files.UserError(f"{path}: no .json file has the lists {', '.join(LISTS)}")
        for reader in readers:
            reader.read_images()
            reader.read_boxes()
        if found.left_out:
            regions = format_count(len(found.left_out), "region")
            found.warnings.append(
                f"{regions} marked iscrowd left out, so these images hold more objects: {join_first(found.left_out)}"
            )
        ordered = [text for reader in readers for _, text in sorted(reader.categories.items(), key=_sort_id)]
        return self.build_box_labels(found, ordered, f"no entry in {join_first(sorted(found.used), 3)}")

    @classmethod
    def encode_predictions(cls, images: Sequence[PredictedImage], classes: Sequence[str]) -> Mapping[str, bytes]:
        """Write one annotations.json; an image's `id` is its place from 1, and `score` is the confidence."""
        names = classes or [""]
        ids = {name: number for number, name in enumerate(names, 1)}
        annotations: list[dict[str, Any]] = []
        for number, image in enumerate(images, 1):
            for item in image.objects or ():
                x0, y0, x1, y1 = item.box
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": ids[item.kind],
                        "bbox": [x0, y0, x1 - x0, y1 - y0],
                        "area": (x1 - x0) * (y1 - y0),
                        "iscrowd": 0,
                        "score": item.confidence,
                    }
                )
        tree = {
            "images": [
                {"id": number, "file_name": image.name, "height": image.size[0], "width": image.size[1]}
                for number, image in enumerate(images, 1)
            ],
            "categories": [{"id": number, "name": name or "object"} for name, number in ids.items()],
            "annotations": annotations,
        }
        return {"annotations.json": (json.dumps(tree, ensure_ascii=False, allow_nan=False) + "\n").encode()}


class _CocoFile:
    """One .json file, whose entries become rows and boxes of `found`."""

    def __init__(self, name: str, tree: dict[str, Any], path: Path, found: BoxFiles) -> None:
        self.name, self.tree, self.path, self.found = name, tree, path, found
        self.split = find_split(name.rsplit("/", 1)[-1]) or find_folder_split(name)
        self.images: dict[Any, str] = {}
        self.first_rows: set[str] = set()
        self.categories: dict[Any, str] = {}
        self.repeated: set[Any] = set()
        for where, entry in self._list_entries("categories", "id", "name"):
            if entry["id"] in self.categories:
                self._add_fault(where, name, f"there already is a category with the id {entry['id']}")
                self.repeated.add(entry["id"])
            else:
                self.categories[entry["id"]] = str(entry["name"])

    def read_images(self) -> None:
        folders = (self.path, (self.path / self.name).parent, self.path / "images")
        for where, entry in self._list_entries("images", "id", "file_name"):
            written, number = str(entry["file_name"]), entry["id"]
            image, reason = self.found.index.find_image(written, self.split, *folders)
            if number in self.images:
                reason = f"there already is an image with the id {number}"
                self._add_fault(where, self.images[number], f"there is another image with the id {number}, {image}")
            if reason:
                self._add_fault(where, image, reason)
            split = self.split or find_folder_split(image)
            if self.found.add_row(LabelRow(where, {"image": image, "split": split})):
                self.first_rows.add(image)
            self.images.setdefault(number, image)
            height, width = entry.get("height"), entry.get("width")
            if _is_number(height) and _is_number(width) and height > 0 and width > 0:
                self.found.sizes[image] = (int(height), int(width))

    def read_boxes(self) -> None:
        for where, entry in self._list_entries("annotations", "image_id", "category_id"):
            number = entry["category_id"]
            image, category = self.images.get(entry["image_id"]), self.categories.get(number)
            if image is None:
                self._add_fault(where, self.name, f"no image has the id {entry['image_id']}")
            elif category is None or number in self.repeated:
                several = "several categories have" if category else "no category has"
                self._add_fault(where, image, f"{several} the id {number}")
            elif entry.get("iscrowd") == 1:
                self.found.left_out.append(where)
            elif image in self.first_rows:
                self._add_box(where, image, category, entry.get("bbox"))

    def _add_box(self, where: str, image: str, category: str, bbox: Any) -> None:
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_number, bbox)):
            self._add_fault(where, image, f"`bbox` must be four numbers, x, y, width and height, not {bbox!r:.60}")
            return
        x, y, width, height = map(float, bbox)
        if reason := find_box_fault(x, y, x + width, y + height):
            self._add_fault(where, image, reason)
            return
        self.found.boxes.setdefault(image, []).append(Annotation(where, (x, y, x + width, y + height), category))

    def _list_entries(self, key: str, *required: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return the location of each entry of a list, and the entry; one without the required keys is a fault.

        The fault is that of the image which the entry belongs to, if it says so.
        """
        for position, entry in enumerate(self.tree[key]):
            where = f"{self.name}:{key}[{position}]"
            present = entry.keys() if isinstance(entry, dict) else set()
            missing = [f"`{name}`" for name in required if name not in present]
            values = [] if missing else [entry[name] for name in required]
            number = entry.get("image_id") if isinstance(entry, dict) else None
            image = self.images.get(number, self.name) if isinstance(number, int | str) else self.name
            if missing:
                self._add_fault(where, image, f"has no {', '.join(missing)}")
            elif "" in values or not all(isinstance(value, int | str) for value in values):
                self._add_fault(where, image, f"{' and '.join(required)} must be a number or a text each")
            else:
                yield where, entry

    def _add_fault(self, where: str, image: str, reason: str) -> None:
        self.found.faults.append(Fault(image, where, reason))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_PIXELS


def _sort_id(item: tuple[Any, str]) -> tuple[bool, Any]:
    """Sort ids: numbers first, then texts."""
    return isinstance(item[0], str), item[0]
