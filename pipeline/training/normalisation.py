"""The normalisation of images: camera backgrounds, channel means and scales."""

import math
import re

import numpy as np
from numpy.typing import NDArray

from thalweg.system.files import UserError

CHUNK_BYTES = 2**20  # of images that are looked at at once
GRAY_LEVEL = 1 / 255


def compute_camera_backgrounds(
    pattern: str, images: NDArray[np.uint8], groups: NDArray[np.str_], rows: NDArray[np.integer]
) -> NDArray[np.uint8]:
    """Compute the median image of each camera's `rows` [S, H, W, C]; `pattern` matches the camera in a group's name.

    Raises `UserError` for a group without a match.
    """
    if not pattern:
        return np.zeros((0, *images.shape[1:]), np.uint8)
    matches = [re.search(pattern, str(group)) for group in groups[rows]]
    unnamed = sorted({str(group) for group, match in zip(groups[rows], matches, strict=True) if match is None})
    if unnamed:
        raise UserError(f"data.background: '{pattern}' finds no camera in the groups {', '.join(unnamed[:5])}")
    cameras = np.array([match.group() for match in matches if match])
    own_rows = [rows[cameras == camera] for camera in np.unique(cameras)]
    height = images.shape[1]
    return np.stack(
        [np.stack([np.median(images[own, y], axis=0).astype(np.uint8) for y in range(height)]) for own in own_rows]
    )


def find_nearest_background(images: NDArray[np.uint8], backgrounds: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Find each image's nearest background by mean absolute difference [N]; 0 without backgrounds."""
    nearest = np.zeros(len(images), np.int32)
    if not len(backgrounds):
        return nearest
    for rows in _split_rows(np.arange(len(images)), images):
        chunk = images[rows].astype(np.int16)
        nearest[rows] = np.argmin([np.abs(chunk - image).mean((1, 2, 3)) for image in backgrounds], axis=0)
    return nearest


def compute_channel_statistics(
    images: NDArray[np.uint8],
    backgrounds: NDArray[np.uint8],
    background_index: NDArray[np.int32],
    rows: NDArray[np.integer],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute mean and scale of each input channel of `rows`, images in 0..1.

    Both are [C], or [2 C] with backgrounds. The scale is 1 / standard deviation. A channel that varies by less than one
    gray level keeps scale 1: it says nothing, and a larger scale would blow up what augmentation or another image adds.
    The sums are whole numbers, so they are exact in any order.
    """
    channels = images.shape[-1] * (2 if len(backgrounds) else 1)
    total, square = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    for own in _split_rows(rows, images):
        chunk = images[own].astype(np.int32)
        if len(backgrounds):
            chunk = np.concatenate([chunk, chunk - backgrounds[background_index[own]]], -1)
        total += chunk.sum((0, 1, 2), np.int64)
        square += np.square(chunk).sum((0, 1, 2), np.int64)
    count = len(rows) * images.shape[1] * images.shape[2]
    mean = total / (255 * count)
    spread = np.sqrt(np.maximum(square / (255**2 * count) - mean**2, 0.0))
    scale = 1 / np.where(spread < GRAY_LEVEL, 1.0, spread)
    return mean.astype(np.float32), scale.astype(np.float32)


def _split_rows(rows: NDArray[np.integer], images: NDArray[np.uint8]) -> list[NDArray[np.integer]]:
    """Split rows into parts whose images have about CHUNK_BYTES, and each at least one image."""
    count = max(1, CHUNK_BYTES // math.prod(images.shape[1:]))
    return [rows[start : start + count] for start in range(0, len(rows), count)]
