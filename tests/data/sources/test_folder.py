import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from thalweg.data.examples import ReadResult
from thalweg.data.sources.folder import Folder
from thalweg.system.files import UserError

BUS_STOP = os.environ.get("THALWEG_BUS_STOP", "")
"""A folder of real frames, laid out as presets/bus-stop.yaml says."""


def build_gray_image(value: int, height: int = 8, width: int = 6) -> Image.Image:
    return Image.new("L", (width, height), value)


def write_folder(path: Path, images: dict[str, Image.Image] | None = None, **tables: str) -> Path:
    """A data folder: images by name (by default a.png of gray 10 and b.png of gray 20) and tables by name."""
    for name, image in (
        {"a.png": build_gray_image(10), "b.png": build_gray_image(20)} if images is None else images
    ).items():
        file = path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
    for name, text in tables.items():
        (path / f"{name}.csv").write_text(text)
    return path


def read_folder(path: Path, height: int = 4, width: int = 3, channels: Literal[1, 3] = 1) -> ReadResult:
    return Folder(size=(height, width), channels=channels).read_examples(path, 0)


def list_faults(reading: ReadResult) -> list[tuple[str, str, str]]:
    return [(bad.name, bad.where, bad.reason) for bad in reading.faults]


def test_labels_are_sorted_by_image(tmp_path: Path) -> None:
    labels = "image,count,group,split\nb.png,3,left,test\n\na.png,0,right,\n"
    reading = read_folder(write_folder(tmp_path, labels=labels))
    examples = reading.examples
    assert (reading.faults, reading.warnings) == ((), ())
    assert examples.names.tolist() == ["a.png", "b.png"]
    assert examples.groups.tolist() == ["right", "left"]
    assert examples.split.tolist() == ["", "test"]
    assert examples.labels["count"].dtype == np.float32
    assert examples.labels["count"].tolist() == [0, 3]
    assert examples.images.dtype == np.uint8
    assert examples.images.shape == (2, 4, 3, 1)
    assert examples.images[:, 0, 0, 0].tolist() == [10, 20]


def test_groups_default_to_images(tmp_path: Path) -> None:
    examples = read_folder(write_folder(tmp_path, labels="image,count\na.png,1\nb.png,1\n")).examples
    assert examples.groups.tolist() == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("given", "classes", "indices"),
    [
        (["cat", "ant"], ("ant", "cat"), [1, 0]),
        (["10", "9"], ("9", "10"), [1, 0]),
        (["10", "9a"], ("10", "9a"), [0, 1]),
    ],
)
def test_labels_index_sorted_classes(
    tmp_path: Path, given: list[str], classes: tuple[str, ...], indices: list[int]
) -> None:
    examples = read_folder(write_folder(tmp_path, labels=f"image,label\na.png,{given[0]}\nb.png,{given[1]}\n")).examples
    assert examples.classes == classes
    assert examples.labels["label"].dtype == np.int32
    assert examples.labels["label"].tolist() == indices


