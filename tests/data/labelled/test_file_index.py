"""How label files name images, and what folders of a split are called."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import draw_images
from tests.helpers.image_folder import read_folder, write_folder
from thalweg.data.labelled.file_index import find_folder_split, find_split, index_files


def test_one_image_has_one_name(tmp_path: Path) -> None:
    draw_images(tmp_path / "data" / "images", "day/a.png")
    draw_images(tmp_path, "b.png")
    index = index_files(tmp_path / "data" / "images", [])
    file = tmp_path / "data" / "images" / "day" / "a.png"
    written = ["day/a.png", "images/day/a.png", "images/../images/day/a.png", str(file), f"{file.parent}/../day/a.png"]
    assert {index.name_image(name, tmp_path / "data") for name in written} == {"day/a.png"}
    assert index.name_image("../b.png", tmp_path / "data") == "../../b.png"
    assert index.has_file("../../b.png")
    for name in ("", "gone.png", "images", "a.png", "\0"):
        assert index.name_image(name, tmp_path / "data") == name
        assert not index.has_file(name)


def test_linked_image_has_its_name(tmp_path: Path) -> None:
    draw_images(tmp_path / "disk", "a.png")
    (tmp_path / "images").symlink_to(tmp_path / "disk")
    index = index_files(tmp_path / "images", [])
    assert index.name_image(str(tmp_path / "disk" / "a.png"), tmp_path) == "a.png"


@pytest.mark.parametrize(
    ("written", "split", "name", "reason"),
    [
        ("b.png", "", "x/b.png", ""),
        ("train2017/a.png", "", "x/train2017/a.png", ""),
        ("a.png", "validation", "val/a.png", ""),
        (r"x\b.png", "", "x/b.png", ""),
        ("a.png", "test", "a.png", "several files end with this path: val/a.png, x/train2017/a.png"),
        ("ab.png", "", "ab.png", ""),
    ],
)
def test_end_of_a_path(tmp_path: Path, written: str, split: str, name: str, reason: str) -> None:
    draw_images(tmp_path, "x/b.png", "x/train2017/a.png", "val/a.png")
    assert index_files(tmp_path, []).find_image(written, split, tmp_path) == (name, reason)


@pytest.mark.parametrize(
    ("text", "split"),
    [("instances_train2017.json", "train"), ("Valid", "validation"), ("captions", ""), ("pretrain", "")],
)
def test_words_of_a_split(text: str, split: str) -> None:
    assert find_split(text) == split


@pytest.mark.parametrize(
    ("name", "split"),
    [("a/Val2017/b/c.png", "validation"), ("train/test/a.png", "test"), ("test.png", ""), ("test_site/a.png", "")],
)
def test_folder_of_a_split(name: str, split: str) -> None:
    assert find_folder_split(name) == split


def test_tables_name_images_in_every_way(tmp_path: Path) -> None:
    """Absolute, nested, and relative to the table; all tables agree, and what lies outside is named."""
    draw_images(tmp_path / "data" / "images", "day/a.png", "b.png")
    draw_images(tmp_path, "far/c.png", "far/d.png")
    labels = f"{tmp_path}/data/images/day/a.png,1\nimages/b.png,0\n../far/c.png,1\n{tmp_path}/far/d.png,0\n"
    points = "day/a.png,1,1\n../far/c.png,2,2\n"
    path = write_folder(tmp_path / "data", {}, labels=f"image,count\n{labels}", points=f"image,x,y\n{points}")
    reading = read_folder(path)
    far = f"{tmp_path}/far/d.png"
    assert reading.examples.names.tolist() == ["../../far/c.png", far, "b.png", "day/a.png"]
    assert reading.faults == ()
    assert reading.warnings == (
        f"2 images lie outside of {path}, where DVC does not see changes: ../../far/c.png, {far}",
    )
