"""Boxes in .xml files of Pascal VOC: splits, names, and every fault by its line."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import SIZE, draw_images, format_box, list_boxes, list_messages, write_voc
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.data.sources.voc import Voc
from thalweg.system import files
from thalweg.system.files import UserError

HEAD = "<filename>{}</filename><size><width>10</width><height>8</height><depth>3</depth></size>"


def read(path: Path, **options: object) -> ReadResult:
    return Voc.model_validate({"size": [16, 20], **options}).read_examples(path, 0)


def test_box_holds_its_first_and_last_pixel(tmp_path: Path) -> None:
    draw_images(tmp_path / "JPEGImages", "a.png", "b.png")
    boxes = (format_box("dog", 1, 1, 10, 8), format_box("cat", 2, 3, 3.5, 4, extra="<difficult>1</difficult>"))
    write_voc(tmp_path / "Annotations" / "a.xml", *boxes, head=HEAD.format("a.png"))
    write_voc(tmp_path / "Annotations" / "b.xml", head=HEAD.format("b.png"))
    result = read(tmp_path)
    assert list_messages(result) == []
    assert result.examples.classes == ("cat", "dog")
    assert list_boxes(result) == {
        "JPEGImages/a.png": [("dog", [0, 0, 20, 16]), ("cat", [2, 4, 7, 8])],
        "JPEGImages/b.png": [],
    }
    assert result.examples.labels["count"].tolist() == [2, 0]
    assert list_boxes(read(tmp_path, first_pixel=0))["JPEGImages/a.png"][1] == ("cat", [4, 6, 7, 8])


def test_difficult_objects_can_be_left_out(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    boxes = (format_box("cat", 1, 1, 4, 4), format_box("cat", 2, 3, 4, 4, extra="<difficult>1</difficult>"))
    write_voc(tmp_path / "a.xml", *boxes)
    result = read(tmp_path, difficult=False)
    assert result.examples.labels["count"].tolist() == [1]
    assert list_messages(result) == ["1 object marked difficult left out: a.xml:3"]


def test_lists_are_the_split(tmp_path: Path) -> None:
    for number, name in enumerate("abcd"):
        draw_images(tmp_path / "JPEGImages", f"{name}.png")
        write_voc(tmp_path / "Annotations" / f"{name}.xml", format_box("cat", 1, 1, 4, 4 + number))
    lists = {"train": "a\n\n", "val": "b\na\n", "test": "c\nz\n", "trainval": "a\nb\nc", "cat_train": "a 1\nd -1"}
    for name, content in lists.items():
        files.write_text(tmp_path / "ImageSets" / "Main" / f"{name}.txt", content)
    result = read(tmp_path)
    assert result.examples.split.tolist() == ["validation", "test", ""]
    assert list_messages(result)[:2] == [
        "Annotations/a.xml:1: JPEGImages/a.png: this name is in the lists of the train and validation sets",
        "1 name in ImageSets/Main/ without an .xml file: z",
    ]


def draw_pairs(path: Path, *names: str) -> None:
    """Write JPEGImages/NAME.png and a flat Annotations/NAME.xml for each name; folders of the name are the image's."""
    for name in names:
        draw_images(path / "JPEGImages", f"{name}.png")
        file = Path(name).name
        write_voc(path / "Annotations" / f"{file}.xml", format_box("cat", 1, 1, 4, 4), head=HEAD.format(f"{file}.png"))


def test_folder_of_the_image_is_the_split(tmp_path: Path) -> None:
    draw_pairs(tmp_path, "train/a", "val/b", "test/c")
    result = read(tmp_path)
    assert result.examples.split.tolist() == ["test", "train", "validation"]
    files.write_text(tmp_path / "ImageSets" / "Main" / "test.txt", "a\n")
    assert read(tmp_path).examples.split.tolist() == ["", "test", ""]


def test_only_main_lists_are_read(tmp_path: Path) -> None:
    draw_pairs(tmp_path, "a", "b")
    lists = {"Main/train": "a", "Main/val": "b", "Segmentation/train": "b", "Layout/test": "a", "Main/deep/test": "a"}
    for name, content in lists.items():
        files.write_text(tmp_path / "ImageSets" / f"{name}.txt", content)
    result = read(tmp_path)
    assert result.faults == ()
    assert result.examples.split.tolist() == ["train", "validation"]


def test_names_in_lists_may_have_spaces(tmp_path: Path) -> None:
    draw_pairs(tmp_path, "my cat", "photo 1", "photo", "c")
    lists = {"train": "my cat\n", "val": " photo 1 \n", "test": "photo\nc  -1\n"}
    for name, content in lists.items():
        files.write_text(tmp_path / "ImageSets" / "Main" / f"{name}.txt", content)
    result = read(tmp_path)
    assert list_messages(result) == []
    assert result.examples.split.tolist() == ["test", "train", "validation", "test"]


def test_image_in_two_lists_is_dropped(tmp_path: Path) -> None:
    draw_pairs(tmp_path, "a", "b")
    for name, content in {"train": "a\nb\n", "test": "b\nz\n", "val": "z"}.items():
        files.write_text(tmp_path / "ImageSets" / "Main" / f"{name}.txt", content)
    result = read(tmp_path)
    assert result.examples.names.tolist() == ["JPEGImages/a.png"]
    assert list_messages(result)[0].endswith("JPEGImages/b.png: this name is in the lists of the test and train sets")


