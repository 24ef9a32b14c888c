"""The best trials: which tie, and how many of these were retrained."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from tests.helpers.five_parameters import draw_trials
from thalweg.reporting.page.figures import TrialTable
from thalweg.reporting.sections import noise, trials
from thalweg.reporting.tables import StudyTables


@pytest.mark.parametrize(
    ("close", "retrained", "sentence"),
    [
        (4, [0, 1], "`confirm` retrained 2 of these 4; `confirm.runners_up` sets how many."),
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
    assert finding.verdict == f"In the search, {close} trials tie for the best within noise."
    assert f" {sentence}" in finding.evidence
    fresh = " The search gave each trial 1 seed; the section Result compares the retrained trials on "
    assert fresh in finding.evidence


def test_ties_are_not_said_twice(build_study: Callable[..., StudyTables]) -> None:
    """Where the section Noise says that the order of the best trials may be luck, Trials does not say it again."""
    tables = build_study(draw_trials(48, 3), [1.0 + 0.001 * i if i < 12 else 9.0 + i for i in range(48)], noise=0.1)
    tables = replace(tables, summary=replace(tables.summary, study=replace(tables.summary.study, trials=48)))
    assert noise.build_findings(tables)[0].verdict.startswith(
        "The order of the 12 best trials in the search may be luck"
    )
    assert trials.build_findings(tables) == []
    (table,) = trials.build_figures(tables)
    assert isinstance(table, TrialTable)
    assert "tie with the best within noise" in table.caption


@pytest.mark.parametrize("is_lone", [True, False])
def test_trial_ahead_in_the_search_claims_no_lead(build_study: Callable[..., StudyTables], is_lone: bool) -> None:
    """Fresh seeds decide who leads. Where the order of the best may be luck, the search puts none ahead."""
    best = [1.0] if is_lone else []
    values = [*best, *(5.0 + (0.3 * i if is_lone else 0.001 * i) for i in range(12)), *(99.0 + i for i in range(36))]
    tables = build_study(draw_trials(len(values), 3), values, noise=0.1)
    total = replace(tables.summary, study=replace(tables.summary.study, trials=len(values)))
    findings = trials.build_findings(replace(tables, summary=total))
    said = ["In the search, no other trial came within noise of trial 0."] if is_lone else []
    assert [finding.verdict for finding in findings] == said
    assert all(finding.tone == "plain" for finding in findings)