def test_images_in_folders_or_beside_labels(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    build_gray_image(7).save(tmp_path / "day" / "a.png")
    (tmp_path / "labels.csv").write_text("image,count\nday/a.png,1\n")
    assert read_folder(tmp_path).examples.names.tolist() == ["day/a.png"]


def sixteen_bits() -> Image.Image:
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
        ("a.png", sixteen_bits()),
        ("a.tiff", sixteen_bits()),
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


def test_transparent_becomes_white(tmp_path: Path) -> None:
    images = read_folder(
        write_folder(tmp_path, {"a.png": build_transparent_png()}, labels="image,count\na.png,1\n"), 8, 6
    ).examples.images
    np.testing.assert_array_equal(images[0, :, 0, 0], [100] * 4 + [255] * 4)


def test_shrinking_averages_pixels(tmp_path: Path) -> None:
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    images = read_folder(
        write_folder(tmp_path, {"a.png": board}, labels="image,count\na.png,1\n"), 4, 4
    ).examples.images
    assert np.abs(images.astype(int) - 127.5).max() < 2


def test_points_in_upright_image(tmp_path: Path) -> None:
    """An image that its camera held sideways (orientation 6): stored 8 wide and 4 high, upright 4 wide and 8 high."""
    stored = np.zeros((4, 8), np.uint8)
    stored[:, :4] = 200  # the left half of what is stored is the upper half of the upright image
    exif = Image.Exif()
    exif[0x0112] = 6
    write_folder(tmp_path, {}, labels="image,count\na.png,1\n", points="image,x,y\na.png,3,6\n")
    (tmp_path / "images").mkdir()
    Image.fromarray(stored).save(tmp_path / "images" / "a.png", exif=exif)
    examples = read_folder(tmp_path, height=16, width=4).examples
    assert examples.images[0, :2].min() > 190
    assert examples.images[0, -2:].max() < 10
    assert examples.labels["points"].tolist() == [[[3, 12]]]


def test_points_and_boxes_are_scaled(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path,
        labels="image,group\na.png,x\nb.png,y\n",
        points="image,x,y\nb.png,6,8\na.png,3,4\nb.png,0,1\n",
        boxes="image,x0,y0,x1,y1,kind\nb.png,0,0,6,8,dog\na.png,2,2,4,6,cat\nb.png,0,0,3,2,cat\n",
    )
    reading = read_folder(path, height=16, width=3)
    labels = reading.examples.labels
    assert (reading.faults, reading.warnings) == ((), ())
    assert labels["points"].tolist() == [[[1.5, 8], [0, 0]], [[3, 16], [0, 2]]]
    assert labels["boxes"].tolist() == [[[1, 4, 2, 12], [0, 0, 0, 0]], [[0, 0, 3, 16], [0, 0, 1.5, 4]]]
    assert labels["present"].tolist() == [[True, False], [True, True]]
    assert reading.examples.classes == ("cat", "dog")
    assert labels["kinds"].tolist() == [[0, 0], [1, 0]]
    assert labels["count"].tolist() == [1, 2]
    assert {name: str(values.dtype) for name, values in labels.items()} == {
        "points": "float32",
        "boxes": "float32",
        "present": "bool",
        "kinds": "int32",
        "count": "float32",
    }


def test_far_annotations_are_clipped(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path,
        labels="image\na.png\nb.png\n",
        points="image,x,y\na.png,-1,4\na.png,6,8\nb.png,7,99\nb.png,1,1\nb.png,1,1\n",
        boxes="image,x0,y0,x1,y1\na.png,-2,0,3,9\na.png,0,0,6,8\nb.png,0,0,1,1\nb.png,0,0,1,2\nb.png,0,0,1,3\n",
    )
    reading = read_folder(path, height=8, width=6)
    assert reading.faults == ()
    assert reading.warnings == (
        "2 of 5 points reach beyond their image and were moved to its edge: points.csv:2, points.csv:4",
        "1 of 5 boxes reach beyond their image and were moved to its edge: boxes.csv:2",
        "1 points are duplicates within an image and were kept: points.csv:6",
    )
    assert reading.examples.labels["points"].tolist() == [[[0, 4], [6, 8], [0, 0]], [[6, 8], [1, 1], [1, 1]]]
    assert reading.examples.labels["boxes"][0, 0].tolist() == [0, 0, 3, 8]


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    names = "abcdefghijklmno"
    rows = [
        "image,count,group,split",
        "a.png,1,x,train",
        "a.png,1,x,train",  # 3: twice
        "b.png,,x,",
        "c.png,-1,x,",
        "d.png,1.5,x,",
        "e.png,nan,x,",
        "f.png,many,x,",
        "g.png,1,,",
        "h.png,1,x,dev",
        "i.png,1,x",
        "gone.png,1,x,",  # 12
        "broken.png,-2,x,",
        ",1,x,",
        "j.png,inf,,dev",
        "k.png,2.0,x,",
        "l.png,1_0,x,",
        "m.png,1e20,x,",
        "n.png,1,x,,",
        "deep.png,1,x,",
    ]
    images = {f"{name}.png": build_gray_image(99) for name in names} | {"sub/deep.png": build_gray_image(99)}
    path = write_folder(tmp_path, images, labels="\n".join(rows))
    (path / "images" / "broken.png").write_bytes(b"not an image")
    reading = read_folder(path)
    assert list_faults(reading) == [
        ("a.png", "labels.csv:3", "this image already has a row at labels.csv:2"),
        ("b.png", "labels.csv:4", "`count` is empty"),
        ("c.png", "labels.csv:5", "`count` is negative (-1)"),
        ("d.png", "labels.csv:6", "`count` is not an integer (1.5)"),
        ("e.png", "labels.csv:7", "`count` is not a finite number ('nan')"),
        ("f.png", "labels.csv:8", "`count` is not a finite number ('many')"),
        ("g.png", "labels.csv:9", "`group` is empty"),
        ("h.png", "labels.csv:10", "`split` is 'dev'; allowed: train, validation, test, or empty"),
        ("i.png", "labels.csv:11", "the row has 3 cells, but the header has 4"),
        ("gone.png", "labels.csv:12", "no such file below images/"),
        ("broken.png", "labels.csv:13", "`count` is negative (-2)"),
        (
            "broken.png",
            "labels.csv:13",
            "not a readable image (not one of the formats PNG, JPEG, BMP, GIF, TIFF, WEBP)",
        ),
        ("", "labels.csv:14", "`image` is empty"),
        ("j.png", "labels.csv:15", "`count` is not a finite number ('inf')"),
        ("j.png", "labels.csv:15", "`group` is empty"),
        ("j.png", "labels.csv:15", "`split` is 'dev'; allowed: train, validation, test, or empty"),
        ("l.png", "labels.csv:17", "`count` is not a finite number ('1_0')"),
        ("m.png", "labels.csv:18", "`count` is above 16,777,216 (1e20)"),
        ("n.png", "labels.csv:19", "the row has 5 cells, but the header has 4"),
        ("deep.png", "labels.csv:20", "no such file below images/; did you mean sub/deep.png?"),
    ]
    assert reading.examples.names.tolist() == ["a.png", "k.png"]
    assert reading.examples.labels["count"].tolist() == [1, 2]
    assert reading.warnings == ("2 images below images/ have no row in labels.csv: o.png, sub/deep.png",)


def test_empty_label_is_a_fault(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, labels="image,label\na.png,\nb.png,dog\n"))
    assert list_faults(reading) == [("a.png", "labels.csv:2", "`label` is empty")]
    assert reading.examples.classes == ("dog",)