@pytest.mark.parametrize(("own", "stale"), [("a", "b"), ("b", "a")])
def test_stale_file_name_takes_no_other_image(tmp_path: Path, own: str, stale: str) -> None:
    draw_images(tmp_path, "a.png", "b.png")
    write_voc(tmp_path / f"{own}.xml", format_box("cat", 1, 1, 4, 4), head=HEAD.format(f"{own}.png"))
    write_voc(tmp_path / f"{stale}.xml", format_box("dog", 1, 1, 4, 4), head=HEAD.format(f"{own}.png"))
    result = read(tmp_path)
    assert {name: kind for name, ((kind, _),) in list_boxes(result).items()} == {
        f"{own}.png": "cat",
        f"{stale}.png": "dog",
    }
    assert list_messages(result) == [
        "1 .xml file whose `filename` is the image of another .xml file, read for the image with its own name: "
        f"{stale}.xml"
    ]


def test_names_may_differ_from_images(tmp_path: Path) -> None:
    """Without an image of its own, an .xml file keeps what it names; the other takes its own image."""
    draw_images(tmp_path, "photo.png", "b.png")
    for file, kind in (("b", "dog"), ("x", "cat")):
        write_voc(tmp_path / f"{file}.xml", format_box(kind, 1, 1, 4, 4), head=HEAD.format("photo.png"))
    boxes = list_boxes(read(tmp_path))
    assert {name: kind for name, ((kind, _),) in boxes.items()} == {"b.png": "dog", "photo.png": "cat"}


def test_images_are_found_by_name(tmp_path: Path) -> None:
    """A path of another computer, a missing suffix, no name at all, and folders of a split."""
    names = ("train/a.png", "train/b.png", "valid/c.png")
    draw_images(tmp_path, *names)
    for name, written in zip(names, (r"C:\photos\old.png", "b", ""), strict=True):
        file = tmp_path / Path(name).with_suffix(".xml")
        write_voc(file, format_box("cat", 1, 1, 4, 4), head=f"<filename>{written}</filename>")
    result = read(tmp_path)
    assert result.examples.names.tolist() == [*names]
    assert result.examples.split.tolist() == ["train", "train", "validation"]


def test_every_fault_is_named(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png", "b.png", "spare.png")
    boxes = [
        format_box("cat", 1, 1, "x", ""),
        format_box("", 1, 1, 4, 4),
        format_box("cow", 1, 1, 4, 4),
        format_box("cat", 5, 1, 4, 4),
        "<name>cat</name>",
    ]
    write_voc(tmp_path / "a.xml", *boxes)
    write_voc(tmp_path / "b.xml", format_box("dog", 1, 1, 4, 4), head=HEAD.format("b.png").replace("10", "12"))
    write_voc(tmp_path / "gone.xml")
    (tmp_path / "broken.xml").write_text("<annotation>\n<object>\n</annotation>")
    assert list_messages(read(tmp_path, classes=["dog", "cat"])) == [
        "a.xml:2: a.png: `xmax` is not a finite number ('x')",
        "a.xml:2: a.png: `ymax` is not a finite number ('')",
        "a.xml:3: a.png: the object has no name",
        "a.xml:4: a.png: the name 'cow' is none of data.source.classes (dog, cat)",
        "a.xml:5: a.png: the box has no area: x from 4 to 4, y from 0 to 4",
        "a.xml:6: a.png: `xmin` is not a finite number ('')",
        "a.xml:6: a.png: `ymin` is not a finite number ('')",
        "a.xml:6: a.png: `xmax` is not a finite number ('')",
        "a.xml:6: a.png: `ymax` is not a finite number ('')",
        "b.xml:1: b.png: the labels are for an image of 12 x 8 pixels, but it has 10 x 8",
        "broken.xml:3: broken.xml: not an XML document (mismatched tag)",
        "gone.xml:1: gone.xml: there is no image of this name",
        "1 class without a box, left out: cat",
        f"1 image below {tmp_path.name}/ has no .xml file: spare.png",
    ]


def test_entities_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png", "b.png")
    write_voc(tmp_path / "a.xml", format_box("cat", 1, 1, 4, 4))
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE b [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>\n<annotation>&y;</annotation>'
    (tmp_path / "b.xml").write_text(bomb)
    assert list_messages(read(tmp_path))[0] == (
        "b.xml:2: b.xml: a DOCTYPE is not read, because it can declare entities"
    )


def test_two_files_for_one_image(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    for name in ("a", "b"):
        write_voc(tmp_path / f"{name}.xml", format_box("cat", 1, 1, 4, 4), head=HEAD.format("a.png"))
    result = read(tmp_path)
    assert list_messages(result) == ["b.xml:1: a.png: this image already has a row at a.xml:1"]
    assert result.examples.labels["count"].tolist() == [1]


def test_other_documents_are_no_data_set(tmp_path: Path) -> None:
    assert Voc(size=(4, 4)).find_missing_file(tmp_path) == ".xml file"
    (tmp_path / "a.xml").write_text("<svg/>")
    with pytest.raises(UserError, match=r"no \.xml file has the root `annotation`"):
        read(tmp_path)


def test_predictions_are_read_back(tmp_path: Path) -> None:
    draw_images(tmp_path / "images", "a.png", "deep/b.png")
    found = (PredictedObject((1, 2, 4, 6.5), "dog & <co>", 0.75), PredictedObject((0, 0, 10, 8), "cat", 0.5))
    images = [
        PredictedImage(name, name, tmp_path / name, SIZE, objects=objects)
        for name, objects in (("a.png", found), ("deep/b.png", ()))
    ]
    for name, content in Voc.encode_predictions(images, ()).items():
        files.write_bytes(tmp_path / name, content)
    result = read(tmp_path)
    assert list_messages(result) == []
    assert list_boxes(result) == {
        "images/a.png": [("dog & <co>", [2, 4, 8, 13]), ("cat", [0, 0, 20, 16])],
        "images/deep/b.png": [],
    }
