"""Pictures of a gallery for page and Markdown."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thalweg.reporting.text import format_number
from thalweg.system.files import read_bytes


@dataclass(frozen=True)
class GalleryPicture:
    """A PNG as a data URL, its size in pixels, the name of its image, and a caption."""

    data_url: str
    width: int
    height: int
    name: str
    caption: str


def read_picture(row: Mapping[str, Any]) -> GalleryPicture:
    """Read a picture; its caption compares the winner's prediction with the truth (`7.2, truth 9`)."""
    png = read_bytes(Path(row["file"]))
    # the header of a PNG has its size (PNG specification, 11.2.2)
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    if "psnr" in row:
        words = f"{format_number(row['psnr'])} dB, input {format_number(row['given_psnr'])} dB"
    elif "prediction" in row:
        words = f"{format_number(row['prediction'])}, truth {format_number(row['truth'])}"
    else:
        words = f"error {format_number(row['error'])}"
    return GalleryPicture(address, width, height, str(row["image"]), words)
