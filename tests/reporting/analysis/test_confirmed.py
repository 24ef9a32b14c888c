"""The confirmed result: its candidates, their lost seeds, and the study's best trial on fresh seeds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_tables import estimate, with_file_values
from thalweg.artifacts.summary import Confirmation, Estimate
from thalweg.reporting.analysis.confirmed import (
    ConfirmedResult,
    build_confirmed_result,
    find_retrained_best,
    read_group_variance,
)
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import VarianceSource

RUNS = pd.DataFrame(
    [
        {"candidate": candidate, "trial": trial, "seed": seed, "validation_mae": value + seed / 100}
        for candidate, trial, value in (
            ("baseline", np.nan, 1.0),
            ("runner-up 10", 5, 0.9),
            ("runner-up 2", 4, 0.8),
            ("winner", 3, 0.7),
        )
        for seed in range(8)
    ]
).assign(diverged_step=np.nan)


def confirm(
    tables: StudyTables, runs: pd.DataFrame, corrected: Estimate | None = None
) -> tuple[StudyTables, ConfirmedResult]:
    """A study of the trials 3 (its best), 4 and 5 that is confirmed by these runs."""
    trials = tables.trials[tables.trials["number"].isin([3, 4, 5])]
    trials = trials.assign(state="complete", value=trials["number"].map({3: 0.1, 4: 0.2, 5: 0.3}))
    confirmation = Confirmation(estimate(0.7, 0.1), estimate(1.0, 0.1), estimate(-0.3, 0.1))
    summary = replace(tables.summary, confirm=replace(confirmation, corrected_difference=corrected))
    confirmed = replace(tables, runs=runs, trials=trials, summary=summary)
    result = build_confirmed_result(confirmed)
    assert result is not None
    return confirmed, result


def test_unconfirmed_study_has_no_result(counting_study: StudyTables) -> None:
    summary = replace(counting_study.summary, confirm=None)
    assert build_confirmed_result(replace(counting_study, summary=summary)) is None


def test_candidates_are_in_order(counting_study: StudyTables) -> None:
    """Runners-up by their number, not by its first digit."""
    _, result = confirm(counting_study, RUNS)
    assert result.candidates == ("winner", "runner-up 2", "runner-up 10", "baseline")
    assert result.contender_count == 3
    _, without = confirm(counting_study, RUNS.assign(trial=np.nan))
    assert "winner" not in without.candidates


def test_runner_up_with_the_files_values_is_no_candidate(counting_study: StudyTables) -> None:
    tables, _ = confirm(counting_study, RUNS)
    result = build_confirmed_result(with_file_values(tables, 4))
    assert result is not None
    assert result.candidates == ("winner", "runner-up 10", "baseline")
    assert result.contender_count == 3


def test_group_variance_needs_its_degrees_of_freedom() -> None:
    known = Estimate(1.0, 0.0, 2.0, 8, 12, 0.5, 4.2)
    assert read_group_variance(known) == VarianceSource(0.25, 4.2)
    assert read_group_variance(replace(known, groups_dof=None)) is None
    assert read_group_variance(replace(known, groups_error=None)) is None


@pytest.mark.parametrize(("mean", "half", "is_changed"), [(-0.2, 0.1, False), (-0.05, 0.1, True)])
def test_correction_may_change_the_verdict(
    counting_study: StudyTables, mean: float, half: float, is_changed: bool
) -> None:
    _, result = confirm(counting_study, RUNS, estimate(mean, half))
    assert result.is_corrected
    assert result.decisive.mean == mean
    assert result.changes_verdict == is_changed


def test_lost_seeds_are_listed(counting_study: StudyTables) -> None:
    runs = RUNS.copy()
    runs.loc[(runs["candidate"] == "runner-up 2") & (runs["seed"] == 1), ["diverged_step", "validation_mae"]] = [
        7.0,
        np.nan,
    ]
    runs.loc[(runs["candidate"] == "runner-up 10") & (runs["seed"] == 3), "validation_mae"] = 50.0
    _, result = confirm(counting_study, runs)
    assert result.diverged_seeds == {"runner-up 2": [1]}
    assert result.failed_seeds == {"runner-up 10": [3]}
    assert [name for name in result.candidates if result.is_lost(name)] == ["runner-up 2", "runner-up 10"]


def test_best_trial_is_found_on_fresh_seeds(counting_study: StudyTables) -> None:
    tables, result = confirm(counting_study, RUNS)
    best = find_retrained_best(tables, result)
    assert best is not None
    assert (best.trial, best.study_value) == (3, 0.1)
    np.testing.assert_allclose(best.fresh_values, 0.7 + np.arange(8) / 100)
    assert best.fresh_interval.mean == pytest.approx(0.735)


def test_lost_or_longer_best_does_not_compare(counting_study: StudyTables) -> None:
    runs = RUNS.copy()
    runs.loc[(runs["candidate"] == "winner") & (runs["seed"] == 0), "diverged_step"] = 3.0
    assert find_retrained_best(*confirm(counting_study, runs)) is None
    tables, result = confirm(counting_study, RUNS)
    epochs = tables.params["training"]["epochs"]
    longer = replace(tables, params=tables.params | {"confirm": {"epochs": 2 * epochs}})
    assert find_retrained_best(longer, result) is None
