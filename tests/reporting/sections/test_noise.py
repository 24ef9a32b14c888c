"""The section on noise, in studies where it is known how noisy they are."""

import re
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis import trial_spread
from thalweg.reporting.analysis.mean_curves import values_by_fold
from thalweg.reporting.analysis.trial_spread import variance_share_interval
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table
from thalweg.reporting.sections import noise
from thalweg.reporting.tables import StudyTables

SEEDS = 8


def with_confirmed_values(counting_study: StudyTables, values: dict[str, np.ndarray], **params: Any) -> StudyTables:
    """The study whose candidates have these values on the validation set and on the test set, by seed."""
    parts = [
        pd.DataFrame(
            {
                "candidate": name,
                "trial": np.nan if name == "baseline" else place,
                "seed": range(len(each)),
                "validation_mae": each,
                "test_mae": each,
            }
        )
        for place, (name, each) in enumerate(values.items())
    ]
    return replace(counting_study, runs=pd.concat(parts, ignore_index=True), params=counting_study.params | params)


def with_values(tables: StudyTables, values: np.ndarray) -> StudyTables:
    """The study whose trials are all complete, with these values."""
    trials = pd.concat([tables.trials] * (len(values) // len(tables.trials) + 1), ignore_index=True).head(len(values))
    return replace(tables, trials=trials.assign(state="complete", value=values, number=range(len(values))))


def list_spreads(tables: StudyTables) -> list[dict[Hashable, Any]]:
    """The rows of the table of seeds, one for each candidate."""
    (table,) = [each for each in noise.build_figures(tables) if isinstance(each, Table) and each.id == "spread"]
    return table.rows.to_dict("records")


EVENLY = np.array([-1.2, -0.8, -0.4, -0.1, 0.1, 0.4, 0.8, 1.2])
NAMES = ("winner", "runner-up 1", "baseline")


@pytest.mark.parametrize(
    ("spread", "far", "verdict"),
    [
        (0.001, 0.0, "The trials of the study do not differ by more than seed noise."),
        (0.001, 5.0, "The order of the 12 best trials in the search may be luck: their spread"),
        (2.0, 5.0, "Even the best quarter of the trials differ by more than seed noise."),
    ],
)  # fmt: skip
def test_trials_are_compared_with_seeds(counting_study: StudyTables, spread: float, far: float, verdict: str) -> None:
    tables = with_confirmed_values(counting_study, dict.fromkeys(NAMES, 1.0 + 0.05 * EVENLY))
    values = np.append(1.0 + spread * np.linspace(0, 1, 12), 1.0 + spread + far * np.linspace(1, 2, 36))
    assert list_verdicts(noise, with_values(tables, values))[0].partition(" (0")[0] == verdict


@pytest.mark.parametrize(
    ("spread", "far"), [(0.001, 0.0), (0.05, 0.0), (0.001, 5.0), (2.0, 5.0)], ids=["alike", "unclear", "below", "all"]
)
def test_stopped_trials_are_not_spoken_of(
    counting_study: StudyTables, spread: float, far: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only kept trials have values at the end: nothing may be said of all, nor that wider ranges are needed."""
    monkeypatch.setattr(trial_spread, "has_known_difference", lambda _: False)
    tables = with_confirmed_values(counting_study, dict.fromkeys(NAMES, 1.0 + 0.05 * EVENLY))
    values = np.append(1.0 + spread * np.linspace(0, 1, 12), 1.0 + spread + far * np.linspace(1, 2, 36))
    kept = with_values(tables, values)
    stopped = kept.trials.assign(state="pruned", epochs=4, number=kept.trials["number"] + 48, value=9.0)
    (finding, *_) = noise.build_findings(replace(kept, trials=pd.concat([kept.trials, stopped], ignore_index=True)))
    assert "trials that were kept" in f"{finding.verdict} {finding.evidence}"
    assert not re.search(r"variance of all trials|trials of the study|quarter of the trials differ", str(finding))
    assert not finding.next_step.startswith("Search ")
    assert noise.build_findings(kept)[0].verdict.replace("trials of the study", "trials that were kept") in (
        finding.verdict, finding.verdict.replace("quarter of the trials that were kept", "quarter of the trials")
    )  # fmt: skip


def test_noise_is_a_variance_share(counting_study: StudyTables) -> None:
    deviation = 0.2
    tables = with_confirmed_values(counting_study, dict.fromkeys(NAMES, 1.0 + deviation / EVENLY.std(ddof=1) * EVENLY))
    values = 1.0 + np.sort(np.random.default_rng(0).standard_normal(48))
    (finding, *_) = noise.build_findings(with_values(tables, values))
    assert "on the validation set varies from seed to seed with a standard deviation of 0.20." in finding.evidence
    overall, best = deviation**2 / values.var(ddof=1), deviation**2 / values[:12].var(ddof=1)
    assert 0.02 < overall < best < 0.5
    assert f"{100 * overall:.0f} % of that variance is seed noise" in finding.evidence
    assert finding.evidence.endswith(f"; at most {100 * best:.0f} % of that variance is seed noise.")
    assert finding.trials == tuple(range(12))


COMES_TO_SEEDS = (
    "The trials of the study do not differ by more than seed noise.",
    "It is not clear whether the trials of the study differ by more than seed noise.",
)


@pytest.mark.slow
def test_trial_difference_false_positives(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 studies: of equal trials, and of a quarter of equal ones far ahead of the others; 5 % to the test's error."""
    monkeypatch.setattr(
        search_space, "advise_other_search", lambda _: ""
    )  # a step takes long to find, and is not looked at
    draw, false = np.random.default_rng(1), {"all equal": 0, "equal at the top": 0}
    base = with_values(with_confirmed_values(counting_study, dict.fromkeys(NAMES, EVENLY)), np.ones(48))
    for _ in range(200):
        runs = base.runs.assign(validation_mae=0.05 * draw.standard_normal(len(base.runs)))
        for name, far in (("all equal", 0.0), ("equal at the top", 3.0)):
            level = 1.0 + np.where(np.arange(48) < 12, 0.0, far * (1 + draw.random(48)))
            trials = base.trials.assign(value=level + 0.05 * draw.standard_normal(48))
            first = noise._report_variance_share(replace(base, runs=runs, trials=trials))[0].verdict
            false[name] += first.startswith("Even the best") or (far == 0 and first not in COMES_TO_SEEDS)
    assert all(stats.binom.sf(count - 1, 200, 0.05) > 1e-3 for count in false.values()), false


def test_noise_of_other_epochs_is_unused(counting_study: StudyTables) -> None:
    other = replace(counting_study, params=counting_study.params | {"confirm": {"epochs": 99}})
    assert not any("quarter" in verdict or "trials" in verdict for verdict in list_verdicts(noise, other))
    (unknown,) = noise._report_variance_share(other)
    assert unknown.verdict == "The seed noise is not known."
    assert unknown.evidence.startswith("Trials trained for 16 epochs, but candidates were retrained for 99 (`confirm.")
    assert noise._report_variance_share(replace(counting_study, trials=counting_study.trials.head(11))) == []
    still = with_confirmed_values(counting_study, dict.fromkeys(NAMES, np.ones(SEEDS)))
    assert noise._report_variance_share(still) == []


def test_one_outlier_seed_is_visible(counting_study: StudyTables) -> None:
    lone = np.append(1.0 + 0.01 * EVENLY[:-1], 9.0)
    first, second = list_spreads(
        with_confirmed_values(counting_study, {"winner": lone, "baseline": 1.0 + 0.01 * EVENLY})
    )
    assert (first["seeds"], first["lowest"], first["highest"]) == (8, "1.0", "9.0")
    assert second["standard deviation"] == "0.0080"


def test_diverged_seed_is_left_out(counting_study: StudyTables) -> None:
    tables = with_confirmed_values(
        counting_study, {"winner": np.append(1.0 + 0.01 * EVENLY[:-1], 900.0), "baseline": 1.0 + 0.01 * EVENLY}
    )
    steps = pd.array([pd.NA] * 7 + [41] + [pd.NA] * 8, dtype="Int64")
    first = list_spreads(replace(tables, runs=tables.runs.assign(diverged_step=steps)))[0]
    assert first["seeds"] == 7
    assert first["lowest"].startswith("0.98")


def test_few_seeds_are_shown(counting_study: StudyTables) -> None:
    first = list_spreads(
        with_confirmed_values(counting_study, {"winner": np.array([1.0, 3.0]), "baseline": np.array([1.5, 1.6])})
    )[0]
    assert (first["seeds"], first["lowest"], first["highest"]) == (2, "1.0", "3.0")


def test_baseline_is_named_as_baseline(counting_study: StudyTables) -> None:
    tables = with_confirmed_values(counting_study, {"winner": 1.0 + EVENLY, "baseline": 1.0 + EVENLY})
    spreads = list_spreads(replace(tables, runs=tables.runs.assign(trial=np.nan)))
    assert [row["candidate"] for row in spreads] == ["baseline"]


def test_no_seeds_show_a_sentence(studies_by_case: dict[str, StudyTables]) -> None:
    for case in ("no trials", "one trial", "all diverged"):
        assert noise.build_findings(studies_by_case[case]) == []
        assert [type(each) for each in noise.build_figures(studies_by_case[case])] == [EmptyFigure]


def test_equal_values_are_drawn(counting_study: StudyTables) -> None:
    still = with_confirmed_values(counting_study, dict.fromkeys(NAMES, np.ones(SEEDS)))
    assert list_verdicts(noise, still) == []
    assert {(row["lowest"], row["highest"]) for row in list_spreads(still)} == {("1.000", "1.000")}
    assert {each.id for each in noise.build_figures(still)} == {"seeds", "spread"}


def build_folded_study(
    counting_study: StudyTables, effects: np.ndarray, trials: np.ndarray, sigma: float, seed: int = 0
) -> StudyTables:
    """A study on folds: a fold's level, a trial's, and noise; complete trials by value."""
    draw = np.random.default_rng(seed)
    cells = trials[:, None] + effects + sigma * draw.standard_normal((len(trials), len(effects)))
    rows = [
        {"trial": t, "seed": 0, "fold": f, "epoch": epoch, "mae": value + worse}
        for (t, f), value in np.ndenumerate(cells)
        for epoch, worse in ((1, 1.0), (2, 0.0), (3, 0.5))
    ]
    return replace(with_values(counting_study, cells.mean(1)), curves=pd.DataFrame(rows))


FOLDS = np.array([0.0, 0.5, 1.0, 1.5])
TRIALS = np.linspace(1, 2, 48)


def test_folds_at_common_best_epoch(counting_study: StudyTables) -> None:
    tables = build_folded_study(counting_study, FOLDS, TRIALS, 0.0)
    wide = values_by_fold(tables, [3, 1])
    assert wide.index.tolist() == [3, 1]
    np.testing.assert_allclose(wide.to_numpy(), TRIALS[[3, 1], None] + FOLDS)
    worse = tables.curves.copy()
    worse.loc[(worse["trial"] == 1) & (worse["fold"] == 2), "mae"] = np.nan
    assert values_by_fold(replace(tables, curves=worse), [3, 1]).index.tolist() == [3]
    assert values_by_fold(counting_study, [1, 2]).empty


def test_folds_are_drawn(counting_study: StudyTables) -> None:
    (chart,) = [
        each
        for each in noise.build_figures(build_folded_study(counting_study, FOLDS[:2], TRIALS, 0.1))
        if each.id == "folds"
    ]
    assert isinstance(chart, Chart)
    assert len(chart.data["points"]) == 24
    assert (chart.title, "Bar: its 95 % interval over trials." in chart.caption) == (
        "The best quarter of the trials, fold by fold",
        True,
    )
    few = build_folded_study(counting_study, FOLDS[:2], TRIALS[:4], 0.1)
    (chart,) = [each for each in noise.build_figures(few) if each.id == "folds"]
    assert isinstance(chart, Chart)
    assert (chart.title, "Bar" in chart.caption) == ("The best trial, fold by fold", False)


def test_variance_share_decides_verdict(counting_study: StudyTables) -> None:
    spread = np.linspace(-1, 1, 6) / np.linspace(-1, 1, 6).std(ddof=1)
    runs = pd.DataFrame({"candidate": "winner", "trial": 0, "seed": range(6), "validation_mae": 1 + 0.06 * spread})
    values = np.linspace(-1, 1, 18) / np.linspace(-1, 1, 18).std(ddof=1)
    trials = counting_study.trials.head(18).assign(state="complete", value=1 + 0.1 * values)
    finding = noise.build_findings(replace(counting_study, runs=runs, trials=trials))[0]
    # 36 %, and F of 17 and 5
    low, high = (0.36 * stats.f.ppf(at, 17, 5) for at in (0.025, 0.975))
    assert variance_share_interval(0.36, 17, 5) == pytest.approx((low, high))
    assert finding.verdict == "It is not clear whether the trials of the study differ by more than seed noise."
    assert f"the share of seed noise in the variance of all trials is {100 * low:.0f} % to all." in finding.evidence
    alike = noise.build_findings(replace(counting_study, runs=runs, trials=trials.assign(value=1 + 0.06 * values)))[0]
    assert alike.verdict == "The trials of the study do not differ by more than seed noise."


def test_failed_seed_is_reported(counting_study: StudyTables) -> None:
    assert not [finding for finding in noise.build_findings(counting_study) if "failed" in finding.verdict]
    runs = counting_study.runs.copy()
    runs.loc[runs[runs["candidate"] == "runner-up 1"].index[3], "validation_mae"] = 4.52
    (finding,) = [
        finding for finding in noise.build_findings(replace(counting_study, runs=runs)) if "failed" in finding.verdict
    ]
    assert finding.verdict == "Runner-up 1 failed on 1 of 8 seeds (4.52)."
    assert finding.tone == "caution"
