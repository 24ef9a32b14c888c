"""Predictions of new images: names, tables, and whose files may be overwritten."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.saved_models import IMAGES, build_detector, build_enhancer, build_model
from thalweg import cli
from thalweg.artifacts import trained_model
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.cli import predict
from thalweg.system import files, table_files
from thalweg.system.source_files import digest_source
from thalweg.tasks.count import Count


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Images of several sizes and formats, one of them broken, and a file that is no image."""
    place = tmp_path / "images"
    (place / "deep").mkdir(parents=True)
    Image.fromarray(IMAGES[0]).save(place / "a.png")
    Image.fromarray(IMAGES[1]).resize((33, 21)).save(place / "b.jpg")
    Image.fromarray(IMAGES[2]).convert("L").save(place / "deep" / "c.bmp")
    Image.fromarray(IMAGES[3]).convert("RGBA").save(place / "d.webp", lossless=True)
    (place / "broken.png").write_bytes(b"not an image")
    (place / "notes.txt").write_text("hello")
    return place


def test_predict_names_broken_images(
    saved_model: Path, counting_model: TrainedModel, image_folder: Path, tmp_path: Path
) -> None:
    written = predict.predict_images(saved_model, [image_folder, image_folder / "a.png"], tmp_path / "out.csv")
    table = table_files.read_table(tmp_path / "out.csv")
    assert table["image"].tolist() == ["a.png", "b.jpg", "d.webp", "deep/c.bmp", (image_folder / "a.png").as_posix()]
    assert written.count == 5
    assert len(written.failures) == 1
    assert "broken.png: not a readable image" in written.failures[0]
    assert table["prediction"].notna().all()
    wanted = counting_model.predict(IMAGES[[0, 3]])
    np.testing.assert_allclose(table["prediction"].iloc[[0, 2, 4]], wanted[[0, 1, 0]], rtol=1e-5)


