"""Whether validation and test set agree."""

from dataclasses import replace

import pytest

from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.sections.result import sets
from thalweg.reporting.tables import StudyTables


def build_study(tables: StudyTables, gap: float, groups_error: float | None) -> StudyTables:
    """A baseline that is worse by `gap` on the test set; its 12 groups leave that standard error."""
    is_baseline = tables.runs["candidate"] == "baseline"
    runs = tables.runs.copy()
    runs.loc[is_baseline, "test_mae"] = runs.loc[is_baseline, "validation_mae"] + gap
    confirmation = tables.summary.confirm
    assert confirmation
    baseline = replace(confirmation.baseline, groups=12, groups_error=groups_error, groups_dof=11.0)
    return replace(tables, runs=runs, summary=replace(tables.summary, confirm=replace(confirmation, baseline=baseline)))


@pytest.mark.parametrize(
    ("gap", "groups_error", "verdicts"),
    [
        (0.5, 0.1, ["The test set is harder than the validation set, beyond noise."]),
        (-0.5, 0.1, ["The test set is easier than the validation set, beyond noise."]),
        (0.25, 0.1, []),
        (0.5, None, []),
    ],
)
def test_sets_are_compared(
    counting_study: StudyTables, gap: float, groups_error: float | None, verdicts: list[str]
) -> None:
    """A standard error of 0.1 for each set makes 0.141 for their difference, and 0.31 with 12 groups in each."""
    tables = build_study(counting_study, gap, groups_error)
    result = build_confirmed_result(tables)
    assert result
    assert [finding.verdict for finding in sets.report_disagreement(tables, result)] == verdicts
