"""A folder of small gray images with tables."""

from pathlib import Path
from typing import Literal

from PIL import Image

from thalweg.data.examples import ReadResult
from thalweg.data.sources.folder import Folder


def build_gray_image(value: int, height: int = 8, width: int = 6) -> Image.Image:
    return Image.new("L", (width, height), value)


def write_folder(path: Path, images: dict[str, Image.Image] | None = None, **tables: str) -> Path:
    """A data folder: images by name (by default a.png of gray 10 and b.png of gray 20) and tables by name."""
    for name, image in (
        {"a.png": build_gray_image(10), "b.png": build_gray_image(20)} if images is None else images
    ).items():
        file = path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
    for name, text in tables.items():
        (path / f"{name}.csv").write_text(text)
    return path


def read_folder(path: Path, height: int = 4, width: int = 3, channels: Literal[1, 3] = 1) -> ReadResult:
    return Folder(size=(height, width), channels=channels).read_examples(path, 0)


def list_faults(reading: ReadResult) -> list[tuple[str, str, str]]:
    return [(bad.name, bad.where, bad.reason) for bad in reading.faults]
