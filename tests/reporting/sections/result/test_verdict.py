"""What the result says of the winner and the baseline."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_tables import estimate, with_file_values
from thalweg.artifacts.summary import Confirmation
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.sections import (
    result,
)
from thalweg.reporting.sections.result import selection_bias
from thalweg.reporting.tables import StudyTables


def with_paired_seeds(tables: StudyTables, gap: float, spread: float = 0.02) -> StudyTables:
    """Eight paired seeds whose difference from the baseline has a mean of `gap` and is spread evenly."""
    noise = spread * np.linspace(-1, 1, 8)
    parts = [
        pd.DataFrame({"candidate": who, "trial": trial, "seed": range(8), "validation_mae": values, "test_mae": values})
        for who, trial, values in (("baseline", np.nan, np.ones(8)), ("winner", 3, 1.0 + gap + noise))
    ]
    level, apart = estimate(1.0, 0.01), estimate(gap, 2.3646 * noise.std(ddof=1) / np.sqrt(8))
    summary = replace(tables.summary, confirm=Confirmation(level, level, apart))
    return replace(tables, runs=pd.concat(parts, ignore_index=True), summary=summary)


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (-0.3, "The winner is clearly better than the baseline."),
        (0.3, "The baseline is clearly better than the winner on fresh seeds."),
        (0.001, "The baseline is ahead of the winner on fresh seeds, within noise."),
        (-0.001, "No clear difference between the winner and the baseline."),
    ],
)
def test_verdict_follows_interval(counting_study: StudyTables, gap: float, verdict: str) -> None:
    first = result.build_findings(with_paired_seeds(counting_study, gap))[0]
    assert first.verdict == verdict
    assert first.trials == (3,)


def test_winning_baseline_is_not_compared(counting_study: StudyTables) -> None:
    tables = with_file_values(with_paired_seeds(counting_study, 0.0), 3)
    params = tables.params | {"confirm": {"refit": "all"}}
    findings = result.build_findings(replace(tables, params=params))
    assert findings[0].verdict == "The search found nothing better than the baseline."
    assert "seeds" not in findings[0].next_step
    # the final model was trained on everything: its figures would flatter it
    assert findings[-1].verdict == "The final model was also trained on the test set."
    params["optimizer"]["momentum"] += 0.01
    assert (
        result.build_findings(replace(tables, params=params))[0].verdict
        == "No clear difference between the winner and the baseline."
    )


def test_selection_bias_is_named_without_test(studies_by_case: dict[str, StudyTables]) -> None:
    assert studies_by_case["no test"].split == "validation"
    assert "its value is optimistic" in result.build_findings(studies_by_case["no test"])[0].evidence
    assert "its value is optimistic" not in result.build_findings(studies_by_case["usual"])[0].evidence


def test_lucky_best_is_optimistic(counting_study: StudyTables) -> None:
    """Fresh seeds have a mean of 0.7 and a deviation of 0.014."""
    tables = with_paired_seeds(counting_study, -0.3)
    for value, verdict in ((0.4, "was luck"), (0.678, "is unclear"), (0.7, "held up")):
        trials = tables.trials.assign(value=np.where(tables.trials["number"] == 3, value, 0.9), state="complete")
        moved = replace(tables, trials=trials)
        confirmed = build_confirmed_result(moved)
        assert confirmed is not None
        assert verdict in selection_bias.report_optimism(moved, confirmed)[0].verdict