def test_unreadable_images_are_faults(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path, {"f.tiff": Image.new("F", (6, 8), float("nan"))}, labels="image,count\nf.tiff,1\nt.png,1\n"
    )
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    whole = tmp_path / "whole.png"
    Image.fromarray(noise).save(whole)
    (path / "images" / "t.png").write_bytes(whole.read_bytes()[:700])
    (name, _, reason), (other, _, why) = list_faults(read_folder(path))
    assert (name, reason) == ("f.tiff", "not a readable image (it has values that are not finite)")
    assert other == "t.png"
    assert "truncated" in why


def test_bad_objects_exclude_images(tmp_path: Path) -> None:
    images = {f"{name}.png": build_gray_image(1) for name in "abcdefg"}
    path = write_folder(
        tmp_path,
        images,
        labels="image,label\n" + "".join(f"{name},thing\n" for name in images),
        points="image,x,y\nz.png,1,1\na.png,nan,1\nb.png,1,\nz.png,1,x\ng.png,1,1\nc.png,1,1\nd.png,1,1\ne.png,1,1\n",
        boxes=(
            "image,x0,y0,x1,y1,kind\nz.png,0,0,1,1,k\nc.png,3,0,3,2,k\nd.png,0,0,1,inf,k\ne.png,7,0,9,2,k\n"
            "g.png,0,0,2,2,k\nf.png,0,0,1,1,\n"
        ),
    )
    reading = read_folder(path)
    assert list_faults(reading) == [
        ("z.png", "boxes.csv:2", "this image has no row in labels.csv"),
        ("c.png", "boxes.csv:3", "the box has no area: x from 3 to 3, y from 0 to 2"),
        ("d.png", "boxes.csv:4", "`y1` is not a finite number ('inf')"),
        ("e.png", "boxes.csv:5", "the box has no area inside its image of 6 x 8 pixels"),
        ("f.png", "boxes.csv:7", "`kind` is empty"),
        ("z.png", "points.csv:2", "this image has no row in labels.csv"),
        ("a.png", "points.csv:3", "`x` is not a finite number ('nan')"),
        ("b.png", "points.csv:4", "`y` is empty"),
        ("z.png", "points.csv:5", "this image has no row in labels.csv"),
        ("z.png", "points.csv:5", "`y` is not a finite number ('x')"),
    ]
    assert reading.examples.names.tolist() == ["g.png"]


def test_count_must_match_points(tmp_path: Path) -> None:
    path = write_folder(tmp_path, labels="image,count\na.png,2\nb.png,1\n", points="image,x,y\na.png,1,1\nb.png,1,1\n")
    reading = read_folder(path)
    reason = "`count` is 2, but points.csv has 1 point for this image"
    assert list_faults(reading) == [("a.png", "labels.csv:2", reason)]
    assert reading.examples.labels["count"].tolist() == [1]


def test_count_must_match_boxes(tmp_path: Path) -> None:
    """Copies of an image are counted by what is still seen in them."""
    boxes = "image,x0,y0,x1,y1\na.png,1,1,3,3\nb.png,1,1,3,3\n"
    reading = read_folder(write_folder(tmp_path, labels="image,count\na.png,7\nb.png,1\n", boxes=boxes))
    assert list_faults(reading) == [("a.png", "labels.csv:2", "`count` is 7, but boxes.csv has 1 box for this image")]


