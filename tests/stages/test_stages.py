"""The whole pipeline on a few small scenes, each stage as `dvc repro` starts it."""

import importlib
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny_pipeline import TREE, run_stages, write_params
from tests.helpers.training_calls import count_steps
from thalweg.artifacts import prepared, trained_model
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.confirm import candidates as confirming
from thalweg.reporting.finding import Finding
from thalweg.reporting.load import list_searched_parameters
from thalweg.reporting.page.markdown import escape_text
from thalweg.stages import STAGE_NAMES
from thalweg.stages.report import MAX_METRICS
from thalweg.system import files, table_files
from thalweg.system.paths import (
    BASELINE_PREDICTIONS,
    BEST_PARAMS,
    EXAMPLES,
    GRADIENTS,
    MODEL,
    PARAMS,
    PREDICTIONS,
    RUNS,
    SUMMARY,
    WINNER_PARAMS,
)
from thalweg.tasks.count import Count


def read_contents(*names: str) -> dict[str, bytes]:
    return {name: Path(name).read_bytes() for name in names}


@pytest.fixture
def working_folder(finished_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished_project)


@pytest.mark.usefixtures("working_folder")
class TestTheWholePipeline:
    def test_every_public_file_is_written(self) -> None:
        reports = Path("reports")
        pages, tables = ("report.html", "report.md"), ("trials.csv", "curves.csv")
        names = (*pages, *tables, "metrics.json", "findings.json", "summary.json", "timing.json")
        assert all((reports / name).stat().st_size for name in names)
        assert list((reports / "figures").glob("*.svg"))

    def test_table_columns_match_contract(self) -> None:
        trials = table_files.read_table(Path("reports/trials.csv"))
        searched = list(TREE["study"]["space"])
        assert list(trials) == ["number", "state", "value", *searched, "epochs", "diverged_step", "same_as"]
        assert trials["number"].tolist() == [0, 1, 2, 3]
        curves = table_files.read_table(Path("reports/curves.csv"))
        wanted = {"trial", "seed", "epoch", "train_loss", "val_loss", *Count.METRIC_DIRECTIONS, "learning_rate"}
        assert wanted <= set(curves)
        assert curves.groupby("trial")["epoch"].apply(list).tolist() == [[1, 2]] * 4

    def test_findings_are_those_of_the_page(self) -> None:
        findings, page = files.read_json(Path("reports/findings.json")), Path("reports/report.md").read_text()
        assert {frozenset(finding) for finding in findings} == {frozenset(field.name for field in fields(Finding))}
        places = [page.index(escape_text(finding["verdict"])) for finding in findings if finding["section"] != "result"]
        assert len(places) > 3
        assert places == sorted(places)
        assert findings[0]["section"] == "result"
        assert escape_text(findings[0]["verdict"]) in page

    def test_summary_reports_winner_and_gain(self) -> None:
        summary, trials = files.read_json(SUMMARY), table_files.read_table(Path("reports/trials.csv"))
        study = summary["study"]
        assert {n: study[n] for n in ("trials", "complete", "pruned", "diverged", "cohorts")} == {
            "trials": 4,
            "complete": 4,
            "pruned": 0,
            "diverged": 0,
            "cohorts": 2,
        }
        best = trials.iloc[trials["value"].argmin()]
        assert (study["best"]["number"], study["best"]["value"]) == (best["number"], best["value"])
        three = summary["confirm"]
        assert three.keys() == {"winner", "baseline", "difference", "corrected", "corrected_difference"}
        keys = frozenset(("mean", "low", "high", "seeds", "groups", "groups_error", "groups_dof"))
        assert {frozenset(part) for part in three.values()} == {keys}
        difference = three["winner"]["mean"] - three["baseline"]["mean"]
        assert three["difference"]["mean"] == pytest.approx(difference, abs=1e-6)
        assert summary["test"].keys() == Count.METRIC_DIRECTIONS.keys()
        metrics = files.read_json(Path("reports/metrics.json"))
        assert metrics["confirm_winner_mean"] == three["winner"]["mean"]
        assert metrics["test_rmse"] == summary["test"]["rmse"]
        winner = table_files.read_table(RUNS).query("candidate == 'winner'")["trial"].iloc[0]
        rate = trials.set_index("number")["optimizer.learning_rate"][winner]
        assert metrics["winner.optimizer.learning_rate"] == rate
        assert len(metrics) <= MAX_METRICS

    def test_gradient_check_on_request(self) -> None:
        table = table_files.read_table(GRADIENTS)
        assert table["term"].unique().tolist() == ["count", "cells", "areas", "all terms"]
        assert set(table["verdict"]) <= {"right", "kink"}
        assert "## Gradient check" in Path("reports/report.md").read_text()

    def test_winner_on_fresh_seeds(self) -> None:
        runs, summary = table_files.read_table(RUNS), files.read_json(SUMMARY)
        means = runs.groupby("candidate")[["validation_mae", "test_mae"]].mean()
        assert means["validation_mae"]["winner"] <= means["validation_mae"]["runner-up 1"]
        assert summary["confirm"]["winner"]["mean"] == pytest.approx(means["test_mae"]["winner"])
        assert summary["confirm"]["baseline"]["mean"] == pytest.approx(means["test_mae"]["baseline"])
        assert set(runs["seed"]) == set(confirming.list_confirm_seeds(load_config(PARAMS)))

    def test_copies_have_true_targets(self) -> None:
        loaded = prepared.load_prepared_data()
        originals = len(loaded.examples) - len(loaded.copy_origins)
        assert originals == 96
        assert sorted(loaded.copy_origins.tolist()) == loaded.splits.train[0].tolist()
        first = loaded.examples.take_rows(loaded.copy_origins)
        second = loaded.examples.take_rows(np.arange(originals, len(loaded.examples)))
        np.testing.assert_array_equal(second.images, first.images[:, :, ::-1])
        assert second.groups.tolist() == first.groups.tolist()
        there = first.labels["present"]
        np.testing.assert_allclose(second.labels["points"][there][:, 0], 24 - first.labels["points"][there][:, 0])
        np.testing.assert_array_equal(second.labels["count"], there.sum(-1))

    def test_best_params_keep_comments(self) -> None:
        best, summary = load_config(BEST_PARAMS), files.read_json(SUMMARY)["study"]["best"]
        assert BEST_PARAMS.read_text().startswith("# what a person wrote\n")
        assert best == load_config(PARAMS).replace_values(summary["params"])

    def test_predictions_are_of_test_split(self) -> None:
        table, parts = table_files.read_table(PREDICTIONS, dtype={"image": str}), prepared.read_splits()
        assert table["image"].tolist() == prepared.read_examples(EXAMPLES).names[parts.test].tolist()
        np.testing.assert_allclose(table["error"], (table["prediction"] - table["truth"]).abs(), rtol=1e-6)
        worst = table_files.read_table(Path("artifacts/confirm/worst.csv"), dtype={"image": str})
        assert worst["error"].tolist() == sorted(table["error"], reverse=True)[:12]
        typical = table_files.read_table(Path("artifacts/confirm/typical.csv"), dtype={"image": str})
        assert typical["error"].tolist() == sorted(typical["error"])
        assert len(typical) == 4
        assert not {*typical["file"]} & {*worst["file"]}
        examples = prepared.read_examples(EXAMPLES)
        row = examples.names.tolist().index(worst["image"][0])
        picture = np.asarray(Image.open(Path("artifacts/confirm/pictures") / worst["file"][0]))
        np.testing.assert_array_equal(picture, examples.images[row])

    def test_evaluate_uses_train_weights(self) -> None:
        curves, scored = (
            table_files.read_table(Path("artifacts/baseline/curves.csv")),
            table_files.read_table(BASELINE_PREDICTIONS),
        )
        scores = files.read_json(Path("artifacts/evaluation/metrics.json"))
        assert scores["mae"] == pytest.approx(curves["mae"].min(), rel=1e-5)
        assert (scored["prediction"] - scored["truth"]).abs().mean() == pytest.approx(scores["mae"], rel=1e-5)
        assert len(scored) == len(prepared.read_splits().validation[0])

    def test_final_model_is_a_winner_network(self) -> None:
        model, examples = trained_model.load_trained_model(MODEL), prepared.read_examples(EXAMPLES)
        rows = prepared.read_splits().validation[0]
        error = np.abs(model.predict(examples.images[rows]) - examples.labels["count"][rows]).mean()
        winner = table_files.read_table(RUNS).query("candidate == 'winner'")
        assert error == pytest.approx(winner["validation_mae"].min(), rel=1e-4)

    def test_stages_record_time_and_compiles(self) -> None:
        timing = files.read_json(Path("reports/timing.json"))
        assert set(timing["stages"]) == set(STAGE_NAMES)
        assert timing["compiles"] >= 1

    @pytest.mark.slow
    def test_rerun_gives_same_bytes(self) -> None:
        names = (
            *map(str, (BEST_PARAMS, RUNS, PREDICTIONS, SUMMARY, MODEL / "weights.msgpack", MODEL / "model.json")),
            *(f"reports/{name}" for name in ("trials.csv", "curves.csv", "metrics.json", "findings.json")),
            *(f"reports/{name}" for name in ("report.html", "report.md")),
        )
        before = read_contents(*names)
        shutil.rmtree(".thalweg")
        run_stages("study", "confirm", "diagnose", "report")
        assert read_contents(*names) == before

    @pytest.mark.parametrize(("stage", "written"), [("study", BEST_PARAMS), ("confirm", WINNER_PARAMS)])
    def test_written_params_are_those_loaded(self, monkeypatch: pytest.MonkeyPatch, stage: str, written: Path) -> None:
        before, text = written.read_bytes(), PARAMS.read_text()
        module = importlib.import_module(f"thalweg.stages.{stage}")
        work = module.main

        def edit_and_work(config: Config) -> str:
            PARAMS.write_text(text.replace("Few people", "Nobody") + "# later\n")
            found: str = work(config)
            PARAMS.write_text(text)
            return found

        monkeypatch.setattr(module, "main", edit_and_work)
        run_stages(stage)
        assert written.read_bytes() == before

    @pytest.mark.slow
    def test_role_change_searches_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A setting that is asked about has other trials: each third of its range has its share."""
        steps = count_steps(monkeypatch)
        before = read_contents(str(RUNS), str(SUMMARY), "reports/trials.csv", "reports/curves.csv")
        momentum = TREE["study"]["space"]["optimizer.momentum"] | {"role": "scientific"}
        space = TREE["study"]["space"] | {"optimizer.momentum": momentum}
        write_params(TREE | {"study": TREE["study"] | {"space": space}})
        run_stages("study", "confirm", "report")
        assert sum(steps) > 0
        assert read_contents("reports/trials.csv") != {name: before[name] for name in ["reports/trials.csv"]}
        assert "optimizer.momentum: the best trial of each value" in Path("reports/report.md").read_text()
        roles = {parameter.name: parameter.role for parameter in list_searched_parameters(load_config(PARAMS))}
        assert roles == {"optimizer.learning_rate": "nuisance", "optimizer.momentum": "scientific"}
        write_params(TREE, "# what a person wrote\n")
        run_stages("study", "confirm", "report")
        assert read_contents(*before) == before


@pytest.fixture
def diverging_project(finished_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same data, and a search in which everything diverges; the model to be trained on everything."""
    shutil.copytree(finished_project / "artifacts", tmp_path / "artifacts")
    monkeypatch.chdir(tmp_path)
    space = {"optimizer.learning_rate": {"low": 1e37, "high": 1e38, "log": True}}
    tree = TREE | {"study": TREE["study"] | {"space": space}}
    write_params(tree | {"confirm": {"seeds": 2, "runners_up": 1, "refit": "all", "members": 2}})


@pytest.mark.slow
@pytest.mark.usefixtures("diverging_project")
def test_all_diverged_leaves_baseline() -> None:
    run_stages("study", "confirm", "diagnose", "report")
    summary = files.read_json(SUMMARY)
    assert (summary["study"]["diverged"], summary["study"]["complete"], summary["study"]["best"]) == (4, 0, None)
    assert summary["confirm"]["winner"] == summary["confirm"]["baseline"]
    assert summary["confirm"]["difference"]["mean"] == 0
    runs = table_files.read_table(RUNS)
    assert runs["trial"].isna().all()
    baseline, winner = (runs[runs["candidate"] == who].drop(columns="candidate") for who in ("baseline", "winner"))
    assert winner.to_csv(index=False) == baseline.to_csv(index=False)
    assert load_config(BEST_PARAMS) == load_config(PARAMS)
    assert len(trained_model.load_trained_model(MODEL).members) == 2
    assert Path("reports/report.html").exists()
