"""The best trials: which tie, and how many of these were retrained."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from tests.helpers.five_parameters import draw_trials
from thalweg.reporting.sections import trials
from thalweg.reporting.tables import StudyTables


@pytest.mark.parametrize(
    ("close", "retrained", "sentence"),
    [
        (5, [0, 1], "`confirm` retrained 2 of these 5; `confirm.runners_up` sets how many."),
        (3, [0, 1, 2, 9], "`confirm` retrained all 3 of them."),
        (2, [0, 1], "`confirm` retrained both of them."),
    ],
)
def test_ties_say_how_many_were_retrained(
    build_study: Callable[..., StudyTables], close: int, retrained: list[int], sentence: str
) -> None:
    drawn = draw_trials(20, 3)
    tables = build_study(drawn, [1.0 + 0.001 * i if i < close else 9.0 + i for i in range(20)], noise=0.1)
    spread = tables.runs["validation_mae"] - 1
    runs = [
        tables.runs.assign(candidate=f"candidate {trial}", trial=trial, validation_mae=1 + sign * spread)
        for trial, sign in zip(retrained, (1, -1, 1, -1), strict=False)
    ]
    summary = replace(tables.summary, study=replace(tables.summary.study, trials=20))
    (finding, *_) = trials.build_findings(replace(tables, runs=pd.concat(runs), summary=summary))
    assert finding.verdict == f"{close} trials tie for the best within noise."
    assert finding.evidence.endswith(f" {sentence}")
