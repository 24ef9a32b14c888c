"""Folders with files, links, names, columns and tables that a person would miss."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thalweg.data.examples import ReadResult
from thalweg.data.sources.folder import Folder
from thalweg.system.files import UserError


def build_folder(path: Path, names: tuple[str, ...] = ("a.png", "b.png"), **tables: str) -> Path:
    for name in names:
        (path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (60, 40), 100).save(path / "images" / name)
    for name, text in ({"labels": "image,count\na.png,1\nb.png,1\n"} | tables).items():
        (path / f"{name}.csv").write_text(text)
    return path


def read(path: Path) -> ReadResult:
    return Folder(size=(4, 6), channels=1).read_examples(path, 0)


def test_linked_folders_are_read(tmp_path: Path) -> None:
    path = build_folder(tmp_path / "data", labels="image,count\na.png,1\nb.png,1\ncam1/c.png,2\n")
    (tmp_path / "disk").mkdir()
    Image.new("L", (60, 40), 90).save(tmp_path / "disk" / "c.png")
    (path / "images" / "cam1").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "loop").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "up").symlink_to(path / "images")
    reading = read(path)
    assert (reading.faults, reading.warnings) == ((), ())
    assert reading.examples.names.tolist() == ["a.png", "b.png", "cam1/c.png"]


def test_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = build_folder(tmp_path)
    odd = os.fsencode(path / "images") + b"/Stra\xdfe.png"
    try:
        Path(os.fsdecode(odd)).write_bytes((path / "images" / "a.png").read_bytes())
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert read(path).warnings == (r"b'Stra\xdfe.png': the file's name is not UTF-8; rename it",)


def test_unused_files_and_tables_are_counted(tmp_path: Path) -> None:
    path = build_folder(tmp_path, boxs="image,x0,y0,x1,y1\n")
    (path / "images" / "c.heic").write_bytes(b"")
    (path / "images" / "notes.txt").write_bytes(b"")
    assert read(path).warnings == (
        "tables that are not read: boxs.csv; boxes.csv, labels.csv, points.csv are",
        "files below images/ that are no images are not used, 2 in all: c.heic, notes.txt",
    )


@pytest.mark.parametrize("table", ["labels", "points", "boxes"])
def test_unused_columns_of_every_table_are_named(tmp_path: Path, table: str) -> None:
    tables = {
        "labels": "image,count,weight,\na.png,1,3,x\nb.png,1,4,y\n",
        "points": "image,x,y,weight,\na.png,5,5,1,\nb.png,6,6,1,\n",
        "boxes": "image,x0,y0,x1,y1,weight,\na.png,5,5,9,9,1,\nb.png,6,6,9,9,1,\n",
    }
    reading = read(build_folder(tmp_path, ("a.png", "b.png"), **{table: tables[table]}))
    assert reading.warnings == (f"{table}.csv: unused columns: weight, (no name)",)
    assert len(reading.examples) == 2


def test_predicted_boxes_can_be_read_back(tmp_path: Path) -> None:
    boxes = "image,x0,y0,x1,y1,confidence,class\na.png,5,5,9,9,0.9,dog\nb.png,6,6,9,9,0.8,cat\n"
    reading = read(build_folder(tmp_path, labels="image\na.png\nb.png\n", boxes=boxes))
    assert reading.examples.classes == ("cat", "dog")
    assert reading.examples.labels["kinds"].tolist() == [[1], [0]]
    assert reading.warnings == ("boxes.csv: unused columns: confidence",)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("boxes", "x0,y0,x1,y1\na.png,0.625,0.5,0.77,0.59\nb.png,0,0,1,1\n"),
        ("points", "x,y\na.png,0.5,0.25\nb.png,1,1\n"),
    ],
)
def test_shares_are_not_taken_as_pixels(tmp_path: Path, table: str, rows: str) -> None:
    (fault,) = read(build_folder(tmp_path, ("a.png", "b.png"), **{table: f"image,{rows}"})).faults
    assert (fault.where, fault.name) == (f"{table}.csv:1", f"{table}.csv")
    assert fault.reason.startswith("all coordinates are between 0 and 1, like shares of the image; write pixels")


@pytest.mark.parametrize("written", ["i0.PNG", "sub\\i0.png", "SUB/i0.png", "./sub/i0.png", "i0.png", "sub/I0.png"])
def test_near_file_is_named(tmp_path: Path, written: str) -> None:
    path = build_folder(tmp_path, ("sub/i0.png", "b.png"), labels=f"image,count\n{written},1\nb.png,1\n")
    (fault,) = read(path).faults
    assert fault.reason == "no such file below images/; did you mean sub/i0.png?"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_named(tmp_path: Path, separator: str) -> None:
    path = build_folder(tmp_path, labels=f"image{separator}count\na.png{separator}1\n")
    with pytest.raises(UserError, match=r"The columns are separated by .*; write commas"):
        read(path)


def test_float_labels_are_sorted_by_value(tmp_path: Path) -> None:
    names = tuple(f"{name}.png" for name in "abcd")
    labels = "image,label\n" + "".join(
        f"{name},{label}\n" for name, label in zip(names, ("10.0", "2.0", "-1.5", "2.0"), strict=True)
    )
    examples = read(build_folder(tmp_path, names, labels=labels)).examples
    assert examples.classes == ("-1.5", "2.0", "10.0")
    np.testing.assert_array_equal(examples.labels["label"], [2, 1, 0, 1])
