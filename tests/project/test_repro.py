"""The whole pipeline under the real DVC, in clones of the project."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import s3
from tests.helpers.clone import ALL, Clone, list_stages_run
from tests.helpers.doc_examples import find_example
from tests.helpers.drawn_sets import draw_images
from thalweg.stages.report import MAX_METRICS

pytestmark = pytest.mark.slow
TRAINING = {"train", "study", "confirm", "diagnose"}


@pytest.fixture(scope="module")
def reproduced_clone(clone: Callable[[], Clone]) -> Clone:
    project = clone()
    assert project.repro() == ALL
    return project


def edit_and_reproduce(project: Clone, file: str, old: str, new: str) -> dict[str, int]:
    """Edit a source file, and return the epochs that each stage trained which then ran."""
    source = project.folder / file
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new, 1))
    ran = project.repro()
    stages = json.loads((project.folder / "reports/timing.json").read_text())["stages"]
    return {name: stages[name]["epochs"] for name in ran}


def test_clones_give_same_bytes(reproduced_clone: Clone, clone: Callable[[], Clone]) -> None:
    second = clone()
    assert second.repro(cores=1) == ALL
    results, others = reproduced_clone.read_results(), second.read_results()
    assert {name for name in results | others if results.get(name) != others.get(name)} == set()


def test_unchanged_project_is_idle(reproduced_clone: Clone) -> None:
    reproduced_clone.run("python", "-c", "import thalweg.stages.report, thalweg.models.cnn")
    assert list((reproduced_clone.folder / "pipeline").rglob("__pycache__"))
    assert reproduced_clone.repro() == []


def test_clones_share_a_cache_on_one_disk(reproduced_clone: Clone, tmp_path: Path) -> None:
    """The run cache knows what the other clone made, though no dvc.lock says so."""
    other = reproduced_clone.clone_to(tmp_path / "other")
    assert not (other.folder / "dvc.lock").exists()
    other.run("dvc", "cache", "dir", str(reproduced_clone.folder / ".dvc" / "cache"))
    assert other.repro() == []
    assert other.read_results() == reproduced_clone.read_results()


def test_team_shares_results_by_s3(reproduced_clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clone pushes data, results and its run cache; others train nothing, with its dvc.lock or without."""
    for name, value in s3.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    first = reproduced_clone.copy_to(tmp_path / "first")
    draw_images(first.folder / "photos", "a.png", "b.png")
    first.run("dvc", "add", "photos")
    with s3.run_server(tmp_path / "log") as address:
        first.run("dvc", "remote", "add", "--default", "team", f"s3://{s3.BUCKET}/project")
        first.run("dvc", "remote", "modify", "team", "endpointurl", address)
        first.commit("results")
        first.run("dvc", "push", "--run-cache")
        for name in ("dvc.lock", "run cache"):
            other = first.clone_to(tmp_path / name)
            if name == "run cache":
                (other.folder / "dvc.lock").unlink()
            other.run("dvc", "pull", "--run-cache", *(["photos.dvc"] if name == "run cache" else []))
            assert list_stages_run(other.run("dvc", "repro", "--pull")) == []
            assert other.read_results() == first.read_results()
            assert other.read("photos/a.png") == first.read("photos/a.png")
            assert not list((other.folder / ".thalweg").rglob("journal.jsonl"))


def test_section_edit_reruns_report(reproduced_clone: Clone) -> None:
    file = reproduced_clone.folder / "pipeline" / "reporting" / "sections" / "history.py"
    file.write_text(file.read_text() + "\n# changed\n")
    assert reproduced_clone.repro() == ["report"]


@pytest.mark.parametrize(
    ("file", "old", "new", "reruns"),
    [
        ("pipeline/core/losses.py", "import jax\n", "import jax  # an edited comment\n", TRAINING),
        ("pipeline/config/checks/file.py", "does not divide", "is no divisor of", TRAINING),
        ("pipeline/reporting/sections/history.py", "import altair", "import altair  # edited\nimport altair", set()),
    ],
    ids=["comment in core", "message of a check", "report section"],
)
def test_harmless_edits_train_nothing(reproduced_clone: Clone, file: str, old: str, new: str, reruns: set[str]) -> None:
    epochs = edit_and_reproduce(reproduced_clone, file, old, new)
    assert reruns | {"report"} <= epochs.keys()
    assert not any(epochs.values())


def test_edit_of_ablations_trains_them_anew(reproduced_clone: Clone) -> None:
    before = reproduced_clone.read("artifacts/diagnosis/less.csv")
    file = "pipeline/diagnose/ablations.py"
    epochs = edit_and_reproduce(reproduced_clone, file, '"less", str(group)', '"fewer", str(group)')
    assert epochs.keys() == {"diagnose", "report"}
    assert epochs["diagnose"] > 0
    assert reproduced_clone.read("artifacts/diagnosis/less.csv") != before


def test_space_change_reruns_study_and_after(reproduced_clone: Clone) -> None:
    reproduced_clone.set({"study.space": {"optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True}}})
    assert reproduced_clone.repro() == ["study", "confirm", "diagnose", "report"]


def test_more_trials_keep_old_ones(reproduced_clone: Clone) -> None:
    before = (reproduced_clone.folder / "reports/trials.csv").read_text()
    reproduced_clone.set({"study.trials": 12})
    reproduced_clone.repro()
    after = (reproduced_clone.folder / "reports/trials.csv").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 4


def test_dvc_experiment_shows_metrics(reproduced_clone: Clone) -> None:
    reproduced_clone.commit("results")
    reproduced_clone.run("dvc", "exp", "run", "-S", "optimizer.learning_rate=0.002")
    metrics = json.loads(reproduced_clone.run("dvc", "metrics", "show", "--json"))
    assert "confirm_winner_mean" in json.dumps(metrics)
    line = f"{find_example('columns').text.strip()} --csv"
    columns = reproduced_clone.run("bash", "-ec", line).splitlines()[0].split(",")
    assert sorted(columns) == sorted(json.loads(reproduced_clone.read("reports/metrics.json")))
    assert len(columns) <= MAX_METRICS
    assert "0.002" in (reproduced_clone.folder / "params.yaml").read_text()


def test_predict_on_new_images(reproduced_clone: Clone) -> None:
    pictures = reproduced_clone.folder / "artifacts" / "confirm" / "pictures"
    output = reproduced_clone.run("thalweg", "predict", str(pictures), "--out", "out.csv")
    rows = (reproduced_clone.folder / "out.csv").read_text().splitlines()
    assert rows[0] == "image,prediction"
    assert len(rows) == 1 + len(list(pictures.iterdir()))
    assert f"{len(rows) - 1} predictions" in output


def test_outputs_have_no_local_paths(reproduced_clone: Clone) -> None:
    for name, content in reproduced_clone.read_results().items():
        assert str(Path.home()).encode() + b"/" not in content, name
        assert str(reproduced_clone.folder).encode() not in content, name
