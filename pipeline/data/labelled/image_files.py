"""Read the images that label files list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Fault
from thalweg.data.labelled.label_files import LabelFiles
from thalweg.system import files, images, progress
from thalweg.system.counts import join_first
from thalweg.system.fitting import Fit, Size
from thalweg.system.images import ValueRange

MIN_BRIGHTEST = 16
"""The least value of the brightest pixel without a warning; of 255. Colours of 12 bits in 16 reach 15."""


@dataclass(frozen=True)
class ImageFiles:
    """Pixels uint8 [N, H, W, C] in the order of the rows, the size (H, W) of each readable original, by name.

    `value_range`: black and white of the images of more than 8 bits; None if there are none.
    """

    pixels: NDArray[np.uint8]
    original_sizes: dict[str, Size]
    value_range: ValueRange | None
    warnings: tuple[str, ...]


def read_images(labels: LabelFiles, size: Size, channels: int, fit: Fit, faults: list[Fault]) -> ImageFiles:
    """Read each row's image; add a fault for each that is missing or cannot be read."""
    rows, root = labels.rows, labels.index.root
    paths = {row.image: root / row.image for row in rows if labels.index.has_file(row.image)}
    measured_paths = progress.track(paths.values(), "measuring", len(paths), "image")
    value_range = images.find_value_range(images.measure_ranges(measured_paths))
    pixels = np.zeros((len(rows), *size, channels), np.uint8)
    original_sizes, several_frames = {}, []
    decoded = images.read_images(paths.values(), size, channels, value_range, fit)
    for index, row in enumerate(progress.track(rows, "reading", len(rows), "image")):
        if row.image not in paths:
            similar = labels.index.suggest_name(row.image)
            hint = f"; did you mean {similar}?" if similar else ""
            faults.append(row.fault(f"no such file below {root.name or root}/{hint}"))
            continue
        image = next(decoded)
        if isinstance(image, files.UserError):
            faults.append(row.fault(str(image).removeprefix(f"{paths[row.image]}: ")))
            continue
        pixels[index], original_sizes[row.image] = image.pixels, image.original_size
        if image.frame_count > 1:
            several_frames.append(f"{row.image} ({image.frame_count})")
    return ImageFiles(
        pixels, original_sizes, value_range, tuple(find_image_warnings(pixels, value_range, several_frames))
    )


def write_example_images(paths: Iterable[Path]) -> None:
    """Write an image of 7 x 9 pixels to each path, each of another colour."""
    for number, path in enumerate(paths):
        images.write_image(path, np.full((7, 9, 3), (20, 60, 50 * number), np.uint8))


def find_image_warnings(
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
