"""Boxes drawn on an enlarged image."""

import numpy as np
from numpy.typing import NDArray

MIN_PICTURE_SIDE = 288  # pixels of the longer side, about
TRUE_COLOUR = (60, 160, 255)
FOUND_COLOUR = (255, 140, 0)
DASH_PIXELS = 7
GAP_PIXELS = 5


def draw_true_and_found(
    image: NDArray[np.float32], true_boxes: NDArray[np.float32], found_boxes: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Draw true boxes [P, 4] and found boxes [M, 4] on an image [H, W, C] in 0..1, enlarged."""
    times = max(1, round(MIN_PICTURE_SIDE / max(image.shape[:2])))
    large = np.repeat(np.repeat(np.rint(image * 255).astype(np.uint8), times, 0), times, 1)
    picture = np.array(np.broadcast_to(large, (*large.shape[:2], 3)))
    for boxes, colour, dashed in ((true_boxes, TRUE_COLOUR, False), (found_boxes, FOUND_COLOUR, True)):
        for box in boxes:
            draw_outline(picture, np.rint(box * times).astype(int), colour, dashed)
    return picture


def draw_outline(picture: NDArray[np.uint8], box: NDArray[np.int_], colour: tuple[int, int, int], dashed: bool) -> None:
    """Draw a box x0, y0, x1, y1: a line two pixels wide, with a dark edge that shows on any background."""
    height, width, _ = picture.shape
    x0, y0, x1, y1 = box
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]

    def is_within(by: int) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (columns >= x0 - by) & (columns < x1 + by) & (rows >= y0 - by) & (rows < y1 + by)
        return inside

    is_dash = (rows + columns) % (DASH_PIXELS + GAP_PIXELS) < DASH_PIXELS if dashed else np.True_
    picture[is_within(2) & ~is_within(-2) & is_dash] //= 3
    picture[is_within(1) & ~is_within(-1) & is_dash] = colour
