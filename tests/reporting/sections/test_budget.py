"""What the search cost, and what early stopping saved."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.page.figures import Table
from thalweg.reporting.sections import (
    budget,
    trials,
)
from thalweg.reporting.tables import StudyTables


def test_infeasible_trials_are_counted(counting_study: StudyTables) -> None:
    states = counting_study.trials["state"].where(counting_study.trials["number"] != 5, "infeasible")
    tables = replace(counting_study, trials=counting_study.trials.assign(state=states))
    assert not any("add up" in finding.verdict for finding in trials.build_findings(tables))
    (ends, *_) = budget.build_figures(tables)
    assert isinstance(ends, Table)
    assert ends.rows.set_index("state at the end")["trials"]["beyond a limit"] == 1


def build_pruned_study(counting_study: StudyTables, audit: float) -> StudyTables:
    """Of 48 trials that were to train 16 epochs half stopped at 4, and one of these trained on."""
    half = counting_study.trials["number"] % 2 == 1
    trials = counting_study.trials.assign(
        state=np.where(half, "pruned", "complete"), value=0.7, epochs=np.where(half, 4, 16), audit=np.nan
    )
    trials.loc[trials["number"] == 5, ["epochs", "audit"]] = [16, audit]
    return replace(counting_study, trials=trials)


@pytest.mark.parametrize(
    ("audit", "verdict"),
    [
        (0.9, "Early stopping lost no better trial among those checked."),
        (0.699, "Early stopping lost nothing beyond noise."),
        (0.3, "Early stopping lost a better trial."),
        (np.nan, "The cost of early stopping is unknown."),
    ],
)
def test_early_stopping_has_gain_and_cost(counting_study: StudyTables, audit: float, verdict: str) -> None:
    finding = budget.build_findings(build_pruned_study(counting_study, audit))[0]
    assert finding.verdict == verdict
    assert "Early stopping saved 276 of 768 epochs (36 %)." in finding.evidence
    assert finding.trials == ((5,) if np.isfinite(audit) else ())


@pytest.mark.parametrize(
    ("stop", "evidence"),
    [
        ({"reason": "epochs", "limit": 500, "reached": 512}, "512 epochs were trained; the limit is 500."),
        ({"reason": "seconds", "limit": 60.0}, "ran for 60 seconds"),
        ({"reason": "gain", "limit": 0.05, "reached": 0.012}, "by 0.012 each, less than the 0.05"),
    ],
)
def test_stopped_search_says_why(counting_study: StudyTables, stop: dict[str, Any], evidence: str) -> None:
    complete = counting_study.trials.assign(state="complete")
    params = {**counting_study.params, "study": {**counting_study.params["study"], "trials": 96}}
    summary = replace(counting_study.summary, study=replace(counting_study.summary.study, stop={"cohort": 8, **stop}))
    tables = replace(counting_study, trials=complete, params=params, summary=summary)
    finding = budget.build_findings(tables)[0]
    assert finding.verdict == "The search stopped early, after 48 of 96 trials."
    assert evidence in finding.evidence
    assert finding.next_step == ""
    falling = complete.assign(value=3.0 - 0.04 * complete["number"])
    finding = budget.build_findings(replace(tables, trials=falling))[0]
    assert finding.next_step == f"Continue the search: loosen `study.stop.{stop['reason']}` and start again."


def test_full_study_has_no_budget_finding(counting_study: StudyTables) -> None:
    complete = counting_study.trials.assign(state="complete")
    assert budget.build_findings(replace(counting_study, trials=complete, curves=pd.DataFrame())) == []
