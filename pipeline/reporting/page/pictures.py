"""A picture of a gallery as page and Markdown show it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thalweg.reporting.text import number
from thalweg.system.files import read_bytes


@dataclass(frozen=True)
class Picture:
    """A PNG as a data address, its size in pixels, its image's name, and what is told of it."""

    address: str
    width: int
    height: int
    name: str
    words: str


def read_picture(row: Mapping[str, Any]) -> Picture:
    """Read a picture of a gallery."""
    png = read_bytes(Path(row["file"]))
    # the header of a PNG has its size (PNG specification, 11.2.2)
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Picture(address, width, height, str(row["image"]), _describe(row))


def _describe(row: Mapping[str, Any]) -> str:
    """`7.2, truth 9`: what the winner said of a picture, and what is so; of an image how near it is to the truth."""
    if "psnr" in row:
        return f"{number(row['psnr'])} dB, given {number(row['given_psnr'])} dB"
    if "prediction" not in row:
        return f"error {number(row['error'])}"
    return f"{number(row['prediction'])}, truth {number(row['truth'])}"
