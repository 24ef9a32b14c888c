"""Faults in the tables of a folder: each is named, and its image left out."""

from pathlib import Path

import pytest

from tests.helpers.image_folder import build_gray_image, list_faults, read_folder, write_folder
from thalweg.system.files import UserError


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
