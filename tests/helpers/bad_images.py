"""Bytes of images that are broken, odd, or not what their names say."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRAY = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
SEVERAL = (GRAY, 255 - GRAY, GRAY // 2)


def encode(kind: str, values: NDArray[Any] = GRAY, **options: Any) -> bytes:
    """Return an image's bytes in a format of Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind, **options)
    return buffer.getvalue()


def encode_frames(kind: str) -> bytes:
    first, *others = map(Image.fromarray, SEVERAL)
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=others)
    return buffer.getvalue()


def build_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def build_png(width: int, height: int, data: bytes = b"", depth: int = 8) -> bytes:
    """Return a PNG of gray pixels with this header and this content, whatever fits."""
    header = build_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + build_chunk(b"IDAT", zlib.compress(data)) + build_chunk(b"IEND", b"")


def flip_byte(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


def with_values(dtype: type, *values: float) -> NDArray[Any]:
    """Return an image whose first pixels have these values, and whose others are 1."""
    image: NDArray[Any] = np.ones((20, 30), dtype)
    image.flat[: len(values)] = values
    return image


PNG, JPEG, TIFF, BMP, GIF, WEBP = (encode(kind) for kind in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"))
UNREADABLE = "not a readable image"
FORMATS = "not one of the formats PNG, JPEG, BMP, GIF, TIFF, WEBP"
INFINITE = "values that are not finite"
FRAMES = "1 image has several frames or pages; only the first is used"
WIDE = "images of more than 8 bits are scaled"

BAD_IMAGES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("b.png", b"", FORMATS),
    "text": ("b.png", b"hello\n", FORMATS),
    "page of an error": ("b.jpg", b"<!DOCTYPE html><title>404</title>", FORMATS),
    "pointer of Git LFS": ("b.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", FORMATS),
    "zeros": ("b.png", bytes(500), FORMATS),
    "archive": ("b.png", b"PK\x03\x04" + bytes(60), FORMATS),
    "PostScript": ("b.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\nshowpage\n", FORMATS),
    "PDF": ("b.png", b"%PDF-1.4\n1 0 obj\n", FORMATS),
    "SVG": ("b.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", FORMATS),
    "PCX": ("b.png", encode("PCX"), FORMATS),
    "ICO": ("b.png", encode("ICO"), FORMATS),
    "PPM": ("b.png", encode("PPM"), FORMATS),
    "TGA": ("b.png", encode("TGA"), FORMATS),
    "JPEG 2000": ("b.jpg", encode("JPEG2000"), FORMATS),
    "signature only": ("b.png", PNG[:8], UNREADABLE),
    "PNG cut in header": ("b.png", PNG[:20], UNREADABLE),
    "PNG cut in pixels": ("b.png", PNG[:-60], UNREADABLE),
    "PNG without pixels": ("b.png", build_png(30, 20), UNREADABLE),
    "PNG with a flipped byte": ("b.png", flip_byte(PNG, len(PNG) // 2), UNREADABLE),
    "PNG with another size": ("b.png", flip_byte(PNG, 19), UNREADABLE),
    "PNG without width": ("b.png", build_png(0, 20), UNREADABLE),
    "PNG without height": ("b.png", build_png(30, 0), UNREADABLE),
    "PNG of depth 3": ("b.png", build_png(30, 20, bytes(31 * 20), depth=3), UNREADABLE),
    "trap for memory": (
        "b.png",
        build_png(100_000, 100_000),
        "100000 x 100000 pixels; at most 268,435,456",
    ),
    "JPEG cut in header": ("b.jpg", JPEG[:30], UNREADABLE),
    "JPEG cut in pixels": ("b.jpg", JPEG[: len(JPEG) * 3 // 4], UNREADABLE),
    "TIFF cut": ("b.tif", TIFF[:40], UNREADABLE),
    "TIFF without directory": ("b.tif", TIFF[:4] + b"\xff\xff\xff\x7f" + TIFF[8:], UNREADABLE),
    "BMP cut": ("b.bmp", BMP[:100], UNREADABLE),
    "GIF cut": ("b.gif", GIF[:14], UNREADABLE),
    "WebP cut": ("b.webp", WEBP[:40], UNREADABLE),
    "NaN": ("b.tif", encode("TIFF", with_values(np.float32, np.nan)), INFINITE),
    "infinity": ("b.tif", encode("TIFF", with_values(np.float32, np.inf)), INFINITE),
    "minus infinity": ("b.tif", encode("TIFF", with_values(np.float32, -np.inf)), INFINITE),
    "several pages": ("b.tif", encode_frames("TIFF"), FRAMES),
    "animated GIF": ("b.gif", encode_frames("GIF"), FRAMES),
    "animated PNG": ("b.png", encode_frames("PNG"), FRAMES),
    "animated WebP": ("b.webp", encode_frames("WEBP"), FRAMES),
    "16 bits": ("b.png", encode("PNG", with_values(np.uint16, 4000)), f"{WIDE} so that 0 is black and 4095 is white"),
    "32 bits": ("b.tif", encode("TIFF", with_values(np.int32, 70_000)), "0 is black and 70000 is white"),
    "negative": ("b.tif", encode("TIFF", with_values(np.int32, -5, 200)), "-5 is black and 255 is white"),
    "fractions": ("b.tif", encode("TIFF", with_values(np.float32, 0.0, 0.5)), "0 is black and 1 is white"),
}
"""By kind: the file's name, its content, and a part of the message."""
