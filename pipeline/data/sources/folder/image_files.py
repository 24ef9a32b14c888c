"""Read the images that labels.csv lists."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Fault
from thalweg.data.sources.folder.label_tables import LabelRow
from thalweg.system import files, images, progress
from thalweg.system.counts import join_first
from thalweg.system.images import ValueRange

MIN_BRIGHTEST = 16
"""The least value of the brightest pixel without a warning; of 255. Colours of 12 bits in 16 reach 15."""


@dataclass(frozen=True)
class ImageFiles:
    """Pixels uint8 [N, H, W, C] in the order of the rows, the size (H, W) of each readable original, by name.

    `value_range`: black and white of the images of more than 8 bits; None if there are none.
    """

    pixels: NDArray[np.uint8]
    original_sizes: dict[str, tuple[int, int]]
    value_range: ValueRange | None
    warnings: tuple[str, ...]


def read_images(
    root: Path, files_below: list[str], rows: list[LabelRow], size: tuple[int, int], channels: int, faults: list[Fault]
) -> ImageFiles:
    """Read each row's image; add a fault for each that is missing or cannot be read."""
    existing = {*files_below}
    by_path, by_name = ({_fold_name(file, is_path): file for file in files_below} for is_path in (True, False))
    measured_rows = progress.track(rows, "measuring", len(rows), "image")
    value_range = images.find_value_range(
        images.measure_ranges(root / row.image for row in measured_rows if row.image in existing)
    )
    pixels = np.zeros((len(rows), *size, channels), np.uint8)
    original_sizes, several_frames = {}, []
    decoded = images.read_images(
        (root / row.image for row in rows if row.image in existing), size, channels, value_range
    )
    for index, row in enumerate(progress.track(rows, "reading", len(rows), "image")):
        if row.image not in existing:
            similar = by_path.get(_fold_name(row.image, True)) or by_name.get(_fold_name(row.image, False))
            hint = f"; did you mean {similar}?" if similar else ""
            faults.append(row.fault(f"no such file below {root.name or root}/{hint}"))
            continue
        image = next(decoded)
        if isinstance(image, files.UserError):
            faults.append(row.fault(str(image).removeprefix(f"{root / row.image}: ")))
            continue
        pixels[index], original_sizes[row.image] = image.pixels, image.original_size
        if image.frame_count > 1:
            several_frames.append(f"{row.image} ({image.frame_count})")
    return ImageFiles(
        pixels, original_sizes, value_range, tuple(_find_image_warnings(pixels, value_range, several_frames))
    )


def _fold_name(path: str, is_path: bool) -> str:
    """Return a path, or its last part, without what differs between systems: case, Unicode form, backslashes."""
    folded = unicodedata.normalize("NFC", path).casefold().replace("\\", "/").removeprefix("./")
    return folded if is_path else folded.rsplit("/", 1)[-1]


def _find_image_warnings(
    pixels: NDArray[np.uint8], value_range: ValueRange | None, several_frames: list[str]
) -> Iterator[str]:
    if several_frames:
        yield describe_frames(several_frames)
    if value_range:
        yield describe_range(value_range)
    if pixels.size and pixels.max() < MIN_BRIGHTEST:
        yield f"all images are nearly black: the brightest pixel has {pixels.max()} of 255"


def describe_frames(several_frames: list[str]) -> str:
    """Say that only the first frame is used of these images, named with their numbers of frames."""
    count = len(several_frames)
    have = "image has" if count == 1 else "images have"
    return f"{count} {have} several frames or pages; only the first is used: {join_first(several_frames)}"


def describe_range(value_range: ValueRange) -> str:
    black, white = value_range
    return f"images of more than 8 bits are scaled so that {black:g} is black and {white:g} is white"
