from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from thalweg import cli
from thalweg.artifacts import trained_model
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.cli import predict
from thalweg.core.network import Network
from thalweg.system import files
from thalweg.tasks import Task
from thalweg.tasks.classify import Classify
from thalweg.tasks.count import Count
from thalweg.tasks.enhance import Enhance

DRAW = np.random.default_rng(0)
BACKGROUNDS = DRAW.integers(0, 256, (2, 8, 10, 3), np.uint8)
IMAGES = DRAW.integers(0, 256, (5, 8, 10, 3), np.uint8)


def model(
    task: Task,
    outputs: tuple[int, ...],
    channels: int = 6,
    members: int = 2,
    classes: tuple[str, ...] = (),
    backgrounds: np.ndarray = BACKGROUNDS,
) -> TrainedModel:
    network = Network("mlp", (8, 10, channels), outputs, (("depth", 1), ("width", 4)))
    start = jax.jit(network.init)
    chosen = [jax.device_get(start(jax.random.key(k))) for k in range(members)]
    mean, scale = np.full(channels, 0.4, np.float32), np.full(channels, 3.0, np.float32)
    return TrainedModel(task, network, chosen, classes, mean, scale, backgrounds)


@pytest.fixture(scope="module")
def counter() -> TrainedModel:
    return model(Count(), (1,))


@pytest.fixture(scope="module")
def saved(counter: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    trained_model.save_trained_model(folder, counter)
    return folder


def test_loaded_model_predicts_the_same(counter: TrainedModel, saved: Path) -> None:
    loaded = trained_model.load_trained_model(saved)
    assert (loaded.task, loaded.network, loaded.classes) == (counter.task, counter.network, counter.classes)
    assert loaded.image_shape == (8, 10, 3)
    np.testing.assert_array_equal(loaded.predict(IMAGES), counter.predict(IMAGES))


def test_saved_model_is_deterministic(saved: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved))
    for file in ("model.json", "weights.msgpack", "inputs.npz"):
        assert (tmp_path / file).read_bytes() == (saved / file).read_bytes()


def test_prediction_averages_members(counter: TrainedModel) -> None:
    alone = [TrainedModel(**(vars(counter) | {"members": [one]})).predict(IMAGES) for one in counter.members]
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    np.testing.assert_allclose(counter.predict(IMAGES), np.mean(alone, axis=0), rtol=1e-6)


def test_prediction_ignores_batch_mates(counter: TrainedModel) -> None:
    np.testing.assert_allclose(counter.predict(IMAGES[3:4])[0], counter.predict(IMAGES)[3], rtol=1e-5)


def test_classifier_keeps_its_classes(tmp_path: Path) -> None:
    sorter = model(Classify(), (3,), 3, classes=("cat", "dog", "owl"), backgrounds=BACKGROUNDS[:0])
    trained_model.save_trained_model(tmp_path, sorter)
    loaded = trained_model.load_trained_model(tmp_path)
    assert loaded.classes == ("cat", "dog", "owl")
    assert loaded.image_shape == (8, 10, 3)
    likely = loaded.predict(IMAGES)
    np.testing.assert_allclose(likely.sum(1), 1, rtol=1e-5)
    assert (
        loaded.task.build_prediction_columns(likely, loaded.classes)["prediction"][0]
        == loaded.classes[likely[0].argmax()]
    )


def test_missing_model_differs_from_other_format(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(files.UserError, match="no model yet; create one with `dvc repro`"):
        trained_model.load_trained_model(tmp_path)
    files.write_json(tmp_path / "model.json", files.read_json(saved / "model.json") | {"format": 99})
    with pytest.raises(files.UserError, match="has format 99, but this version reads 1"):
        trained_model.load_trained_model(tmp_path)


def test_load_refuses_weights_of_changed_model_code(saved: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved))
    told = files.read_json(tmp_path / "model.json")
    told["network"]["sizes"]["width"] = 5
    files.write_json(tmp_path / "model.json", told)
    with pytest.raises(files.UserError, match="do not fit model `mlp`"):
        trained_model.load_trained_model(tmp_path)


def test_load_refuses_renamed_sizes(saved: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved))
    told = files.read_json(tmp_path / "model.json")
    told["network"]["sizes"]["wide"] = told["network"]["sizes"].pop("width")
    files.write_json(tmp_path / "model.json", told)
    with pytest.raises(files.UserError, match="'mlp' has changed since it was trained"):
        trained_model.load_trained_model(tmp_path)


