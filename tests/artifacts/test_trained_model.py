import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.saved_models import BACKGROUNDS, IMAGES, build_model
from thalweg.artifacts import trained_model
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.system import files
from thalweg.tasks.classify import Classify


def test_loaded_model_predicts_the_same(counting_model: TrainedModel, saved_model: Path) -> None:
    loaded = trained_model.load_trained_model(saved_model)
    assert (loaded.task, loaded.network, loaded.classes) == (
        counting_model.task,
        counting_model.network,
        counting_model.classes,
    )
    assert loaded.image_shape == (8, 10, 3)
    np.testing.assert_array_equal(loaded.predict(IMAGES), counting_model.predict(IMAGES))


def test_saved_model_is_deterministic(saved_model: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    for file in ("model.json", "weights.msgpack", "inputs.npz", "README.md"):
        assert (tmp_path / file).read_bytes() == (saved_model / file).read_bytes()


def test_prediction_averages_members(counting_model: TrainedModel) -> None:
    alone = [
        TrainedModel(**(vars(counting_model) | {"members": [member]})).predict(IMAGES)
        for member in counting_model.members
    ]
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    np.testing.assert_allclose(counting_model.predict(IMAGES), np.mean(alone, axis=0), rtol=1e-6)


def test_prediction_ignores_batch_mates(counting_model: TrainedModel) -> None:
    np.testing.assert_allclose(counting_model.predict(IMAGES[3:4])[0], counting_model.predict(IMAGES)[3], rtol=1e-5)


def test_classifier_keeps_its_classes(tmp_path: Path) -> None:
    sorter = build_model(Classify(), (3,), 3, classes=("cat", "dog", "owl"), backgrounds=BACKGROUNDS[:0])
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


def test_readme_tells_how_to_load_it(counting_model: TrainedModel, saved_model: Path) -> None:
    text = (saved_model / "README.md").read_text()
    assert "Images: 8 x 10 pixels, 3 channels" in text
    code = text.split("```python\n")[1].split("```")[0].replace("FOLDER", str(saved_model))
    names = {"images": IMAGES}
    exec(code, names)
    np.testing.assert_array_equal(names["predictions"], counting_model.predict(IMAGES))


def test_missing_model_differs_from_other_format(saved_model: Path, tmp_path: Path) -> None:
    with pytest.raises(files.UserError, match="no model yet; create one with `thalweg run`"):
        trained_model.load_trained_model(tmp_path)
    files.write_json(tmp_path / "model.json", files.read_json(saved_model / "model.json") | {"format": 99})
    with pytest.raises(files.UserError, match="has format 99, but this version reads 4"):
        trained_model.load_trained_model(tmp_path)


def test_load_refuses_weights_of_changed_model_code(saved_model: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    description = trained_model.read_description(tmp_path)
    description["network"]["sizes"]["width"] = 5
    trained_model.write_description(tmp_path, description)
    with pytest.raises(files.UserError, match="do not fit model `mlp`"):
        trained_model.load_trained_model(tmp_path)


def test_load_refuses_renamed_sizes(saved_model: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    description = trained_model.read_description(tmp_path)
    description["network"]["sizes"]["wide"] = description["network"]["sizes"].pop("width")
    trained_model.write_description(tmp_path, description)
    with pytest.raises(files.UserError, match="'mlp' has changed since it was trained"):
        trained_model.load_trained_model(tmp_path)


def test_load_names_missing_class(saved_model: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    description = trained_model.read_description(tmp_path)
    description["network"]["path"] = "nowhere.Model"
    trained_model.write_description(tmp_path, description)
    with pytest.raises(files.UserError, match=r"model cannot be loaded: `nowhere\.Model` is not"):
        trained_model.load_trained_model(tmp_path, {"nowhere.Model"})


def test_model_folder_chooses_no_code(saved_model: Path, tmp_path: Path) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    description = trained_model.read_description(tmp_path)
    description["task"]["kind"], description["network"]["path"] = "os.Task", "os.Model"
    trained_model.write_description(tmp_path, description)
    with pytest.raises(files.UserError, match=r"runs code, os\.Model and os\.Task, .* --trust os\.Model --trust os\.T"):
        trained_model.load_trained_model(tmp_path)
    with pytest.raises(files.UserError, match=r"runs code, os\.Task, which"):
        trained_model.load_trained_model(tmp_path, {"os.Model"})


@pytest.mark.parametrize(
    ("part", "change"),
    [("network", {"path": "got-model.payload.Model"}), ("task", {"metrics": ["payload.worst"]})],
)
def test_odd_path_runs_no_code(saved_model: Path, tmp_path: Path, part: str, change: dict[str, object]) -> None:
    trained_model.save_trained_model(tmp_path, trained_model.load_trained_model(saved_model))
    description = trained_model.read_description(tmp_path)
    description[part] |= change
    trained_model.write_description(tmp_path, description)
    with pytest.raises(files.UserError, match=r"runs code, \S*payload\.\w+, which"):
        trained_model.load_trained_model(tmp_path)


OWN = "from own_saved_parts import Base\n\n\nclass Model(Base):\n    pass\n"
PARTS = "from thalweg.models.mlp import Model as Base\n"
ALIAS = "from own_saved_net import Model\n"
FILES = {"own_saved_alias": ALIAS, "own_saved_net": OWN, "own_saved_parts": PARTS}


@pytest.mark.parametrize(
    ("file", "text", "refused"),
    [
        ("own_saved_net", OWN + "# a comment\n", False),
        ("own_saved_net", OWN + "WIDE = 1\n", True),
        ("own_saved_parts", PARTS + "WIDE = 1\n", True),
        ("own_saved_alias", ALIAS + "WIDE = 1\n", True),
    ],
)
def test_weights_of_other_code_are_refused(
    counting_model: TrainedModel,
    file: str,
    text: str,
    refused: bool,
    empty_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(empty_folder)
    for name, content in FILES.items():
        (empty_folder / f"{name}.py").write_text(content)
    network = replace(counting_model.network, path="own_saved_alias.Model")
    trained_model.save_trained_model(Path("model"), replace(counting_model, network=network))
    trusted = {"own_saved_alias.Model"}
    assert trained_model.load_trained_model(Path("model"), trusted).network == network
    (empty_folder / f"{file}.py").write_text(text)
    if refused:
        with pytest.raises(files.UserError, match=rf"has changed: {file} \({file}\.py\); .* `thalweg run`"):
            trained_model.load_trained_model(Path("model"), trusted)
    else:
        trained_model.load_trained_model(Path("model"), trusted)
    for name in FILES:
        del sys.modules[name]
