"""From label files and images to examples: fits, splits, copies and order, the same for every format."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.drawn_sets import draw_images, list_boxes, list_messages, write_coco
from tests.helpers.image_folder import build_gray_image, write_folder
from thalweg.data.examples import ReadResult
from thalweg.data.sources.coco import Coco
from thalweg.data.sources.folder import Folder
from thalweg.data.sources.imagefolder import ImageFolder
from thalweg.data.split_warnings import find_split_warnings
from thalweg.data.splits import SplitConfig, split_examples
from thalweg.system.fitting import Fit

WIDE = Image.new("L", (20, 10), 200)
BOXES = "image,x0,y0,x1,y1,kind\na.png,0,0,4,10,left\na.png,4,2,12,8,middle\na.png,16,0,20,4,right\n"


def read(path: Path, fit: Fit) -> ReadResult:
    return Folder(size=(10, 10), channels=1, fit=fit).read_examples(path, 0)


@pytest.mark.parametrize(
    ("fit", "boxes"),
    [
        ("stretch", [("left", [0, 0, 2, 10]), ("middle", [2, 2, 6, 8]), ("right", [8, 0, 10, 4])]),
        ("crop", [("middle", [0, 2, 7, 8])]),
        ("letterbox", [("left", [0, 2, 2, 7]), ("middle", [2, 3, 6, 6]), ("right", [8, 2, 10, 4])]),
    ],
)
def test_boxes_move_with_their_image(tmp_path: Path, fit: Fit, boxes: list[tuple[str, list[float]]]) -> None:
    path = write_folder(tmp_path, {"a.png": WIDE}, labels="image,count\na.png,3\n", boxes=BOXES)
    result = read(path, fit)
    assert list_boxes(result) == {"a.png": boxes}
    assert result.examples.labels["count"].tolist() == [len(boxes)]
    hidden = "fit: crop cuts off 2 of 3 boxes, which are left out: boxes.csv:2, boxes.csv:4"
    assert list_messages(result) == ([hidden] if fit == "crop" else [])


def test_point_decides_for_its_box(tmp_path: Path) -> None:
    points = "image,x,y\na.png,6,5\na.png,2,5\na.png,14,2\n"
    path = write_folder(tmp_path, {"a.png": WIDE}, labels="image\na.png\n", boxes=BOXES, points=points)
    labels = read(path, "crop").examples.labels
    # the box on the left has no area within the crop, though its point is there
    assert labels["points"][labels["present"]].tolist() == []
    points = "image,x,y\na.png,1,5\na.png,6,5\na.png,15,2\n"
    (path / "points.csv").write_text(points)
    labels = read(path, "crop").examples.labels
    assert labels["points"][labels["present"]].tolist() == [[1, 5]]
    assert labels["count"].tolist() == [1]


def test_bars_of_a_letterbox(tmp_path: Path) -> None:
    path = write_folder(tmp_path, {"a.png": WIDE}, labels="image,count\na.png,3\n")
    column = read(path, "letterbox").examples.images[0, :, 0, 0].tolist()
    assert column == [128, 128, 200, 200, 200, 200, 200, 128, 128, 128]


def test_counts_of_cropped_images_are_questioned(tmp_path: Path) -> None:
    images = {"a.png": WIDE, "b.png": build_gray_image(200, 10, 10)}
    path = write_folder(tmp_path, images, labels="image,count\na.png,3\nb.png,1\n")
    assert list_messages(read(path, "crop")) == [
        "fit: crop cuts the edges off 1 image, whose counts are of the whole images: a.png"
    ]
    assert list_messages(read(path, "letterbox")) == []


def test_shares_move_as_pixels_do(tmp_path: Path) -> None:
    """A crop of a photo that is decoded at a quarter of its size shows the same part as of its PNG."""
    photo = np.zeros((400, 800, 3), np.uint8)
    photo[:, 200:600] = np.linspace(0, 255, 400)[:, None].astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.jpg", quality=98)
    Image.fromarray(photo).save(tmp_path / "b.png")
    write_coco(tmp_path / "x.json", ["a.jpg", "b.png"], [(0, 1, [300, 100, 100, 50]), (1, 1, [300, 100, 100, 50])])
    result = Coco(size=(40, 40), fit="crop").read_examples(tmp_path, 0)
    jpeg, png = result.examples.images.astype(int)
    assert np.abs(jpeg - png).max() < 12
    assert list_boxes(result) == {"a.jpg": [("cat", [10, 10, 20, 15])], "b.png": [("cat", [10, 10, 20, 15])]}


def test_marks_and_copies_are_checked(tmp_path: Path) -> None:
    """The split of folders holds; a copy on two sides of it is named."""
    draw_images(tmp_path, "train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "val/dog/d.png", "test/owl/e.png")
    (tmp_path / "val" / "cat" / "a.png").write_bytes((tmp_path / "train" / "cat" / "a.png").read_bytes())
    examples = ImageFolder(size=(8, 10)).read_examples(tmp_path, 0).examples
    config = SplitConfig(by="column", test=0)
    split = split_examples(config, examples, 0)
    assert [examples.names[rows].tolist() for rows in (split.train[0], split.validation[0], split.test)] == [
        ["train/cat/a.png", "train/dog/b.png"],
        ["val/cat/a.png", "val/cat/c.png", "val/dog/d.png"],
        ["test/owl/e.png"],
    ]
    assert [line.split(",")[0] for line in find_split_warnings(config, examples, split)] == [
        "the training set has no example of class owl (1 in all)",
        "copies of 1 image are on two sides of the split",
    ]


def test_faults_are_in_order_of_lines(tmp_path: Path) -> None:
    images = {f"{number}.png": build_gray_image(9) for number in range(12)}
    rows = "".join(f"{name},x\n" for name in images)
    reading = read(write_folder(tmp_path, images, labels=f"image,count\n{rows}"), "stretch")
    assert [fault.where for fault in reading.faults] == [f"labels.csv:{line}" for line in range(2, 14)]
