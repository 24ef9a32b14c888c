"""Predictions of images, as sources write them in their own formats."""

from dataclasses import dataclass
from pathlib import Path

from thalweg.system.fitting import Size


@dataclass(frozen=True)
class PredictedObject:
    """A box x0, y0, x1, y1 in pixels of the original, its class ('' without classes), and its confidence."""

    box: tuple[float, float, float, float]
    kind: str
    confidence: float


@dataclass(frozen=True)
class PredictedImage:
    """An image by its name, as a table has it, by `path`, which is safe below any folder, and by its file; its size.

    One of `label`, `count` and `objects` is predicted; the others are None.
    """

    name: str
    path: str
    file: Path
    size: Size
    label: str | None = None
    count: float | None = None
    objects: tuple[PredictedObject, ...] | None = None
