"""Whether a data set and a network fit into memory."""

from thalweg.data.examples import Examples
from thalweg.system import machine

COPIES = 2  # of all pixels that `prepare` holds at most: as read from IDX files, and as one array
WEIGHT_COPIES = 3  # that training a lane holds at least: the weights, their gradient, and the best weights so far


def find_memory_problem(outline: Examples) -> str:
    """Say that the images need more memory than there is; "" if they fit. `outline` needs no pixels."""
    needed, free = COPIES * outline.images.size, machine.count_free_bytes()
    if needed <= free:
        return ""
    count, height, width, channels = outline.images.shape
    images = f"{count:,} images of {height} x {width} x {channels} bytes"
    return f"{images} need {needed:,} bytes of memory; {free:,} are free. Use smaller or fewer images."


def find_weights_problem(weight_bytes: int) -> str:
    """Say that training a network with weights of so many bytes needs more memory than there is; "" if it fits."""
    needed, free = WEIGHT_COPIES * weight_bytes, machine.count_free_bytes()
    if needed <= free:
        return ""
    return (
        f"training the network needs at least {needed:,} bytes of memory, {WEIGHT_COPIES} times its weights, and "
        f"{free:,} are free; use a smaller network"
    )