def test_load_names_missing_class(saved: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved))
    told = files.read_json(tmp_path / "model.json")
    told["network"]["path"] = "nowhere.Model"
    files.write_json(tmp_path / "model.json", told)
    with pytest.raises(files.UserError, match=r"model 'nowhere\.Model' cannot be loaded"):
        trained_model.load_trained_model(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
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


def test_predict_names_broken_images(saved: Path, counter: TrainedModel, folder: Path, tmp_path: Path) -> None:
    written = predict.predict_images(saved, [folder, folder / "a.png"], tmp_path / "out.csv")
    table = files.read_table(tmp_path / "out.csv")
    assert table["image"].tolist() == ["a.png", "b.jpg", "d.webp", "deep/c.bmp", (folder / "a.png").as_posix()]
    assert written.count == 5
    assert len(written.failures) == 1
    assert "broken.png: not a readable image" in written.failures[0]
    assert table["prediction"].notna().all()
    wanted = counter.predict(IMAGES[[0, 3]])
    np.testing.assert_allclose(table["prediction"].iloc[[0, 2, 4]], wanted[[0, 1, 0]], rtol=1e-5)


def test_predict_keeps_folders_of_equal_file_names(saved: Path, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        Image.fromarray(IMAGES[0]).save(tmp_path / place / "x.png")
    Image.fromarray(IMAGES[1]).save(tmp_path / "b" / "y.png")
    predict.predict_images(saved, [tmp_path / "a", tmp_path / "b"], tmp_path / "out.csv")
    names = files.read_table(tmp_path / "out.csv")["image"].tolist()
    assert names == [(tmp_path / "a" / "x.png").as_posix(), (tmp_path / "b" / "x.png").as_posix(), "y.png"]


def test_predict_names_images_as_labels_do(saved: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert folder == tmp_path / "images"
    predict.predict_images(saved, [tmp_path], out)
    assert files.read_table(out)["image"].tolist()[0] == "images/a.png"
    (tmp_path / "labels.csv").write_text("image,count\na.png,1\n")
    predict.predict_images(saved, [tmp_path], out)
    assert files.read_table(out)["image"].tolist() == ["a.png", "b.jpg", "d.webp", "deep/c.bmp"]


def test_predict_exits_2_if_an_image_is_broken(
    saved: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    command = ["predict", str(folder), "--out", str(out), "--model", str(saved)]
    assert cli.main(command) == 2
    assert len(files.read_table(out)) == 4
    assert "broken.png" in capsys.readouterr().err
    (folder / "broken.png").unlink()
    assert cli.main(command) == 0


@pytest.fixture
def enhancer(tmp_path: Path) -> Path:
    """A model that leaves an image as it is given."""
    network = Network("unet", (8, 10, 3), (8, 10, 3), (("depth", 1), ("width", 4)))
    start = jax.device_get(jax.jit(network.init)(jax.random.key(0)))
    whole = TrainedModel(
        Enhance(problem="denoise"),
        network,
        [start],
        (),
        np.zeros(3, np.float32),
        np.ones(3, np.float32),
        BACKGROUNDS[:0],
    )
    trained_model.save_trained_model(tmp_path / "model", whole)
    return tmp_path / "model"


def test_predicted_images_lie_in_folder_of_table(
    enhancer: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "broken.png").unlink()
    (folder / "again").mkdir()
    Image.fromarray(IMAGES[1]).save(folder / "again" / "d.webp", lossless=True)
    alone, out = folder / "a.png", tmp_path / "out.csv"
    written = predict.predict_images(enhancer, [alone, folder / "d.webp", folder / "again"], out)
    assert (written.count, written.output, written.note) == (3, tmp_path / "out", "")
    made = files.read_table(out)["prediction"].tolist()
    assert made[0] == (tmp_path / "out" / "a.png").as_posix()
    assert len(set(made)) == 3
    assert all(np.asarray(Image.open(file)).shape == (8, 10, 3) for file in made)
    told = predict.predict_images(enhancer, [folder / "b.jpg", alone], out).note
    assert told == "1 of 2 images were resized to 8 x 10 pixels, the size that the model was trained on"


def test_predict_refuses_table_of_unknown_suffix(
    saved: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", str(folder), "--out", str(tmp_path / "out"), "--model", str(saved)]) == 2
    assert "must be a CSV file, for example --out out.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_predict_nothing_writes_empty_table(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        predict.predict_images(saved, [tmp_path / "empty", tmp_path / "nowhere.png"], tmp_path / "out.csv").count == 0
    )
    assert (tmp_path / "out.csv").read_text() == "image,prediction\n"
