"""Whole reports on studies of other programs."""

import json
import math
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from tests.helpers.foreign_studies import SPACE, build_trial, compute_value, draw_params, draw_trials, store_study
from tests.helpers.paths import ROOT
from thalweg.foreign.optuna_study import RUNS, read_study
from thalweg.foreign.report import write_report
from thalweg.system.files import UserError

OURS = re.compile(
    r"params\.yaml|`thalweg|`confirm|`study\.|\bstudy\.(?:prune|seeds|trials|space)|validation|test set|epoch|cohort"
    r"|retrain|diverge|\btrain(?:s|ed)?\b"
)
"""Words of our own studies, which the reader of such a report has never met."""


def draw_pruned() -> list[FrozenTrial]:
    rng, trials = np.random.default_rng(0), []
    for _ in range(60):
        params = draw_params(rng)
        curve = {step: compute_value(params) + 3 * math.exp(-step / 3) + 0.01 * rng.normal() for step in range(12)}
        if curve[3] > 2.5:
            early = {step: value for step, value in curve.items() if step < 4}
            trials.append(build_trial(params, state=TrialState.PRUNED, intermediate_values=early))
        else:
            trials.append(build_trial(params, curve[11], intermediate_values=curve))
    return trials


def draw_curves() -> list[FrozenTrial]:
    rng, trials = np.random.default_rng(1), []
    for params in (draw_params(rng) for _ in range(40)):
        curve = {step: compute_value(params) + 3 * math.exp(-step / 3) + 0.01 * rng.normal() for step in range(12)}
        trials.append(build_trial(params, curve[11], intermediate_values=curve))
    return trials


def draw_two_objectives() -> list[FrozenTrial]:
    rng = np.random.default_rng(0)
    settings = [draw_params(rng) for _ in range(40)]
    return [build_trial(params, compute_value(params), float(params["depth"])) for params in settings]


def draw_conditional() -> list[FrozenTrial]:
    rng, trials = np.random.default_rng(0), []
    space = {
        "model": CategoricalDistribution(["svc", "forest", None]),
        "svc.c": FloatDistribution(1e-3, 1e3, log=True),
        "forest.depth": IntDistribution(1, 16),
    }
    for _ in range(60):
        model = ["svc", "forest", None][rng.integers(0, 3)]
        params: dict[str, Any] = {"model": model}
        params |= {"svc.c": float(10 ** rng.uniform(-3, 3))} if model == "svc" else {}
        params |= {"forest.depth": int(rng.integers(1, 17))} if model == "forest" else {}
        value = {"svc": 0.0, "forest": 1.0, None: 2.0}[model] + 0.1 * abs(math.log10(params.get("svc.c", 1.0)))
        trials.append(build_trial(params, value + 0.01 * rng.normal(), space=space))
    return trials


def draw_failed() -> list[FrozenTrial]:
    rng = np.random.default_rng(0)
    settings = [draw_params(rng) for _ in range(60)]
    values = [[] if params["lr"] > 0.2 else [compute_value(params)] for params in settings]
    return [build_trial(params, *value) for params, value in zip(settings, values, strict=True)]


def draw_huge() -> list[FrozenTrial]:
    values = [1e99, -1e99, 1e308, 1e-300] * 2
    return [build_trial(trial.params, value) for trial, value in zip(draw_trials(8), values, strict=True)]


def draw_repeated() -> list[FrozenTrial]:
    rng, trials = np.random.default_rng(0), []
    for params in (draw_params(rng) for _ in range(30)):
        for seed in range(3):
            value = compute_value(params) + 0.1 * rng.normal()
            trials.append(build_trial(params, value, user_attrs={"seed": seed}))
    return trials


def draw_odd_names() -> list[FrozenTrial]:
    rng = np.random.default_rng(0)
    names = ["epochs", "value", "step", "a b", "x:y", "w[0]", "<b>", "validation set"]
    space = {name: FloatDistribution(0.0, 1.0) for name in names}
    settings = [{name: float(rng.uniform()) for name in names} for _ in range(40)]
    return [build_trial(params, params["epochs"] + 0.1 * params["a b"], space=space) for params in settings]


STUDIES: dict[str, Callable[[], list[FrozenTrial]]] = {
    "plain": lambda: draw_trials(40),
    "pruned": draw_pruned,
    "curves": draw_curves,
    "two objectives": draw_two_objectives,
    "conditional": draw_conditional,
    "failed": draw_failed,
    "all failed": lambda: [build_trial(trial.params) for trial in draw_trials(12)],
    "all pruned": lambda: [build_trial(trial.params, state=TrialState.PRUNED) for trial in draw_trials(12)],
    "one trial": lambda: draw_trials(1),
    "no trial": lambda: [],
    "nothing searched": lambda: [build_trial({}, value) for value in (1.0, 2.0, 3.0)],
    "constant": lambda: [build_trial(trial.params, 1.0) for trial in draw_trials(20)],
    "huge": draw_huge,
    "repeated": draw_repeated,
    "odd names": draw_odd_names,
}


