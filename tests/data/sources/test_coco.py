"""Boxes in .json files of COCO: splits, places of images, and every fault by its entry."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.drawn_sets import SIZE, draw_images, list_boxes, list_messages, write_coco
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.data.sources.coco import Coco
from thalweg.system.files import UserError


def read(path: Path, **options: object) -> ReadResult:
    return Coco.model_validate({"size": [16, 20], **options}).read_examples(path, 0)


def test_boxes_and_classes(tmp_path: Path) -> None:
    draw_images(tmp_path / "images", "a.png", "b.png", "c.png")
    write_coco(tmp_path / "all.json", ["b.png", "a.png", "c.png"], [(0, 4, [1, 2, 3, 4]), (0, 1, [0, 0, 10, 8])])
    result = read(tmp_path)
    assert list_messages(result) == []
    assert result.examples.classes == ("cat", "dog")
    assert list_boxes(result) == {
        "images/a.png": [],
        "images/b.png": [("dog", [2, 4, 8, 12]), ("cat", [0, 0, 20, 16])],
        "images/c.png": [],
    }
    assert result.examples.labels["count"].tolist() == [0, 2, 0]


def test_splits_by_name_and_folder(tmp_path: Path) -> None:
    draw_images(tmp_path, "train2017/1.png", "val2017/1.png", "test/2.png")
    write_coco(tmp_path / "annotations" / "instances_train2017.json", ["1.png"], [(0, 1, [0, 0, 5, 5])])
    write_coco(tmp_path / "annotations" / "instances_val2017.json", ["1.png"], [(0, 1, [1, 1, 5, 5])])
    write_coco(tmp_path / "test" / "_annotations.coco.json", ["2.png"], [])
    (tmp_path / "annotations" / "captions.json").write_text("[]")
    result = read(tmp_path)
    assert dict(zip(result.examples.names.tolist(), result.examples.split.tolist(), strict=True)) == {
        "train2017/1.png": "train",
        "val2017/1.png": "validation",
        "test/2.png": "test",
    }
    assert list_boxes(result)["val2017/1.png"] == [("cat", [2, 2, 12, 12])]
    assert [line.split(",")[0] for line in list_messages(result)] == [
        "1 class without a box",
        f"files below {tmp_path.name}/ that are no images are not used",
    ]


def test_absolute_and_nested_paths(tmp_path: Path) -> None:
    draw_images(tmp_path, "far/a.png", "data/deep/b.png", "data/c.png")
    names = [str(tmp_path / "far" / "a.png"), "deep/b.png", str(tmp_path / "data" / "c.png"), "../far/a.png"]
    write_coco(tmp_path / "data" / "x.json", names, [(0, 1, [0, 0, 5, 5])])
    result = read(tmp_path / "data")
    far = (tmp_path / "far" / "a.png").as_posix()
    assert result.examples.names.tolist() == ["../far/a.png", far, "c.png", "deep/b.png"]
    assert f"2 images lie outside of {tmp_path / 'data'}, where DVC does not see changes" in list_messages(result)[-1]


def test_every_fault_is_named(tmp_path: Path) -> None:
    draw_images(tmp_path, *(f"{name}.png" for name in "abcdefgh"), "x/twice.png", "y/twice.png", "spare.png")
    boxes = [
        (1, 9, [0, 0, 1, 1]),
        (77, 1, [0, 0, 1, 1]),
        (2, 1, [0, 0, 1]),
        (3, 1, [5, 5, 0, 2]),
        (4, 1, [50, 50, 2, 2]),
        (5, 1, [-5, 0, 20, 8]),
        (0, 1, "wide"),
        (1, 1, [0, 0, float("nan"), 1]),
    ]
    write_coco(tmp_path / "a.json", [*(f"{name}.png" for name in "abcdefg"), "gone.png", "twice.png", "g.png"], boxes)
    assert list_messages(read(tmp_path)) == [
        "a.json:annotations[0]: b.png: no category has the id 9",
        "a.json:annotations[1]: a.json: no image has the id 77",
        "a.json:annotations[2]: c.png: `bbox` must be four numbers, x, y, width and height, not [0, 0, 1]",
        "a.json:annotations[3]: d.png: the box has no area: x from 5 to 5, y from 5 to 7",
        "a.json:annotations[4]: e.png: the box has no area inside its image of 10 x 8 pixels",
        "a.json:annotations[6]: a.png: `bbox` must be four numbers, x, y, width and height, not 'wide'",
        "a.json:annotations[7]: b.png: `bbox` must be four numbers, x, y, width and height, not [0, 0, nan, 1]",
        f"a.json:images[7]: gone.png: no such file below {tmp_path.name}/",
        "a.json:images[8]: twice.png: several files end with this path: x/twice.png, y/twice.png",
        f"a.json:images[8]: twice.png: no such file below {tmp_path.name}/; did you mean y/twice.png?",
        "a.json:images[9]: g.png: this image already has a row at a.json:images[6]",
        "1 class without a box, left out: dog",
        "2 of 2 boxes reach beyond their image and were moved to its edge: "
        "a.json:annotations[4], a.json:annotations[5]",
        f"4 images below {tmp_path.name}/ have no entry in a.json: h.png, spare.png, x/twice.png, y/twice.png",
    ]


def test_bad_entries_are_named(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    write_coco(
        tmp_path / "a.json",
        ["a.png"],
        [],
        categories=[{"id": 1, "name": ""}, {"id": 2}, "cat", {"id": 3, "name": "x"}, {"id": 3, "name": "y"}],
        annotations=[{"bbox": [0, 0, 1, 1]}, None, {"image_id": [], "category_id": 3}],
    )
    assert [line.removeprefix("a.json:") for line in list_messages(read(tmp_path))] == [
        "annotations[0]: a.json: has no `image_id`, `category_id`",
        "annotations[1]: a.json: has no `image_id`, `category_id`",
        "annotations[2]: a.json: image_id and category_id must be a number or a text each",
        "categories[0]: a.json: id and name must be a number or a text each",
        "categories[1]: a.json: has no `name`",
        "categories[2]: a.json: has no `id`, `name`",
        "categories[4]: a.json: there already is a category with the id 3",
        "1 class without a box, left out: x",
    ]


def test_folder_of_the_image_is_the_split(tmp_path: Path) -> None:
    draw_images(tmp_path, "images/train/a.png", "images/val/b.png", "images/test/c.png")
    write_coco(tmp_path / "labels.json", ["train/a.png", "val/b.png", "test/c.png"], [(0, 1, [0, 0, 5, 5])])
    assert read(tmp_path).examples.split.tolist() == ["test", "train", "validation"]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"images": [{"id": 0, "file_name": "a.png"}, {"id": 0, "file_name": "b.png"}]}, []),
        ({"annotations": [{"image_id": 0, "bbox": [0, 0, 1, 1]}]}, ["b.png"]),
        ({"annotations": [{"image_id": 0, "category_id": [], "bbox": [0, 0, 1, 1]}]}, ["b.png"]),
        ({"annotations": [{"image_id": 0, "category_id": 9, "bbox": [0, 0, 1, 1]}]}, ["b.png"]),
        ({"annotations": [{"image_id": 0, "category_id": 1}]}, ["b.png"]),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}, ["b.png"]),
        ({"categories": [{"id": 1, "name": ""}]}, ["b.png"]),
    ],
)
def test_unclear_image_is_dropped(tmp_path: Path, changes: dict[str, Any], kept: list[str]) -> None:
    """A fault names the row of the image, so that it is left out as a whole."""
    draw_images(tmp_path / "images", "a.png", "b.png")
    write_coco(tmp_path / "a.json", ["a.png", "b.png"], [(0, 1, [0, 0, 5, 5])], **changes)
    result = read(tmp_path)
    assert result.faults
    assert result.examples.names.tolist() == [f"images/{name}" for name in kept]


def test_crowds_are_left_out(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    entries = [{"image_id": 0, "category_id": 1, "bbox": [0, 0, 4, 4], "iscrowd": crowd} for crowd in (1, 0)]
    write_coco(tmp_path / "a.json", ["a.png"], [], annotations=entries)
    result = read(tmp_path)
    assert result.examples.labels["count"].tolist() == [1]
    assert list_messages(result)[0] == (
        "1 region marked iscrowd left out, so these images hold more objects: a.json:annotations[0]"
    )


def test_size_of_another_image_is_a_fault(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png", "b.png")
    images = [{"id": k, "file_name": f"{name}.png", "height": 8, "width": 10 + k} for k, name in enumerate("ab")]
    write_coco(tmp_path / "a.json", [], [(0, 1, [0, 0, 4, 4])], images=images)
    assert list_messages(read(tmp_path))[0] == (
        "a.json:images[1]: b.png: the labels are for an image of 11 x 8 pixels, but it has 10 x 8"
    )


def test_only_some_classes(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    write_coco(tmp_path / "a.json", ["a.png"], [(0, 1, [0, 0, 4, 4]), (0, 4, [0, 0, 2, 2])])
    assert list_boxes(read(tmp_path, only=["dog"])) == {"a.png": [("dog", [0, 0, 4, 4])]}
    assert read(tmp_path, only=["dog"]).examples.labels["count"].tolist() == [1]
    with pytest.raises(UserError, match=r"data\.source\.only: no box has the class cow; the boxes have cat, dog"):
        read(tmp_path, only=["cow"])


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "a.json: not a JSON file"), ("[]", "no .json file has the lists images, categories, annotations")],
)
def test_no_data_set_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UserError, match=r"a\.json: must have the lists images, categories, annotations"):
        read(tmp_path, annotations=["a.json"])
    assert Coco(size=(4, 4), annotations=("a.json", "b.json")).find_missing_file(tmp_path) == "b.json"


def test_predictions_are_read_back(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png", "deep/b.png")
    found = (PredictedObject((1, 2, 4, 6.5), "dog", 0.75), PredictedObject((0, 0, 10, 8), "cat", 0.5))
    images = [
        PredictedImage("a.png", "a.png", tmp_path / "a.png", SIZE, objects=found),
        PredictedImage("deep/b.png", "deep/b.png", tmp_path / "deep" / "b.png", SIZE, objects=()),
    ]
    for name, content in Coco.encode_predictions(images, ("cat", "dog")).items():
        (tmp_path / name).write_bytes(content)
    result = read(tmp_path)
    assert list_messages(result) == []
    assert list_boxes(result) == {"a.png": [("dog", [2, 4, 8, 13]), ("cat", [0, 0, 20, 16])], "deep/b.png": []}
    np.testing.assert_array_equal(result.examples.labels["kinds"], [[1, 0], [0, 0]])
