"""Decode images of every usual kind to 8 bits, on all cores, and encode PNG.

Only the formats in `FORMATS` are decoded: Pillow has more, and some of them start other programs.
"""

import io
import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from thalweg.system import files
from thalweg.system.fitting import Fit, Size, place_image
from thalweg.system.parallel import map_in_threads

FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
MAX_PIXELS = 2**28
"""Pixels of the largest image that is decoded; a larger one may be a trap for the memory."""
LARGE_PIXELS = 2**24
"""An image of more pixels is decoded alone, not one on each core."""
TURNED = (5, 6, 7, 8)
"""Orientations in EXIF data that exchange height and width."""
FINE_SCALE = 2
"""A reduced JPEG has at least this many pixels for each wanted one, in both directions."""
BAR_VALUE = 128
"""The value of the bars of a letterbox; of 255."""
Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS replaces Pillow's own limit, whose first stage is only a warning
WHITE_LEVELS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""Usual values of white: of floats, and of 8, 10, 12, 14 and 16 bits."""

ValueRange = tuple[float, float]
"""The values of black and white."""


@dataclass(frozen=True)
class DecodedImage:
    """Pixels uint8 [H, W, C], the size (H, W) of the original, and how many frames (or pages) its file has."""

    pixels: NDArray[np.uint8]
    original_size: Size
    frame_count: int = 1


_large_image = threading.Lock()


def is_image_name(name: str) -> bool:
    """Return whether a file has the suffix of an image that can be decoded."""
    return name.lower().endswith(_SUFFIXES)


@contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image. Raises `UserError` if it cannot be decoded, also within the block."""
    content = files.read_bytes(path)
    try:
        with Image.open(io.BytesIO(content), formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels; at most {MAX_PIXELS:,} can be read")
            with _large_image if image.width * image.height > LARGE_PIXELS else nullcontext():
                yield image
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds for a broken file
        reason = str(error).split("<_io")[0].strip() or type(error).__name__
        if reason == "cannot identify image file":
            reason = f"not one of the formats {', '.join(FORMATS)}"
        raise files.UserError(f"{path}: not a readable image ({reason})") from None


def measure_ranges(paths: Iterable[Path]) -> Iterator[ValueRange]:
    """Return the lowest and highest value of each readable image of more than 8 bits."""
    for measured in map_in_threads(_try_to_measure, paths):
        if measured:
            yield measured


def _try_to_measure(path: Path) -> ValueRange | None:
    try:
        return measure_range(path)
    except files.UserError:
        return None  # reading it says why


def measure_range(path: Path) -> ValueRange | None:
    """Return the least and the highest value of an image of more than 8 bits; None for 8 bits.

    Raises `UserError` if it cannot be decoded or has a value that is not finite.
    """
    with _open_image(path) as image:
        if not _is_wide(image):
            return None
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ValueError("it has values that are not finite")
        return float(values.min()), float(values.max())


def find_value_range(ranges: Iterable[ValueRange]) -> ValueRange | None:
    """Return black and white of a set of images of more than 8 bits; None if there are none.

    Black is 0, or the least value if that is negative. White is the first of `WHITE_LEVELS` that holds the highest
    value, or the highest value. So images of a set stay comparable, and no value is clipped.
    """
    pairs = list(ranges)
    if not pairs:
        return None
    lowest, highest = min(low for low, _ in pairs), max(high for _, high in pairs)
    levels = [level for level in WHITE_LEVELS if level >= highest and highest > 0]
    black, white = min(lowest, 0.0), min(levels) if levels else max(highest, 0.0)
    return black, white if white > black else black + 1.0


def read_images(
    paths: Iterable[Path], size: Size, channels: int, value_range: ValueRange | None = None, fit: Fit = "stretch"
) -> Iterator[DecodedImage | files.UserError]:
    """Read images as `read_pixels` does, on all cores; an error takes the place of an image that cannot be read."""
    return map_in_threads(partial(_try_to_read, size=size, channels=channels, value_range=value_range, fit=fit), paths)


def _try_to_read(
    path: Path, size: Size, channels: int, value_range: ValueRange | None, fit: Fit
) -> DecodedImage | files.UserError:
    try:
        return read_pixels(path, size, channels, value_range, fit)
    except files.UserError as error:
        return error


def read_pixels(
    path: Path, size: Size, channels: int, value_range: ValueRange | None = None, fit: Fit = "stretch"
) -> DecodedImage:
    """Read the first frame of an image, upright by its EXIF data, in `size` (H, W) and 1 or 3 `channels`.

    `place_image` says where the image lies in `size`; the bars of a letterbox have `BAR_VALUE`.

    Lanczos' filter resizes it, and uses every pixel when it shrinks. A large JPEG is first decoded at a half, a quarter
    or an eighth of its size, which averages its pixels. Values of more than 8 bits are scaled from
    `value_range`, or else from the image's own. Transparent pixels are drawn on white.

    Raises `UserError` if the image cannot be decoded, or a value is outside of `value_range`.
    """
    with _open_image(path) as image:
        frame_count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a photo and its thumbnail
        upright, original, is_resized = _decode_upright(image, size, fit)
        if _is_wide(upright):
            upright = _scale_values(np.asarray(upright, np.float64), value_range)
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
        mode = "L" if channels == 1 else "RGB"
        converted = upright if upright.mode == mode else upright.convert(mode)
        placement = place_image(original, size, fit)
        inner = placement.target_size
        if not is_resized:
            converted = converted.resize(inner[::-1], Image.Resampling.LANCZOS, placement.source)
        x0, y0, x1, y1 = placement.target
        pixels = np.full((*size, channels), BAR_VALUE, np.uint8)
        pixels[y0:y1, x0:x1] = np.asarray(converted).reshape(*inner, channels)
        return DecodedImage(pixels, original, frame_count)


def _decode_upright(image: Image.Image, size: Size, fit: Fit) -> tuple[Image.Image, Size, bool]:
    """Decode an image, upright by its EXIF data; return it, its size (H, W), and whether it was resized.

    A reduced JPEG is resized to the part that it fills.
    """
    stored, reduced, is_turned = image.size, None, False
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
        is_turned = image.getexif().get(ExifTags.Base.Orientation) in TURNED
        placement = place_image(stored[::-1], size[::-1] if is_turned else size, fit)
        x0, y0, x1, y1 = placement.source
        height, width = placement.target_size
        wanted = (width * stored[0] / (x1 - x0), height * stored[1] / (y1 - y0))
        reduced = image.draft(image.mode, (math.ceil(FINE_SCALE * wanted[0]), math.ceil(FINE_SCALE * wanted[1])))
    image.load()
    if reduced and image.size != stored:
        across, down = reduced[1][2] / stored[0], reduced[1][3] / stored[1]
        box = (x0 * across, y0 * down, x1 * across, y1 * down)
        image = image.resize((width, height), Image.Resampling.LANCZOS, box)
        return ImageOps.exif_transpose(image), stored if is_turned else stored[::-1], True
    ImageOps.exif_transpose(image, in_place=True)
    return image, (image.height, image.width), False


def _is_wide(image: Image.Image) -> bool:
    """Return whether an image has more than 8 bits a pixel (Pillow's modes I, I;16… and F)."""
    return image.mode.startswith(("I", "F"))


def _scale_values(values: NDArray[np.float64], value_range: ValueRange | None) -> Image.Image:
    if not np.isfinite(values).all():
        raise ValueError("it has values that are not finite")
    lowest, highest = float(values.min()), float(values.max())
    black, white = value_range or find_value_range([(lowest, highest)]) or (0.0, 1.0)
    if lowest < black or highest > white:
        raise ValueError(f"values from {lowest:g} to {highest:g}, outside of {black:g} (black) to {white:g} (white)")
    return Image.fromarray(convert_to_bytes(values, (black, white)))


def convert_to_bytes(values: NDArray[Any], value_range: ValueRange) -> NDArray[np.uint8]:
    """Scale values such that black becomes 0 and white 255."""
    black, white = value_range
    scaled: NDArray[np.uint8] = np.rint((values.astype(np.float64) - black) * (255 / (white - black))).astype(np.uint8)
    return scaled


def write_image(path: Path, pixels: NDArray[np.uint8], text: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write a PNG of uint8 pixels [H, W] or [H, W, C], with `text` by keyword in its metadata; C = 1 is gray."""
    buffer, info = io.BytesIO(), PngInfo()
    for name, value in text.items():
        info.add_text(name, value)
    _build_image(pixels).save(buffer, "PNG", pnginfo=info)
    files.write_bytes(path, buffer.getvalue())


def write_bitmap(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a BMP of uint8 pixels [H, W] or [H, W, C] that is soon read and removed.

    It holds the same pixels as a PNG. It is neither compressed nor flushed to disk, so it takes a tenth of the time.
    """
    buffer = io.BytesIO()
    _build_image(pixels).save(buffer, "BMP")
    files.write_scratch(path, buffer.getvalue())


def _build_image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels)


def has_image_text(path: Path, text: Mapping[str, str]) -> bool:
    """Return whether a file is a PNG with this text in its metadata."""
    try:
        with _open_image(path) as image:
            return image.format == "PNG" and {**text}.items() <= image.info.items()
    except files.UserError:
        return False
