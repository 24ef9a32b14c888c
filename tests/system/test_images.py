"""Images of every depth, range and format, against values worked out by hand."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from tests.helpers.bad_images import build_chunk
from thalweg.system import files, images
from thalweg.system.fitting import Fit

RAMP = np.arange(12, dtype=np.float64).reshape(3, 4) / 11


def save(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


def read(path: Path, value_range: images.ValueRange | None = None) -> np.ndarray:
    return images.read_pixels(path, (3, 4), 1, value_range).pixels[..., 0]


@pytest.mark.parametrize(
    ("name", "dtype", "white"),
    [
        ("a.png", np.uint16, 1023),
        ("a.png", np.uint16, 4095),
        ("a.png", np.uint16, 16383),
        ("a.png", np.uint16, 65535),
        ("a.tif", np.uint16, 4095),
        ("a.tif", np.int32, 255),
        ("a.tif", np.int32, 65535),
        ("a.tif", np.int32, 1_000_000),
        ("a.tif", np.float32, 1.0),
        ("a.tif", np.float32, 255.0),
        ("a.tif", np.float32, 1e6),
    ],
)
def test_any_range_keeps_black_and_white(tmp_path: Path, name: str, dtype: type, white: float) -> None:
    file = save(tmp_path / name, np.round(RAMP * white, 6).astype(dtype))
    assert images.measure_range(file) == pytest.approx((0, white))
    np.testing.assert_allclose(read(file), np.rint(RAMP * 255), atol=1)
    assert (read(file).min(), read(file).max()) == (0, 255)


def test_eight_bits_have_no_range(tmp_path: Path) -> None:
    values = np.rint(RAMP * 100).astype(np.uint8)
    for name in ("a.png", "a.bmp", "a.tif"):
        file = save(tmp_path / name, values)
        assert images.measure_range(file) is None
        np.testing.assert_array_equal(read(file), values)


def test_set_of_images_stays_comparable() -> None:
    assert images.find_value_range([]) is None
    assert images.find_value_range([(3, 200), (0, 3000)]) == (0, 4095)
    assert images.find_value_range([(-5.5, 0.5)]) == (-5.5, 1)
    assert images.find_value_range([(0, 70_000)]) == (0, 70_000)
    assert images.find_value_range([(-4, -2)]) == (-4, 0)
    assert images.find_value_range([(0, 0)]) == (0, 1)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9)), min_size=1))
def test_range_holds_every_value(starts: list[tuple[float, float]]) -> None:
    ranges = [(low, low + length) for low, length in starts]
    value_range = images.find_value_range(ranges)
    assert value_range is not None
    assert value_range[0] <= min(low for low, _ in ranges)
    assert value_range[1] >= max(high for _, high in ranges)
    assert value_range[0] < value_range[1]


def test_value_outside_of_range_is_named(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png", np.rint(RAMP * 5000).astype(np.uint16))
    np.testing.assert_allclose(read(file, (0, 16383)), np.rint(RAMP * 5000 * 255 / 16383), atol=1)
    with pytest.raises(files.UserError, match=r"a\.png: .*values from 0 to 5000, outside of 0 \(black\) to 4095"):
        read(file, (0, 4095))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    file = save(tmp_path / "a.tif", np.full((3, 4), value, np.float32))
    for function in (images.measure_range, read):
        with pytest.raises(files.UserError, match="values that are not finite"):
            function(file)


def test_frames_are_counted(tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((3, 4), 40 * k, np.uint8)) for k in range(3)]
    for suffix in ("gif", "png", "tif", "webp"):
        file = tmp_path / f"a.{suffix}"
        pictures[0].save(file, save_all=True, append_images=pictures[1:])
        assert images.read_pixels(file, (3, 4), 1).frame_count == 3
        pictures[0].save(file)
        assert images.read_pixels(file, (3, 4), 1).frame_count == 1


def draw_photo(height: int, width: int) -> np.ndarray:
    """A smooth picture without symmetry."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    return np.stack([255 * x, 255 * y * y, 120 + 100 * np.sin(5 * x + 3 * y)], -1).astype(np.uint8)


