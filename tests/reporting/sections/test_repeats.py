"""The report of a study whose trials repeat settings, because its space is small."""

from dataclasses import replace

import pytest

from thalweg.reporting.advice import rules
from thalweg.reporting.analysis.random_search import find_random_draws
from thalweg.reporting.render import render_markdown
from thalweg.reporting.sections import provenance, trials
from thalweg.reporting.tables import StudyTables


def repeat(tables: StudyTables, repeats: int) -> StudyTables:
    """Return a study of the same settings with so many further trials, until nothing was left to try."""
    settings = len(tables.trials)
    study = replace(tables.summary.study, trials=settings + repeats, settings=settings)
    return replace(tables, summary=replace(tables.summary, study=study), is_space_exhausted=True)


@pytest.mark.parametrize(("repeats", "verb"), [(0, ""), (1, "repeats"), (7, "repeat")])
def test_repeats_are_reported(counting_study: StudyTables, repeats: int, verb: str) -> None:
    tables = repeat(counting_study, repeats)
    assert tables.repeat_count == repeats
    findings = [finding for finding in trials.build_findings(tables) if "of an earlier one" in finding.verdict]
    assert len(findings) == bool(repeats)
    for finding in findings:
        assert f" {verb} the values of an earlier one." in finding.verdict
        assert finding.evidence == f"The report counts {len(counting_study.trials)} combinations."


def test_page_counts_settings_and_trials(counting_study: StudyTables) -> None:
    tables = repeat(counting_study, 7)
    text, _ = render_markdown(tables, [trials, provenance])
    settings = len(counting_study.trials)
    assert f"| trials | {settings + 7} |" in text
    assert f"| different combinations | {settings} |" in text
    assert "do not add up" not in text
    assert "repeat the values of an earlier one" in text


def test_exhausted_space_needs_no_more_trials(counting_study: StudyTables) -> None:
    assert rules.advise_trials(repeat(counting_study, 7)) == rules.EXHAUSTED
    assert find_random_draws(repeat(counting_study, 7)) == "exhausted"
