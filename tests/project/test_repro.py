"""The whole pipeline under the real DVC, in clones of the project."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.clone import ALL, Clone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(clone: Callable[[], Clone]) -> Clone:
    made = clone()
    assert made.repro() == ALL
    return made


def test_clones_give_same_bytes(first: Clone, clone: Callable[[], Clone]) -> None:
    second = clone()
    assert second.repro(cores=1) == ALL
    results, others = first.read_results(), second.read_results()
    assert {name for name in results | others if results.get(name) != others.get(name)} == set()


def test_unchanged_project_is_idle(first: Clone) -> None:
    first.run("python", "-c", "import thalweg.stages.report, thalweg.models.cnn")
    assert list((first.folder / "pipeline").rglob("__pycache__"))
    assert first.repro() == []


def test_section_edit_reruns_report(first: Clone) -> None:
    file = first.folder / "pipeline" / "reporting" / "sections" / "history.py"
    file.write_text(file.read_text() + "\n# changed\n")
    assert first.repro() == ["report"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pipeline/core/losses.py", "import jax\n", "import jax  # an edited comment\n"),
        ("pipeline/config/checks/file.py", "does not divide", "is no divisor of"),
        ("pipeline/reporting/sections/history.py", "import altair", "import altair  # edited\nimport altair"),
    ],
    ids=["comment in core", "message of a check", "report section"],
)
def test_harmless_edits_train_nothing(first: Clone, file: str, old: str, new: str) -> None:
    source = first.folder / file
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new, 1))
    ran = first.repro()
    stages = json.loads((first.folder / "reports/timing.json").read_text())["stages"]
    assert "report" in ran
    assert {name: stages[name]["epochs"] for name in ran} == dict.fromkeys(ran, 0)


def test_space_change_reruns_study_and_after(first: Clone) -> None:
    first.set({"study.space": {"optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True}}})
    assert first.repro() == ["study", "confirm", "diagnose", "report"]


def test_more_trials_keep_old_ones(first: Clone) -> None:
    before = (first.folder / "reports/trials.csv").read_text()
    first.set({"study.trials": 12})
    first.repro()
    after = (first.folder / "reports/trials.csv").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 4


def test_dvc_experiment_shows_metrics(first: Clone) -> None:
    first.commit("results")
    first.run("dvc", "exp", "run", "-S", "optimizer.learning_rate=0.002")
    shown = json.loads(first.run("dvc", "metrics", "show", "--json"))
    assert "confirm_winner_mean" in json.dumps(shown)
    assert "0.002" in (first.folder / "params.yaml").read_text()


def test_predict_on_new_images(first: Clone) -> None:
    pictures = first.folder / "artifacts" / "confirm" / "pictures"
    told = first.run("thalweg", "predict", str(pictures), "--out", "out.csv")
    rows = (first.folder / "out.csv").read_text().splitlines()
    assert rows[0] == "image,prediction"
    assert len(rows) == 1 + len(list(pictures.iterdir()))
    assert f"{len(rows) - 1} predictions" in told


def test_outputs_have_no_local_paths(first: Clone) -> None:
    for name, content in first.read_results().items():
        assert str(Path.home()).encode() + b"/" not in content, name
        assert str(first.folder).encode() not in content, name
