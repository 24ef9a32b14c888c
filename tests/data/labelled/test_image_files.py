"""The images of a folder: formats, depths, sizes, and unreadable files."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from tests.helpers.image_folder import build_gray_image, list_faults, read_folder, write_folder


def test_images_in_folders_or_beside_labels(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    build_gray_image(7).save(tmp_path / "day" / "a.png")
    (tmp_path / "labels.csv").write_text("image,count\nday/a.png,1\n")
    assert read_folder(tmp_path).examples.names.tolist() == ["day/a.png"]


def build_sixteen_bit_image() -> Image.Image:
    return Image.fromarray(np.full((8, 6), 100 * 257, np.uint16))


def build_transparent_png() -> Image.Image:
    image = Image.new("RGBA", (6, 8), (0, 0, 0, 0))
    image.paste((100, 100, 100, 255), (0, 0, 6, 4))
    return image


def build_palette_png() -> Image.Image:
    image = Image.new("P", (6, 8), 1)
    image.putpalette([0, 0, 0, 100, 100, 100])
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a.png", build_gray_image(100)),
        ("a.png", build_sixteen_bit_image()),
        ("a.tiff", build_sixteen_bit_image()),
        ("a.tif", Image.fromarray(np.full((8, 6), 100 * 257, np.int32))),
        ("a.png", build_palette_png()),
        ("a.gif", build_palette_png()),
        ("a.bmp", build_gray_image(100).convert("RGB")),
        ("a.jpg", build_gray_image(100)),
        ("A.JPEG", Image.new("CMYK", (6, 8), (0, 0, 0, 155))),
        ("a.webp", build_gray_image(100).convert("RGB")),
        ("a.png", build_gray_image(100).convert("LA")),
        ("a.png", build_gray_image(100).convert("RGBA")),
    ],
)
def test_formats_and_depths_read_alike(tmp_path: Path, name: str, image: Image.Image, channels: Literal[1, 3]) -> None:
    reading = read_folder(write_folder(tmp_path, {name: image}, labels=f"image,count\n{name},1\n"), channels=channels)
    assert reading.faults == ()
    assert reading.examples.images.shape == (1, 4, 3, channels)
    assert np.abs(reading.examples.images.astype(int) - 100).max() <= 1


def test_sixteen_bits_keep_black_and_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.array([0, 0xFFFF], np.uint16), 4)[:, None].repeat(6, 1))
    images = read_folder(
        write_folder(tmp_path, {"a.png": image}, labels="image,count\na.png,1\n"), 8, 6
    ).examples.images
    np.testing.assert_array_equal(images[0, :, 0, 0], [0] * 4 + [255] * 4)


def test_shrinking_averages_pixels(tmp_path: Path) -> None:
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    images = read_folder(
        write_folder(tmp_path, {"a.png": board}, labels="image,count\na.png,1\n"), 4, 4
    ).examples.images
    assert np.abs(images.astype(int) - 127.5).max() < 2


def test_points_in_upright_image(tmp_path: Path) -> None:
    """An image that its camera held sideways (orientation 6): stored 8 wide and 4 high, upright 4 wide and 8 high."""
    stored = np.zeros((4, 8), np.uint8)
    stored[:, :4] = 200  # the left half of the stored image is the upper half of the upright one
    exif = Image.Exif()
    exif[0x0112] = 6
    write_folder(tmp_path, {}, labels="image,count\na.png,1\n", points="image,x,y\na.png,3,6\n")
    (tmp_path / "images").mkdir()
    Image.fromarray(stored).save(tmp_path / "images" / "a.png", exif=exif)
    examples = read_folder(tmp_path, height=16, width=4).examples
    assert examples.images[0, :2].min() > 190
    assert examples.images[0, -2:].max() < 10
    assert examples.labels["points"].tolist() == [[[3, 12]]]


def test_unreadable_images_are_faults(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path, {"f.tiff": Image.new("F", (6, 8), float("nan"))}, labels="image,count\nf.tiff,1\nt.png,1\n"
    )
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    intact = tmp_path / "whole.png"
    Image.fromarray(noise).save(intact)
    (path / "images" / "t.png").write_bytes(intact.read_bytes()[:700])
    (name, _, reason), (other, _, why) = list_faults(read_folder(path))
    assert (name, reason) == ("f.tiff", "not a readable image (it has values that are not finite)")
    assert other == "t.png"
    assert "truncated" in why


def test_depth_is_that_of_all_images(tmp_path: Path) -> None:
    """12 bits in 16, one image darker than the others, beside one of 8 bits: all keep their order."""
    images = {"dark.png": 400, "light.png": 4000}
    deep = {name: Image.fromarray(np.full((6, 8), value, np.uint16)) for name, value in images.items()}
    labels = "image,count\ndark.png,0\nlight.png,1\nusual.png,2\n"
    reading = read_folder(write_folder(tmp_path, deep | {"usual.png": build_gray_image(100)}, labels=labels))
    assert reading.examples.images.max((1, 2, 3)).tolist() == [25, 249, 100]
    assert reading.examples.value_range == (0, 4095)
    assert reading.warnings == ("images of more than 8 bits are scaled so that 0 is black and 4095 is white",)


def test_unused_frames_are_counted(tmp_path: Path) -> None:
    path = write_folder(tmp_path, {"a.png": build_gray_image(100)}, labels="image,count\na.gif,0\na.png,1\n")
    Image.new("L", (8, 6), 90).save(
        path / "images" / "a.gif", save_all=True, append_images=[Image.new("L", (8, 6), 20)]
    )
    assert read_folder(path).warnings == ("1 image has several frames or pages; only the first is used: a.gif (2)",)


def test_nearly_black_images_are_named(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, {"a.png": build_gray_image(15)}, labels="image,count\na.png,0\n"))
    assert reading.warnings == ("all images are nearly black: the brightest pixel has 15 of 255",)


def test_transparent_becomes_white(tmp_path: Path) -> None:
    images = read_folder(
        write_folder(tmp_path, {"a.png": build_transparent_png()}, labels="image,count\na.png,1\n"), 8, 6
    ).examples.images
    np.testing.assert_array_equal(images[0, :, 0, 0], [100] * 4 + [255] * 4)