def report(tmp_path: Path, trials: list[FrozenTrial], **more: Any) -> str:
    journal = tmp_path / "study.log"
    study = store_study(journal, trials, **more)
    return write_again(study, journal, tmp_path)


def write_again(_study: Any, journal: Path, tmp_path: Path) -> str:
    write_report(read_study(str(journal), None), tmp_path / "out")
    return (tmp_path / "out" / "report.md").read_text()


def find_our_words(text: str) -> list[str]:
    """Find words of our own studies in a report, but for the sentence on what the study lacks."""
    return OURS.findall(text.replace("training losses", ""))


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "odd names"])
def test_report_has_the_words_of_any_program(tmp_path: Path, name: str) -> None:
    trials = STUDIES[name]()
    count = max((len(trial.values or ()) for trial in trials), default=1) or 1
    text = report(tmp_path, trials, directions=["minimize", "maximize"][:count])
    assert find_our_words(text) == []
    assert "What is not known" in text
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [each["verdict"] for each in findings if each["section"] == "unknown"]


def test_names_of_the_study_stay_as_they_are(tmp_path: Path) -> None:
    text = report(tmp_path, STUDIES["odd names"](), metrics=["epoch loss"])
    assert "`epochs` mattered" in text
    assert 'trial.suggest_float("epochs", ' in text
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    (mattered,) = (each for each in findings if "`epochs` mattered" in each["verdict"])
    assert "epochs" in mattered["numbers"]
    assert mattered["interval"]["of"] == "epochs"
    assert "best epoch loss" in text
    assert "`validation set`" in text or "validation set" in text


