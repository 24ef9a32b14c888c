"""The last line of each stage: what it found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.small_study import CONFIG, draw_examples, split_examples, split_into_folds
from tests.helpers.tiny_pipeline import run_stages
from thalweg.artifacts.summary import Confirmation, Estimate, RankedTrial, StudySummary
from thalweg.data.examples import Examples
from thalweg.stages import STAGE_NAMES, confirm, diagnose, prepare, study, train

EXAMPLES = draw_examples()
GROUPED = replace(EXAMPLES, groups=np.array([f"day {i % 8}" for i in range(48)]))
CLASSIFIED = replace(EXAMPLES, labels={"label": (np.arange(48) % 2).astype(np.int32)}, classes=("cat", "dog"))


@pytest.mark.parametrize(
    ("examples", "text"),
    [
        (EXAMPLES, "48 images; train 24, validation 12, test 12"),
        (GROUPED, "48 images in 8 groups; train 24, validation 12, test 12"),
        (CLASSIFIED, "48 images; train 24, validation 12, test 12; class cat: 12 + 6 + 6, class dog: 12 + 6 + 6"),
    ],
)
def test_prepare(examples: Examples, text: str) -> None:
    assert prepare.describe_examples(examples, split_examples()) == text


def test_prepare_with_folds() -> None:
    text = prepare.describe_examples(CLASSIFIED, split_into_folds())
    assert text == "48 images; 3 folds 36, test 12; class cat: 18 + 6, class dog: 18 + 6"


@pytest.mark.parametrize(("since", "end"), [(np.nan, "learns"), (3.0, "learns from epoch 3 on")])
def test_train(since: float, end: str) -> None:
    verdicts = pd.DataFrame([{"trial": None, "kind": "learns", "since": since, "evidence": ""}])
    assert train.describe_baseline(verdicts, "16 epochs") == f"the baseline, in 16 epochs: {end}"


def test_study() -> None:
    best = RankedTrial(17, {"optimizer.learning_rate": 0.0125, "loss.terms.count.kind": "l1"}, 1.3141)
    summary = StudySummary(trials=48, cohorts=8, complete=40, pruned=0, diverged=8, best=best, epochs=700)
    assert study.describe_study("mae", summary) == (
        "best mae 1.314, by trial 17 with optimizer.learning_rate 0.0125, "
        "loss.terms.count.kind l1; 48 trials: 40 complete, 8 diverged"
    )
    none = replace(summary, complete=0, diverged=48, best=None)
    assert study.describe_study("mae", none) == "no trial is complete; 48 trials: 48 diverged"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.8, -0.4, "the winner beats the baseline"),
        (0.1, 0.4, "the winner is worse than the baseline"),
        (-0.8, 0.1, "the winner may be no better than the baseline"),
    ],
)
def test_confirm(low: float, high: float, verdict: str) -> None:
    winner, baseline = Estimate(1.1, 1.0, 1.2, 8), Estimate(1.7, 1.6, 1.8, 8)
    line = confirm.describe_confirmation(CONFIG, Confirmation(winner, baseline, Estimate(-0.6, low, high, 8)), "test")
    values = "mae 1.1 against 1.7; difference -0.6, 95 % interval"
    assert line == f"{verdict} on the test set: {values} {low:+.3g} to {high:+.3g}, 8 seeds"


def test_confirm_names_corrected_difference() -> None:
    estimates = Estimate(2.8, 2.3, 3.3, 2), Estimate(2.9, 2.0, 3.8, 2), Estimate(-0.1, -3.2, 3.2, 2)
    chosen = Confirmation(*estimates, corrected_difference=Estimate(0.2, -3.5, 4.0, 2))
    line = confirm.describe_confirmation(CONFIG, chosen, "test")
    assert "mae 2.8 against 2.9; difference corrected for the choice +0.2, 95 % interval -3.5 to +4" in line


def test_confirm_where_baseline_wins() -> None:
    same = Estimate(1.7, 1.6, 1.8, 8)
    line = confirm.describe_confirmation(CONFIG, Confirmation(same, same, Estimate(0.0, 0.0, 0.0, 8)), "test")
    assert line == "the baseline wins: mae 1.7 on the test set"


@pytest.mark.parametrize(
    ("value", "text"), [(1.6, "the baseline is no better than the median count (1.6); "), (2.7, "")]
)
def test_confirm_with_weak_baseline(value: float, text: str) -> None:
    same = Estimate(1.7, 1.6, 1.8, 8)
    references = pd.DataFrame([{"answer": "the median count", "mae": value}])
    assert confirm.describe_weak_baseline(CONFIG, Confirmation(same, same, same), references) == text


def test_diagnose() -> None:
    table = pd.DataFrame(
        {
            "what": ["images", "images", "augmentation", "images", "images"],
            "share": [0.25, 0.25, 1.0, 1.0, 1.0],
            "validation_mae": [3.0, 2.0, 1.5, 1.0, 1.2],
        }
    )
    config = CONFIG.replace_values({"diagnose.landscape.points": 25})
    assert diagnose.describe_diagnosis(config, table, pd.DataFrame({"verdict": ["right", "kink"]})) == (
        "mae on the validation set with 25 % of the images 2.5, without augmentation 1.5, with all images 1.1; "
        "the loss mapped at 25 x 25 points; the gradient is right"
    )
    nothing = config.replace_values({"diagnose.landscape.points": 0})
    assert diagnose.describe_diagnosis(nothing, table[:0], pd.DataFrame()) == "nothing was asked for"


@pytest.mark.usefixtures("finished_project")
def test_every_stage_ends_with_one_line(
    finished_project: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(finished_project))
    for stage in STAGE_NAMES:
        run_stages(stage)
        *warnings, line = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{stage} (")
        assert all(warning.startswith("warning: ") for warning in warnings), warnings