def resize_fully(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(photo).resize(size[::-1], Image.Resampling.LANCZOS)).astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [(203, 317), (317, 203), (131, 131), (20, 30)])
def test_reduced_photos_keep_pixels_and_size(tmp_path: Path, shape: tuple[int, int], orientation: int) -> None:
    """Decoded at a half, a quarter or an eighth, with sides that these do not divide; turned in all ways."""
    photo, exif = draw_photo(*shape), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    turned = {
        **{1: photo, 2: photo[:, ::-1], 3: photo[::-1, ::-1], 4: photo[::-1], 5: photo.swapaxes(0, 1)},
        **{6: np.rot90(photo, -1), 7: photo[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(photo)},
    }[orientation]
    Image.fromarray(photo).save(tmp_path / "a.jpg", quality=98, subsampling=0, exif=exif)
    for size in ((12, 9), (25, 40), (70, 60), (330, 340)):
        reduced = images.read_pixels(tmp_path / "a.jpg", size, 3)
        assert reduced.original_size == turned.shape[:2]
        difference = np.abs(reduced.pixels - resize_fully(np.ascontiguousarray(turned), size))
        assert difference.mean() < 1.5, size
        assert difference.max() <= 12, size


def test_only_large_photos_are_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scales = []
    draft = JpegImageFile.draft

    def note_scale(image: JpegImageFile, mode: str, size: tuple[int, int]) -> object:
        before, box = image.width, draft(image, mode, size)
        scales.append(round(before / image.width))
        return box

    monkeypatch.setattr(JpegImageFile, "draft", note_scale)
    photo = Image.fromarray(draw_photo(64, 96))
    photo.save(tmp_path / "a.jpg")
    photo.convert("L").save(tmp_path / "gray.jpg")
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg")
    photo.save(tmp_path / "a.png")
    for size in ((4, 6), (8, 12), (9, 12), (16, 16), (17, 24), (32, 10), (33, 10)):
        images.read_pixels(tmp_path / "a.jpg", size, 1)
    assert scales == [8, 4, 2, 2, 1, 1, 1]
    assert images.read_pixels(tmp_path / "gray.jpg", (4, 6), 3).original_size == (64, 96)
    assert scales[7:] == [8]
    for name in ("cmyk.jpg", "a.png"):
        images.read_pixels(tmp_path / name, (4, 6), 3)
    assert len(scales) == 8


def test_cut_photo_is_named(tmp_path: Path) -> None:
    Image.fromarray(draw_photo(200, 300)).save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    for size in ((10, 10), (200, 300)):
        with pytest.raises(files.UserError, match=r"a\.jpg: not a readable image \(image file is truncated"):
            images.read_pixels(tmp_path / "a.jpg", size, 3)


def test_many_images_keep_their_order(tmp_path: Path) -> None:
    """Large ones, which are decoded one by one, among small and broken ones."""
    paths = []
    for number in range(24):
        paths.append(tmp_path / f"{number}.png")
        save(paths[-1], np.full((2 + number % 5, 4), 10 * number, np.uint8))
    for number in (3, 17):
        paths[number].write_bytes(b"broken")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "LARGE_PIXELS", 12)
        read = list(images.read_images(paths, (3, 4), 1))
    for number, (path, image) in enumerate(zip(paths, read, strict=True)):
        if number in (3, 17):
            assert str(image).startswith(f"{path}: not a readable image")
        else:
            assert isinstance(image, images.DecodedImage)
            np.testing.assert_array_equal(image.pixels, 10 * number)
    assert list(images.measure_ranges(paths)) == []


def test_other_formats_are_refused(tmp_path: Path) -> None:
    """Pillow has more formats by content, whatever the name; one of them starts Ghostscript."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\n%%EndComments\nshowpage\n%%EOF\n"
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(buffer, "PCX")
    for content in (eps, buffer.getvalue(), b"", b"hello", b"P5 4 3 255 " + bytes(12)):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(files.UserError, match=r"a\.png: not a readable image \(not one of the formats PNG, JPEG"):
            read(tmp_path / "a.png")


def test_broken_image_is_named(tmp_path: Path) -> None:
    save(tmp_path / "whole.png", np.zeros((30, 40), np.uint8))
    intact = (tmp_path / "whole.png").read_bytes()
    for content in (intact[:40], b"\x89PNG\r\n\x1a\nbroken"):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(files.UserError, match=r"a\.png: not a readable image"):
            read(tmp_path / "a.png")


def test_trap_for_memory_is_refused(tmp_path: Path) -> None:
    header = build_chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + build_chunk(b"IDAT", b"") + build_chunk(b"IEND", b"")
    )
    with pytest.raises(files.UserError, match="100000 x 100000 pixels; at most 268,435,456 can be read"):
        read(tmp_path / "a.png")


def test_written_text_is_found(tmp_path: Path) -> None:
    pixels = np.rint(RAMP * 255).astype(np.uint8)
    images.write_image(tmp_path / "a.png", pixels[..., None], {"Software": "x"})
    np.testing.assert_array_equal(read(tmp_path / "a.png"), pixels)
    assert images.has_image_text(tmp_path / "a.png", {"Software": "x"})
    assert not images.has_image_text(tmp_path / "a.png", {"Software": "y"})
    save(tmp_path / "b.png", pixels)
    assert not images.has_image_text(tmp_path / "b.png", {"Software": "x"})
    assert not images.has_image_text(tmp_path / "none.png", {"Software": "x"})


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (1, 1), (2, 3)])
@pytest.mark.parametrize("size", [(7, 5), (3, 4), (9, 11)])
@pytest.mark.parametrize("fit", ["stretch", "crop", "letterbox"])
def test_bitmap_holds_what_a_png_holds(tmp_path: Path, shape: tuple[int, ...], size: tuple[int, int], fit: Fit) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for values in (pixels, pixels * 0, pixels // 128 * 255):  # few values: a palette, or two colours
        images.write_image(tmp_path / "a.png", values)
        images.write_bitmap(tmp_path / "a.bmp", values)
        for channels in (1, 3):
            first, second = (
                images.read_pixels(tmp_path / name, size, channels, fit=fit) for name in ("a.png", "a.bmp")
            )
            np.testing.assert_array_equal(first.pixels, second.pixels)
            assert first.original_size == second.original_size