@pytest.mark.parametrize(
    "names",
    [
        ("value", "state", "trial", "number", "role"),
        ("rank", "pruned_at", "audit", "same_as", "index"),
        ("kind", "lane", "name", "row", "parameter"),
    ],
)
def test_names_of_our_columns_change_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Columns of our own tables may be names of parameters: the text is that of a study with other names."""
    texts, unseen = list[str](), [f"{'z' * 20}{index}"[-len(name) :] for index, name in enumerate(names)]
    for folder, given in (("plain", unseen), ("ours", list(names))):
        rng, trials = np.random.default_rng(0), []
        *numbers, word = given
        space = {name: FloatDistribution(0.0, 1.0) for name in numbers} | {word: CategoricalDistribution(["u", "v"])}
        for _ in range(50):
            params: dict[str, Any] = {name: float(rng.uniform()) for name in numbers}
            params[word] = ["u", "v"][rng.integers(0, 2)]
            values = [] if params[numbers[1]] > 0.85 else [params[numbers[0]] + 0.5 * (params[word] == "u")]
            trials.append(build_trial(params, *values, space=space, intermediate_values={0: 3.0, 1: 2.0}))
        (tmp_path / folder).mkdir()
        text = report(tmp_path / folder, trials, metrics=["loss of it"]).replace("\\_", "_")
        for plain, name in zip(unseen, names, strict=True):  # our own words of this name, too
            text = re.sub(rf"\b(?:params_)?{name}_?\b", plain, text)
        texts.append(text.replace(str(tmp_path / folder), ""))
    assert texts[0].splitlines() == texts[1].splitlines()


def test_lists_as_choices_are_read_in_silence(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space = {"layers": CategoricalDistribution([[64], [64, 32]])}  # type: ignore[list-item]
        store_study(tmp_path / "a.log", [build_trial({"layers": [64]}, 1.0, space=space)])
    recwarn.clear()
    assert read_study(str(tmp_path / "a.log"), None).space[0].choices == ("[64]", "[64, 32]")
    assert recwarn.list == []


def test_stopped_trials_without_a_value_leave_the_others(tmp_path: Path) -> None:
    """A trial may be pruned before it reports anything."""
    stopped = [build_trial(trial.params, state=TrialState.PRUNED) for trial in draw_trials(5, seed=9)]
    text = report(tmp_path, [*stopped, *draw_trials(40)])
    assert "**`lr` mattered" in text
    assert "Effects come from a smooth model of 40 trials, averaged" in text
    assert "5 trials without a value are left out" in text
    assert "### Search next" in text


def test_dropped_choice_that_is_best_on_average_is_named(tmp_path: Path) -> None:
    """One choice has the best trials and the worst mean, so a reader would take the advice for a mistake."""
    rng, trials = np.random.default_rng(0), []
    space = {"model": CategoricalDistribution(["svm", "forest"]), "c": FloatDistribution(0.0, 1.0)}
    for index in range(60):
        params: dict[str, Any] = {"model": ["svm", "forest"][index % 2], "c": float(rng.uniform())}
        value = 3 * params["c"] if params["model"] == "svm" else 0.6
        trials.append(build_trial(params, value + 0.01 * rng.normal(), space=space))
    text = report(tmp_path, trials)
    assert "from worst (svm) to best (forest)" in text
    assert "fix `model` at svm. On average `model` is best at forest, but no good trial has it. The section" in text
    assert "fix `model` at svm:" in text


def test_advice_pastes_none_and_lists(tmp_path: Path) -> None:
    """Choices that are no scalars pass through all that writes the next space, also as YAML."""
    rng, trials = np.random.default_rng(0), []
    layers: list[Any] = [None, [64], [64, 32]]
    with pytest.warns(UserWarning, match="persistent storage"):
        space = {"layers": CategoricalDistribution(layers), "c": FloatDistribution(0.0, 1.0)}
    for index in range(60):
        params: dict[str, Any] = {"layers": layers[index % 3], "c": float(rng.uniform())}
        trials.append(build_trial(params, params["c"] + 2.0 * (index % 3 == 1) + 0.01 * rng.normal(), space=space))
    text = report(tmp_path, trials)
    assert 'layers = trial.suggest_categorical("layers", [None, [64, 32]])' in text


def test_few_trials_are_the_headline(tmp_path: Path) -> None:
    text = report(tmp_path, draw_trials(1))
    assert "Too few trials to show what matters." in text.partition("## ")[0]
    assert "The study has 1 trial; 12 are needed." in text
    assert "Continue the search, to 12 trials in all." in text


def test_trials_that_the_model_leaves_out_are_said(tmp_path: Path) -> None:
    text = report(tmp_path, draw_trials(300, noise=0.5))
    assert "a smooth model of 120 of the 300 trials, evenly spaced, averaged" in text
    assert "A model of 120 trials does not show whether" in text
    assert "too few to show" not in text


def test_advice_on_one_of_several_objectives_says_so(tmp_path: Path) -> None:
    """A narrower space may cut off the trade-offs that are best in another one."""
    text = report(tmp_path, draw_two_objectives(), directions=["minimize", "maximize"], metrics=["loss", "depth"])
    assert "1. Next, for loss alone, search `lr` from" in text


def test_equal_values_are_the_first_thing_said(tmp_path: Path) -> None:
    text = report(tmp_path, STUDIES["constant"]())
    assert text.splitlines()[2] == "**All 20 complete trials have the same value, 1.**"
    assert "1. Check that the searched settings take effect." in text


def test_fixed_value_of_failed_runs_is_no_constant_answer(tmp_path: Path) -> None:
    rng, trials = np.random.default_rng(0), []
    for params in (draw_params(rng) for _ in range(40)):
        value = 1e6 if params["lr"] > 0.1 else compute_value(params) + 0.01 * rng.normal()
        trials.append(build_trial(params, value, intermediate_values=dict.fromkeys(range(4), value)))
    text = report(tmp_path, trials)
    assert re.search(r"\d+ trials ended at one and the same value\.", text)
    assert "example" not in text
    assert "learned" not in text


def test_runs_on_fresh_seeds_give_a_result(tmp_path: Path) -> None:
    rng, journal = np.random.default_rng(0), tmp_path / "study.log"
    study = store_study(journal, draw_trials(20))
    values = {"winner": (study.best_trial.number, 0.0), "runner-up 1": (3, 0.1), "baseline": (None, 2.0)}
    runs = [
        {"candidate": name, "trial": trial, "seed": seed, "value": mean + 0.1 * rng.normal()}
        for name, (trial, mean) in values.items()
        for seed in range(8)
    ]
    study.set_user_attr(RUNS, runs)
    text = write_again(study, journal, tmp_path)
    assert "**On fresh seeds, the winner is clearly better than the baseline.**" in text
    assert "From run to run" in text or "from run to run" in text  # the noise of the top trials
    assert find_our_words(text) == []
    runs[0]["value"] = None
    study.set_user_attr(RUNS, runs)
    failed = write_again(study, journal, tmp_path)
    assert "failed on 1 of 8" in failed
    assert find_our_words(failed) == []


def test_conditions_shape_the_next_space(tmp_path: Path) -> None:
    text = report(tmp_path, draw_conditional())
    code = text.partition("### Search next")[2].partition("##")[0]
    assert 'model = "svc"' in code
    assert 'svc_c = trial.suggest_float("svc.c"' in code
    assert "forest" not in code


def test_folder_of_other_figures_is_left_alone(tmp_path: Path) -> None:
    figure = tmp_path / "out" / "figures" / "mine.svg"
    figure.parent.mkdir(parents=True)
    figure.write_text("mine")
    with pytest.raises(UserError, match="and no report beside it"):
        report(tmp_path, draw_trials(2))
    assert figure.read_text() == "mine"


def test_report_is_written_again(tmp_path: Path) -> None:
    first = report(tmp_path, draw_trials(20))
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert write_again(None, tmp_path / "study.log", tmp_path) == first
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")} == before
    trials = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert len(trials) == 20


@pytest.mark.slow
def test_thousand_trials_take_ten_seconds(tmp_path: Path) -> None:
    store_study(tmp_path / "study.log", draw_trials(1000))
    start = time.monotonic()
    command = [sys.executable, "-m", "thalweg", "report", "--optuna", "study.log", "--out", "out"]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, check=True)
    assert time.monotonic() - start < 10
    assert set(SPACE) <= set(pd.read_csv(tmp_path / "out" / "trials.csv"))