def test_predict_keeps_folders_of_equal_file_names(saved_model: Path, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        Image.fromarray(IMAGES[0]).save(tmp_path / place / "x.png")
    Image.fromarray(IMAGES[1]).save(tmp_path / "b" / "y.png")
    predict.predict_images(saved_model, [tmp_path / "a", tmp_path / "b"], tmp_path / "out.csv")
    names = table_files.read_table(tmp_path / "out.csv")["image"].tolist()
    assert names == [(tmp_path / "a" / "x.png").as_posix(), (tmp_path / "b" / "x.png").as_posix(), "y.png"]


def test_predict_loses_no_image_to_a_name(saved_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole path of one image is the name of another."""
    monkeypatch.chdir(tmp_path)
    paths = ["q/z.png", "x/y/z.png", "y/z.png"]
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[0]).save(path)
    assert predict.predict_images(saved_model, [Path("x"), Path("y"), Path("q")], Path("out.csv")).count == 3
    assert sorted(table_files.read_table(Path("out.csv"))["image"]) == paths


def test_predict_names_images_as_labels_do(saved_model: Path, image_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert image_folder == tmp_path / "images"
    predict.predict_images(saved_model, [tmp_path], out)
    assert table_files.read_table(out)["image"].tolist()[0] == "images/a.png"
    (tmp_path / "labels.csv").write_text("image,count\na.png,1\n")
    predict.predict_images(saved_model, [tmp_path], out)
    assert table_files.read_table(out)["image"].tolist() == ["a.png", "b.jpg", "d.webp", "deep/c.bmp"]


def test_predict_exits_2_if_an_image_is_broken(
    saved_model: Path, image_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    command = ["predict", str(image_folder), "--out", str(out), "--model", str(saved_model)]
    assert cli.main(command) == 2
    assert len(table_files.read_table(out)) == 4
    assert "broken.png" in capsys.readouterr().err
    (image_folder / "broken.png").unlink()
    assert cli.main(command) == 0


@pytest.fixture
def identity_model(tmp_path: Path) -> Path:
    trained_model.save_trained_model(tmp_path / "model", build_enhancer())
    return tmp_path / "model"


def test_predicted_images_lie_in_folder_of_table(
    identity_model: Path, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (image_folder / "broken.png").unlink()
    (image_folder / "again").mkdir()
    Image.fromarray(IMAGES[1]).save(image_folder / "again" / "d.webp", lossless=True)
    alone, out = image_folder / "a.png", tmp_path / "out.csv"
    written = predict.predict_images(identity_model, [alone, image_folder / "d.webp", image_folder / "again"], out)
    assert (written.count, written.output, written.notes) == (3, tmp_path / "out", [])
    predicted = table_files.read_table(out)["prediction"].tolist()
    assert predicted[0] == (tmp_path / "out" / "a.png").as_posix()
    assert len(set(predicted)) == 3
    assert all(np.asarray(Image.open(file)).shape == (8, 10, 3) for file in predicted)
    notes = predict.predict_images(identity_model, [image_folder / "b.jpg", alone], out).notes
    assert notes == ["1 of 2 images resized to 8 x 10 pixels, the size that the model was trained on"]


def test_predict_refuses_table_of_unknown_suffix(
    saved_model: Path, image_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", str(image_folder), "--out", str(tmp_path / "out"), "--model", str(saved_model)]) == 2
    assert "must be a CSV file, for example --out out.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_predict_nothing_writes_nothing(saved_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(files.UserError, match=r"nowhere\.png: cannot be read .*\nno image could be read"):
        predict.predict_images(saved_model, [tmp_path / "empty", tmp_path / "nowhere.png"], tmp_path / "out.csv")
    with pytest.raises(files.UserError, match="empty: no images found"):
        predict.predict_images(saved_model, [tmp_path / "empty"], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def read_folder(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files.list_files(folder)}


MODELS = {"count": lambda: build_model(Count(), (1,)), "enhance": build_enhancer, "detect": build_detector}


@pytest.fixture(params=MODELS)
def any_model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    trained_model.save_trained_model(tmp_path / "model", MODELS[request.param]())
    return tmp_path / "model"


def test_predict_overwrites_only_its_own(any_model: Path, image_folder: Path, tmp_path: Path) -> None:
    """Each file that predict writes is replaced by a person's file in turn; then nothing at all is written."""
    (image_folder / "broken.png").unlink()
    work = tmp_path / "work"
    out = work / "out.csv"
    predict.predict_images(any_model, [image_folder], out)
    first = read_folder(work)
    predict.predict_images(any_model, [image_folder], out)
    assert read_folder(work) == first
    for name in first:
        for text in (b"image,mine\n", b"", (image_folder / "a.png").read_bytes()):
            (work / name).write_bytes(text)
            before = read_folder(work)
            with pytest.raises(files.UserError, match=f"{name}: exists; choose another --out, or overwrite it with"):
                predict.predict_images(any_model, [image_folder], out)
            assert read_folder(work) == before
            predict.predict_images(any_model, [image_folder], out, force=True)
            assert read_folder(work) == first


def test_predict_never_overwrites_inputs(identity_model: Path, tmp_path: Path) -> None:
    night = tmp_path / "night"
    night.mkdir()
    for k in range(7):
        Image.fromarray(IMAGES[0]).save(night / f"{k}.png")
    (tmp_path / "link").symlink_to(night)
    before = read_folder(night)
    for paths in ([night], [tmp_path / "link"], sorted(night.glob("*.png"))):
        for force in (False, True):
            with pytest.raises(files.UserError, match=r"(?s)0.png: is an input; choose another --out.*and 2 more"):
                predict.predict_images(identity_model, paths, tmp_path / "night.csv", force=force)
    assert read_folder(night) == before
    assert not (tmp_path / "night.csv").exists()


def test_two_results_never_share_file(identity_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jpg", "a.jpg.png"):
        Image.fromarray(IMAGES[0]).save(folder / name)
    with pytest.raises(files.UserError, match=r"a\.jpg\.png: 2 results would be written to this file"):
        predict.predict_images(identity_model, [folder], tmp_path / "out.csv", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "model"]


def test_boxes_lie_within_original(tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path / "model", build_detector())
    Image.fromarray(IMAGES[0]).resize((33, 21)).save(tmp_path / "a.png")
    predict.predict_images(tmp_path / "model", [tmp_path / "a.png"], tmp_path / "out.csv")
    boxes = table_files.read_table(tmp_path / "out.boxes.csv")
    assert len(boxes)
    corners = boxes[["x0", "y0", "x1", "y1"]].to_numpy()
    assert corners.min() >= 0
    assert (corners <= [33, 21, 33, 21]).all()


def test_predict_scales_as_in_training(tmp_path: Path) -> None:
    """A dark image of 12 bits is as dark as in training; one beyond 12 bits is named."""
    model = replace(build_enhancer(), value_range=(0.0, 4095.0))
    trained_model.save_trained_model(tmp_path / "model", model)
    for name, value in (("a.png", 2000), ("b.png", 5000)):
        Image.fromarray(np.full((8, 10), value, np.uint16)).save(tmp_path / name)
    Image.fromarray(np.full((8, 10), round(2000 / 4095 * 255), np.uint8)).save(tmp_path / "c.png")
    result = predict.predict_images(tmp_path / "model", [tmp_path / f"{k}.png" for k in "abc"], tmp_path / "o.csv")
    wide, usual = (np.asarray(Image.open(tmp_path / "o" / f"{name}.png")) for name in "ac")
    np.testing.assert_array_equal(wide, usual)
    assert len(result.failures) == 1
    assert "b.png: not a readable image (values from 5000 to 5000, outside of 0" in result.failures[0]


def test_predict_says_what_it_left_or_scaled(identity_model: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 10), 300, np.uint16)).save(tmp_path / "a.png")
    pages = [Image.fromarray(IMAGES[k]) for k in range(3)]
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:])
    notes = predict.predict_images(identity_model, [tmp_path / "a.png", tmp_path / "b.tif"], tmp_path / "out.csv").notes
    assert notes == [
        f"1 image has several frames or pages; only the first is used: {(tmp_path / 'b.tif').as_posix()} (3)",
        "images of more than 8 bits are scaled so that 0 is black and 1023 is white; "
        "the model was trained on images of 8 bits",
    ]