def test_box_classes_are_no_image_classes(tmp_path: Path) -> None:
    boxes = "image,x0,y0,x1,y1,kind\na.png,1,1,3,3,adult\n"
    (tmp_path / "labelled").mkdir()
    labelled = read_folder(
        write_folder(tmp_path / "labelled", labels="image,label\na.png,busy\nb.png,empty\n", boxes=boxes)
    )
    assert labelled.examples.classes == ("busy", "empty")
    assert labelled.examples.labels["label"].tolist() == [0, 1]
    (tmp_path / "boxed").mkdir()
    assert read_folder(
        write_folder(tmp_path / "boxed", labels="image\na.png\nb.png\n", boxes=boxes)
    ).examples.classes == ("adult",)


def test_points_must_match_boxes(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path, labels="image\na.png\nb.png\n", points="image,x,y\na.png,1,1\n", boxes="image,x0,y0,x1,y1\n"
    )
    reason = "points.csv has 1 point for this image, but boxes.csv has 0 boxes"
    assert list_faults(read_folder(path)) == [("a.png", "labels.csv:2", reason)]


def test_points_without_columns_keep_counts(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, labels="image,count\na.png,2\nb.png,1\n", points="image,x\na.png,1\n"))
    ((name, where, reason),) = list_faults(reading)
    assert (name, where) == ("points.csv", "points.csv:1")
    assert "no column `y`; the columns are image, x" in reason
    assert sorted(reading.examples.labels) == ["count"]


def test_unused_columns_are_named(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, labels="image,count,gruop\na.png,2,x\nb.png,1,x\n"))
    assert reading.warnings == ("labels.csv: unused columns: gruop",)


def test_line_numbers_survive_quotes(tmp_path: Path) -> None:
    path = write_folder(tmp_path)
    (path / "labels.csv").write_bytes('\ufeffimage,label\r\na.png,"two\r\nlines"\r\n\r\nb.png,\r\n'.encode())
    assert list_faults(read_folder(path)) == [("b.png", "labels.csv:5", "`label` is empty")]


def test_only_bad_rows_give_no_examples(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, labels="image,count\nx.png,1\n", points="image,x,y\nx.png,1,1\n"))
    assert len(reading.examples) == 0
    assert len(reading.faults) == 1


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "labels.csv: no such file; it needs the columns image,count or image,label"),
        (b"", "is empty; its first line must name the columns image"),
        (b"image,count\n", "there are no rows below the header"),
        (b"file,count\na.png,1\n", "labels.csv:1: no column `image`; the columns are file, count"),
        (b"image,number\na.png,1\n", "labels.csv:1: add a column `count` or `label`.*The columns are image, number"),
        (b"image,count,count\na.png,1,1\n", "two columns have one name"),
        (b"image,count\n\xff\xfe,1\n", "not a CSV table in UTF-8"),
        (b'image,count\na.png,1\n"b.png,1\n', "labels.csv:3: not a CSV table"),
    ],
)
def test_unusable_labels_are_one_error(tmp_path: Path, labels: bytes | None, message: str) -> None:
    path = write_folder(tmp_path)
    if labels is not None:
        (path / "labels.csv").write_bytes(labels)
    with pytest.raises(UserError, match=message):
        read_folder(path)


@pytest.mark.parametrize("options", [{}, {"size": [0, 4]}, {"size": [4]}, {"size": [4, 4], "channels": 2}])
def test_invalid_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Folder.model_validate(options)


@pytest.mark.skipif(not BUS_STOP, reason="THALWEG_BUS_STOP names no folder of real frames")
def test_bus_stop_keeps_its_points() -> None:
    reading = read_folder(Path(BUS_STOP), height=40, width=22)
    labels: Any = reading.examples.labels
    assert reading.faults == ()
    assert len(reading.examples) == 720
    assert labels["count"].sum() == labels["present"].sum() == 9483
    np.testing.assert_array_equal(labels["present"].sum(1), labels["count"])
    assert (labels["points"] >= 0).all()
    assert (labels["points"] <= [22, 40]).all()
    assert reading.warnings[0].startswith("12 of 9483 points reach beyond their image")
    assert reading.warnings[1].startswith("21 points are duplicates")


def test_depth_is_that_of_all_images(tmp_path: Path) -> None:
    """12 bits in 16, one image darker than the others, beside one of 8 bits: all keep their order."""
    images = {"dark.png": 400, "light.png": 4000}
    wide = {name: Image.fromarray(np.full((6, 8), value, np.uint16)) for name, value in images.items()}
    labels = "image,count\ndark.png,0\nlight.png,1\nusual.png,2\n"
    reading = read_folder(write_folder(tmp_path, wide | {"usual.png": build_gray_image(100)}, labels=labels))
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
