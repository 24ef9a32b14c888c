"""Small data sets in the formats that people have."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.examples import ReadResult
from thalweg.system import files
from thalweg.system.images import write_image

SIZE = (8, 10)
"""Height and width of a drawn image."""


def draw_images(folder: Path, *names: str, size: tuple[int, int] = SIZE) -> None:
    """Write images that differ in their brightness."""
    for number, name in enumerate(names):
        write_image(folder / name, np.full((*size, 3), 20 + 10 * number, np.uint8))


def write_coco(file: Path, names: Iterable[str], boxes: Iterable[tuple[int, int, Any]], **changes: Any) -> None:
    """Write a .json file of COCO: images by file name, boxes by image and category (1: cat, 4: dog)."""
    tree: dict[str, Any] = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 4, "name": "dog"}, {"id": 1, "name": "cat"}],
        "annotations": [{"image_id": image, "category_id": kind, "bbox": box} for image, kind, box in boxes],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(tree | changes))


def write_voc(file: Path, *objects: str, head: str = "") -> None:
    """Write an .xml file of VOC, each object on a line of its own, the first on line 2."""
    lines = "".join(f"<object>{item}</object>\n" for item in objects)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"<annotation>{head}\n{lines}</annotation>\n")


def write_texts(path: Path, **contents: str) -> None:
    """Write files whose names have __ for / and end in .txt."""
    for name, content in contents.items():
        files.write_text(path / f"{name.replace('__', '/')}.txt", content)


def format_box(name: str, *sides: Any, extra: str = "") -> str:
    corners = "".join(f"<{n}>{v}</{n}>" for n, v in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True))
    return f"<name>{name}</name>{extra}<bndbox>{corners}</bndbox>"


def list_messages(result: ReadResult) -> list[str]:
    """Return faults and warnings as `prepare` prints them."""
    return [*(f"{bad.where}: {bad.name}: {bad.reason}" for bad in result.faults), *result.warnings]


def list_boxes(result: ReadResult) -> dict[str, list[tuple[str, list[float]]]]:
    """Return the class and the corners of each box, by image."""
    examples, found = result.examples, {}
    labels: Any = examples.labels
    for row, name in enumerate(examples.names.tolist()):
        slots = np.flatnonzero(labels["present"][row])
        kinds = (
            [examples.classes[labels["kinds"][row][slot]] for slot in slots] if "kinds" in labels else [""] * len(slots)
        )
        found[name] = [
            (kind, [round(float(value), 4) for value in labels["boxes"][row][slot]])
            for kind, slot in zip(kinds, slots, strict=True)
        ]
    return found
