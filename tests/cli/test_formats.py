"""Predictions in the formats of data sources: pixels of the originals, and a way back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.drawn_sets import list_boxes
from tests.helpers.saved_models import BACKGROUNDS, IMAGES, build_detector, build_enhancer, build_model
from thalweg import cli
from thalweg.artifacts import trained_model
from thalweg.cli import formats, predict
from thalweg.data.sources.coco import Coco
from thalweg.data.sources.voc import Voc
from thalweg.data.sources.yolo import Yolo
from thalweg.system import files, table_files
from thalweg.system.fitting import Fit
from thalweg.tasks.classify import Classify

SOURCES = {"coco": Coco(size=(42, 66)), "yolo": Yolo(size=(42, 66)), "voc": Voc(size=(42, 66))}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "day").mkdir(parents=True)
    for name, image in (("a.png", IMAGES[0]), ("day/b.png", IMAGES[1])):
        Image.fromarray(image).resize((33, 21)).save(folder / name)
    return folder


@pytest.mark.parametrize("fit", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("kind", SOURCES)
def test_boxes_are_read_back(tmp_path: Path, photos: Path, kind: str, fit: Fit) -> None:
    """The table and the files of the format hold the same boxes, in pixels of the originals."""
    trained_model.save_trained_model(tmp_path / "model", replace(build_detector(), fit=fit))
    result = predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv", form=kind)
    assert result.output == tmp_path / "out"
    table = table_files.read_table(tmp_path / "out.boxes.csv")
    (tmp_path / "out" / "images").symlink_to(photos)
    reading = SOURCES[kind].read_examples(tmp_path / "out", 0)
    assert reading.faults == ()
    read = {name.removeprefix("images/"): boxes for name, boxes in list_boxes(reading).items()}
    assert sorted(read) == ["a.png", "day/b.png"]
    for name, boxes in read.items():
        rows = table.loc[table["image"] == name, ["x0", "y0", "x1", "y1"]].to_numpy()
        np.testing.assert_allclose([box for _, box in boxes], 2 * rows, atol=1e-3)
        assert {kind for kind, _ in boxes} == {"object"}
    counts = table["image"].value_counts()
    predictions = table_files.read_table(tmp_path / "out.csv").set_index("image")["prediction"]
    assert predictions.to_dict() == counts.to_dict()


def test_boxes_of_a_crop_lie_in_its_part(tmp_path: Path, photos: Path) -> None:
    trained_model.save_trained_model(tmp_path / "model", replace(build_detector(), fit="crop"))
    predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv")
    table = table_files.read_table(tmp_path / "out.boxes.csv")
    # the crop shows 26.25 of 33 columns
    middles = (table["x0"] + table["x1"]) / 2
    assert middles.between(3.375, 29.625).all()
    assert middles.max() - middles.min() > 13


def test_predicted_images_have_no_bars(tmp_path: Path, photos: Path) -> None:
    trained_model.save_trained_model(tmp_path / "model", replace(build_enhancer(), fit="letterbox"))
    Image.new("RGB", (40, 8), (200, 0, 0)).save(photos / "wide.png")
    predict.predict_images(tmp_path / "model", [photos / "wide.png"], tmp_path / "out.csv")
    predicted = np.asarray(Image.open(tmp_path / "out" / "wide.png"))
    assert predicted.shape == (2, 10, 3)
    assert predicted[..., 0].min() > 150  # a bar has 128


def test_classes_are_folders(tmp_path: Path, photos: Path) -> None:
    model = build_model(Classify(), (3,), 3, classes=("cat", "dog", "owl"), backgrounds=BACKGROUNDS[:0])
    trained_model.save_trained_model(tmp_path / "model", model)
    predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv", form="imagefolder")
    table = table_files.read_table(tmp_path / "out.csv")
    wanted = sorted(f"{label}/{name}" for name, label in zip(table["image"], table["prediction"], strict=True))
    assert files.list_files(tmp_path / "out") == wanted
    predict.predict_images(tmp_path / "model", [photos], tmp_path / "numbers.csv", form="arrays")
    assert np.load(tmp_path / "numbers" / "predictions.npz")["label"].tolist() == table["prediction"].tolist()


def test_files_of_a_person_stay(tmp_path: Path, photos: Path) -> None:
    trained_model.save_trained_model(tmp_path / "model", build_detector())
    command = ["predict", str(photos), "--out", str(tmp_path / "out.csv"), "--model", str(tmp_path / "model")]
    command += ["--format", "coco"]
    assert cli.main(command) == 0
    assert cli.main(command) == 0
    file = tmp_path / "out" / "annotations.json"
    file.write_text("mine")
    (tmp_path / "out.csv").unlink()
    assert cli.main(command) == 2
    assert file.read_text() == "mine"
    assert not (tmp_path / "out.csv").exists()
    assert cli.main([*command, "--force"]) == 0
    assert len(json.loads(file.read_text())["images"]) == 2


def test_old_copies_are_refused_or_removed(tmp_path: Path, photos: Path) -> None:
    """Copies of the images that another model sorted into other folders would be read as labels."""
    model = build_model(Classify(), (3,), 3, classes=("cat", "dog", "owl"), backgrounds=BACKGROUNDS[:0])
    trained_model.save_trained_model(tmp_path / "model", model)
    out = tmp_path / "out"
    command = ["predict", str(photos), "--out", f"{out}.csv", "--model", str(tmp_path / "model")]
    command += ["--format", "imagefolder"]
    assert cli.main(command) == 0
    wanted = files.list_files(out)
    old = out / "old" / "a.png"
    files.write_bytes(old, (photos / "a.png").read_bytes())
    assert cli.main(command) == 2
    assert old.exists()
    assert cli.main([*command, "--force"]) == 0
    assert files.list_files(out) == wanted
    for mine in ("old/mine.png", "old/day/b.png"):  # another image, of another name or of the same
        files.write_bytes(out / mine, (photos / "a.png").read_bytes())
        assert cli.main([*command, "--force"]) == 2
        files.remove_file(out / mine)
    files.write_text(out / "notes.md", "mine")
    assert cli.main(command) == 0


def test_inputs_are_no_old_copies(tmp_path: Path, photos: Path) -> None:
    model = build_model(Classify(), (3,), 3, classes=("cat", "dog", "owl"), backgrounds=BACKGROUNDS[:0])
    trained_model.save_trained_model(tmp_path / "model", model)
    photos.rename(tmp_path / "out")
    with pytest.raises(files.UserError, match=r"out/a\.png: would be read with the predictions; remove it, or choose"):
        predict.predict_images(
            tmp_path / "model", [tmp_path / "out"], tmp_path / "out.csv", form="imagefolder", force=True
        )
    assert files.list_files(tmp_path / "out") == ["a.png", "day/b.png"]


@pytest.mark.parametrize(
    ("kind", "old"), [("voc", "Annotations/old.xml"), ("yolo", "labels/old.txt"), ("coco", "old.json")]
)
def test_old_labels_are_refused(tmp_path: Path, photos: Path, kind: str, old: str) -> None:
    trained_model.save_trained_model(tmp_path / "model", build_detector())
    files.write_text(tmp_path / "out" / old, "")
    for force in (False, True):
        with pytest.raises(files.UserError, match=rf"{old}: would be read with the predictions; remove it, or choose"):
            predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv", form=kind, force=force)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("csv", r"--format csv: no such format; choose one of arrays, coco, imagefolder, voc, yolo"),
        ("imagefolder", r"does not hold what the task `detect` predicts; choose one of arrays, coco, voc, yolo"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, photos: Path, kind: str, message: str) -> None:
    trained_model.save_trained_model(tmp_path / "model", build_detector())
    with pytest.raises(files.UserError, match=message):
        predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv", form=kind)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("kind", "suffix"), [("voc", "xml"), ("yolo", "txt"), ("coco", ""), ("arrays", "")])
def test_names_are_checked_before_predicting(
    tmp_path: Path, photos: Path, kind: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_model.save_trained_model(tmp_path / "model", build_detector())
    Image.open(photos / "a.png").save(photos / "a.bmp")

    def refuse_to_read(*_: object) -> None:
        raise files.UserError("the images are read")

    monkeypatch.setattr(predict, "_read_images", refuse_to_read)
    message = rf"share one \.{suffix} file; rename them: a\.{suffix} " if suffix else "the images are read"
    with pytest.raises(files.UserError, match=message):
        predict.predict_images(tmp_path / "model", [photos], tmp_path / "out.csv", form=kind)


def test_images_have_no_format() -> None:
    with pytest.raises(files.UserError, match="does not hold what the task `enhance` predicts; no format does"):
        formats.require_format("coco", build_enhancer().task)
