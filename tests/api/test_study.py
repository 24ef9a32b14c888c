"""A finished study, read back: its tables, its winner, its findings, its predictions."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import thalweg
from tests.helpers import saved_models
from tests.helpers.tiny_pipeline import TREE
from thalweg import cli
from thalweg.artifacts import prepared, trained_model
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.system import images, table_files
from thalweg.system.paths import EXAMPLES, MODEL


@pytest.fixture(scope="module")
def study(finished_project: Path) -> thalweg.Study:
    return thalweg.load(finished_project)


def test_trials_are_the_table(study: thalweg.Study, finished_project: Path) -> None:
    lines = (finished_project / "reports" / "trials.csv").read_text().splitlines()
    assert list(study.trials) == lines[0].split(",")
    assert study.trials["number"].tolist() == [0, 1, 2, 3]
    assert study.trials["value"].tolist() == [float(line.split(",")[2]) for line in lines[1:]]
    assert str(study.trials["diverged_step"].dtype) == "Int64"


def test_best_is_the_winner_on_fresh_seeds(study: thalweg.Study, finished_project: Path) -> None:
    best, runs = study.best, table_files.read_table(finished_project / "artifacts" / "confirm" / "runs.csv")
    assert best is not None
    assert best.trial == runs.loc[runs["candidate"] == "winner", "trial"].iloc[0]
    assert best.value == pytest.approx(runs.loc[runs["candidate"] == "winner", "test_mae"].mean())
    assert best.metric == "mae"
    assert best.low <= best.value <= best.high
    row = study.trials.set_index("number").loc[best.trial]
    assert best.settings == {name: row[name] for name in TREE["study"]["space"]}


def test_baseline_can_win(finished_project: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(finished_project, tmp_path / "study"))
    runs = place / "artifacts" / "confirm" / "runs.csv"
    table = pd.read_csv(runs)
    table["trial"] = np.nan
    table.to_csv(runs, index=False)
    best = thalweg.load(place).best
    assert best is not None
    assert best.trial is None
    assert best.settings == {"optimizer.learning_rate": 0.001, "optimizer.momentum": 0.5}


def test_choices_that_are_text_stay_text(finished_project: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(finished_project, tmp_path / "study"))
    params = place / "params.yaml"
    params.write_text(params.read_text().replace("  space:\n", "  space:\n    a: {choices: ['1', '2']}\n"))
    table = place / "reports" / "trials.csv"
    table.write_text("number,value,a\n0,0.5,1\n1,0.25,\n")
    assert thalweg.load(place).trials["a"].fillna("-").tolist() == ["1", "-"]


def test_findings_and_summary_are_the_files(study: thalweg.Study, finished_project: Path) -> None:
    rows = json.loads((finished_project / "reports" / "findings.json").read_text())
    assert [finding.verdict for finding in study.findings] == [row["verdict"] for row in rows]
    assert all(isinstance(finding.trials, tuple) for finding in study.findings)
    assert study.summary == json.loads((finished_project / "reports" / "summary.json").read_text())


def test_a_line_says_the_result(study: thalweg.Study, finished_project: Path) -> None:
    verdict = study.findings[0].verdict
    assert repr(study) == f"Study of 4 trials in {finished_project}: {verdict}"
    assert verdict in study._repr_html_()


def test_predictions_are_those_of_the_command(
    study: thalweg.Study, finished_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of images of another size than the network's, too."""
    monkeypatch.chdir(finished_project)
    pixels = np.repeat(prepared.read_examples(EXAMPLES).images[:3], 2, axis=1)
    for index, image in enumerate(pixels):
        images.write_image(tmp_path / "in" / f"{index}.png", image)
    assert cli.main(["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out.csv")]) == 0
    expected = table_files.read_table(tmp_path / "out.csv")
    predicted = study.predict(pixels)
    assert isinstance(predicted, pd.DataFrame)
    assert predicted["image"].tolist() == [0, 1, 2]
    assert predicted.drop(columns="image").equals(expected.drop(columns="image"))


def hold_model(folder: Path, model: TrainedModel) -> thalweg.Study:
    """A study of which only the model is there."""
    trained_model.save_trained_model(folder / MODEL, model)
    return thalweg.Study(folder, pd.DataFrame(), None, [], {})


def test_found_objects_are_a_table(tmp_path: Path) -> None:
    """The detector finds an object in each of 2 x 3 cells."""
    predicted = hold_model(tmp_path, saved_models.build_detector()).predict(saved_models.IMAGES)
    assert isinstance(predicted, pd.DataFrame)
    assert list(predicted) == ["image", "x0", "y0", "x1", "y1", "confidence"]
    assert predicted["image"].value_counts(sort=False).to_dict() == dict.fromkeys(range(5), 6)


def test_predicted_images_are_an_array(tmp_path: Path) -> None:
    model = saved_models.build_enhancer()
    expected = model.task.render_images(model.predict(saved_models.IMAGES))
    assert expected is not None
    np.testing.assert_array_equal(hold_model(tmp_path, model).predict(saved_models.IMAGES), expected)


def test_images_that_cannot_be_predicted_are_named(study: thalweg.Study) -> None:
    with pytest.raises(thalweg.UserError, match=r"^images: the shape is \[4, 4\]"):
        study.predict(np.zeros((4, 4), np.uint8))


def test_unfinished_study_is_named(finished_project: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_project, tmp_path / "study")
    (tmp_path / "study" / "reports" / "summary.json").unlink()
    with pytest.raises(thalweg.UserError, match=r"study: no finished study; it has no reports/summary\.json$"):
        thalweg.load(tmp_path / "study")
    with pytest.raises(thalweg.UserError, match=r"no finished study; it has no params\.yaml$"):
        thalweg.load(tmp_path / "nowhere")


def test_params_that_changed_are_named(finished_project: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_project, tmp_path / "study", symlinks=True)
    params = tmp_path / "study" / "params.yaml"
    lock = tmp_path / "study" / "dvc.lock"
    stages = {"report": {"params": {"params.yaml": {"study": TREE["study"]}}}}
    YAML(typ="safe").dump({"stages": stages}, lock)
    assert thalweg.load(tmp_path / "study").best
    params.write_text(params.read_text().replace("objective: mae", "objective: rmse"))
    with pytest.raises(thalweg.UserError, match=r"changed after the study ran: study\.objective \(mae, now rmse\)"):
        thalweg.load(tmp_path / "study")
