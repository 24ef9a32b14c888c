"""Whether a data set fits into memory."""

from thalweg.data.examples import Examples
from thalweg.system import machine

COPIES = 2  # of all pixels that `prepare` holds at most: as read from IDX files, and as one array


def find_memory_problem(outline: Examples) -> str:
    """Say that the images need more memory than there is; "" if they fit. `outline` needs no pixels."""
    needed, free = COPIES * outline.images.size, machine.count_free_bytes()
    if needed <= free:
        return ""
    count, height, width, channels = outline.images.shape
    images = f"{count:,} images of {height} x {width} x {channels} bytes"
    return f"{images} need {needed:,} bytes of memory; {free:,} are free. Use smaller or fewer images."
