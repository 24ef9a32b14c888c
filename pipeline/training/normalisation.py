"""The normalisation of images: camera backgrounds, channel means and scales."""

import re

import numpy as np
from numpy.typing import NDArray

from thalweg.system.files import UserError


def compute_camera_backgrounds(pattern: str, images: NDArray[np.uint8], groups: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Compute the median image of each camera [S, H, W, C]; `pattern` matches the camera in a group's name.

    Raises `UserError` for a group without a match.
    """
    if not pattern:
        return np.zeros((0, *images.shape[1:]), np.uint8)
    matches = [re.search(pattern, str(group)) for group in groups]
    unnamed = sorted({str(group) for group, match in zip(groups, matches, strict=True) if match is None})
    if unnamed:
        raise UserError(f"data.background: '{pattern}' finds no camera in the groups {', '.join(unnamed[:5])}")
    cameras = np.array([match.group() for match in matches if match])
    return np.stack([np.median(images[cameras == c], axis=0).astype(np.uint8) for c in np.unique(cameras)])


def find_nearest_background(images: NDArray[np.uint8], backgrounds: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Find each image's nearest background by mean absolute difference [N]; 0 without backgrounds."""
    if not len(backgrounds):
        return np.zeros(len(images), np.int32)
    distances = [np.abs(images.astype(np.int16) - image.astype(np.int16)).mean((1, 2, 3)) for image in backgrounds]
    nearest: NDArray[np.int32] = np.argmin(distances, axis=0).astype(np.int32)
    return nearest


def compute_channel_statistics(
    images: NDArray[np.uint8], backgrounds: NDArray[np.uint8], background_index: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute mean and 1 / standard deviation of each input channel, images in 0..1: [C], [2 C] with backgrounds."""
    total, square, count = np.zeros(1), np.zeros(1), 0
    for start in range(0, len(images), 1024):
        chunk = images[start : start + 1024].astype(np.float64) / 255
        if len(backgrounds):
            chunk = np.concatenate([chunk, chunk - backgrounds[background_index[start : start + 1024]] / 255.0], -1)
        total = total + chunk.sum((0, 1, 2))
        square = square + np.square(chunk).sum((0, 1, 2))
        count += chunk[..., 0].size
    mean = total / count
    spread = np.sqrt(np.maximum(square / count - mean**2, 1e-8))
    return mean.astype(np.float32), (1 / spread).astype(np.float32)
