"""Images as one array of bytes, from what a user has in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.system import images
from thalweg.system.counts import format_more

WHITE = 1.0
"""The value of white in images of floats; black is 0."""


def convert_images(values: Any) -> tuple[NDArray[np.uint8], list[str]]:
    """Return images as uint8 [N, H, W] or [N, H, W, C], and what is wrong with them."""
    if np.ma.is_masked(values):
        return np.zeros(len(values), np.uint8), ["images: have masked values; fill them, as by images.filled(0)"]
    try:
        array = np.asarray(values)
    except Exception:  # a library's array may raise anything
        count = len(values) if isinstance(values, list | tuple) else ()
        return np.zeros(count, np.uint8), ["images: not one array; give all images one size"]
    if faults := list(_find_image_faults(array)):
        return np.zeros(array.shape[:1], np.uint8), faults
    if array.dtype == np.uint8:
        return array, []
    return images.convert_to_bytes(array, (0.0, WHITE)), []


def _find_image_faults(array: NDArray[Any]) -> Iterator[str]:
    shape = [*array.shape]
    if array.dtype.kind in "OSUT":
        hint = "; for files, give no `data`, but set data.path and data.source" if _holds_paths(array) else ""
        yield f"images: must be one array of numbers, not {_describe_type(array)}{hint}"
        return
    if array.dtype.kind != "f" and array.dtype != np.uint8:
        is_small = array.dtype.kind in "iu" and array.size and 0 <= array.min() <= array.max() <= 255
        hint = "; these fit: use images.astype('uint8')" if is_small else ""
        yield f"images: the type is {array.dtype}; it must be uint8 (0 to 255) or floats (0 to 1){hint}"
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
        hint = "; put the channels last" if array.ndim == 4 and array.shape[1] in (1, 3) else ""
        yield f"images: the shape is {shape}; it must be [N, H, W] or [N, H, W, C] with 1 or 3 channels C{hint}"
    elif not array.size:
        yield f"images: the shape is {shape}: there is no pixel"
    elif array.dtype.kind == "f":
        pixels = array.reshape(len(array), -1)
        if bad := np.flatnonzero(~np.isfinite(pixels).all(1)).tolist():
            yield f"images[{bad[0]}]: has values that are not finite{format_more(bad)}"
        elif bad := np.flatnonzero((pixels.min(1) < 0) | (pixels.max(1) > WHITE)).tolist():
            ends = f"{pixels[bad[0]].min():g} to {pixels[bad[0]].max():g}"
            hint = "; divide by 255" if pixels.min() >= 0 and pixels.max() <= 255 else ""
            yield f"images[{bad[0]}]: has values from {ends}; floats must be 0 to 1{hint}{format_more(bad)}"


def _holds_paths(array: NDArray[Any]) -> bool:
    return array.size > 0 and isinstance(array.ravel().tolist()[0], str | Path)


def _describe_type(array: NDArray[Any]) -> str:
    return f"the type {type(array.item()).__name__}" if array.ndim == 0 else f"an array of the type {array.dtype}"