def test_model_folder_never_chooses_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code that lies in the model folder, or beside it, runs only if the user names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *sys.path])
    trained_model.save_trained_model(tmp_path / "model", build_model(Count(), (1,)))
    (tmp_path / "evil.py").write_text("from thalweg.models.mlp import Model\nopen('ran', 'w').close()\n")
    description = trained_model.read_description(tmp_path / "model")
    description["network"]["path"] = "evil.Model"
    description["code"]["evil"] = digest_source(tmp_path / "evil.py")  # as the one who made the folder has it
    trained_model.write_description(tmp_path / "model", description)
    Image.fromarray(IMAGES[0]).save(tmp_path / "a.png")
    command = ["predict", "a.png", "--out", "out.csv", "--model", "model"]
    refusal = "model: loading this model runs code, evil.Model, which params.yaml does not name. If you trust it, add "
    for params in (None, "model: {kind: mlp}\n", "model: [evil.Model]\n", "{"):
        if params is not None:
            (tmp_path / "params.yaml").write_text(params)
        assert cli.main(command) == 2
        assert capsys.readouterr().err == f"{refusal}--trust evil.Model\n"
        assert not (tmp_path / "ran").exists()
        assert not (tmp_path / "out.csv").exists()
    (tmp_path / "params.yaml").write_text("study: {space: {model.kind: {choices: [mlp, evil.Model]}}}\n")
    assert cli.main(command) == 0
    (tmp_path / "params.yaml").unlink()
    assert cli.main([*command, "--trust", "evil.Model"]) == 0
    assert (tmp_path / "ran").exists()
