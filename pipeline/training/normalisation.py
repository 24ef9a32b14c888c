"""What is taken off images before a network sees them: camera backgrounds, means, scales."""

import re

import numpy as np
from numpy.typing import NDArray

from thalweg.system.files import UserError


def compute_camera_backgrounds(pattern: str, images: NDArray[np.uint8], groups: NDArray[np.str_]) -> NDArray[np.uint8]:
    """The median image of each camera [S, H, W, C], the camera being what `pattern` finds in a group's name."""
    if not pattern:
        return np.zeros((0, *images.shape[1:]), np.uint8)
    found = [re.search(pattern, str(group)) for group in groups]
    unnamed = sorted({str(group) for group, match in zip(groups, found, strict=True) if match is None})
    if unnamed:
        raise UserError(f"data.background: '{pattern}' finds no camera in the groups {', '.join(unnamed[:5])}")
    cameras = np.array([match.group() for match in found if match])
    return np.stack([np.median(images[cameras == c], axis=0).astype(np.uint8) for c in np.unique(cameras)])


def find_nearest_background(images: NDArray[np.uint8], backgrounds: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Which background each image lies nearest to, by mean absolute difference [N]; 0 where there are none."""
    if not len(backgrounds):
        return np.zeros(len(images), np.int32)
    distances = [np.abs(images.astype(np.int16) - one.astype(np.int16)).mean((1, 2, 3)) for one in backgrounds]
    chosen: NDArray[np.int32] = np.argmin(distances, axis=0).astype(np.int32)
    return chosen


def compute_channel_statistics(
    images: NDArray[np.uint8], backgrounds: NDArray[np.uint8], background_index: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and 1 / standard deviation of each input channel, of images in 0..1, [C] or [2 C] with backgrounds."""
    total, square, count = np.zeros(1), np.zeros(1), 0
    for start in range(0, len(images), 1024):
        piece = images[start : start + 1024].astype(np.float64) / 255
        if len(backgrounds):
            piece = np.concatenate([piece, piece - backgrounds[background_index[start : start + 1024]] / 255.0], -1)
        total = total + piece.sum((0, 1, 2))
        square = square + np.square(piece).sum((0, 1, 2))
        count += piece[..., 0].size
    mean = total / count
    spread = np.sqrt(np.maximum(square / count - mean**2, 1e-8))
    return mean.astype(np.float32), (1 / spread).astype(np.float32)
