"""Findings on the length of the winner's training."""

from dataclasses import replace

import numpy as np
import pytest

from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import curves
from thalweg.reporting.tables import StudyTables


def with_winner_best_epochs(counting_study: StudyTables, best: list[int]) -> StudyTables:
    """The study with a winner that is at its best at these epochs, of 16, one a fresh seed."""
    runs = counting_study.runs[counting_study.runs["candidate"] == "winner"].head(len(best)).assign(best_epoch=best)
    return replace(counting_study, runs=runs)


def with_searched_epochs(tables: StudyTables, epochs: int) -> StudyTables:
    """The study had it searched its epochs, and its winner trained for so many."""
    trial_epochs = np.where(tables.trials["number"] == tables.winner, epochs, 16)
    return replace(tables, trials=tables.trials.assign(**{"training.epochs": trial_epochs}))


def test_winner_is_judged_by_its_own_epochs(counting_study: StudyTables) -> None:
    tables = with_searched_epochs(with_winner_best_epochs(counting_study, [8] * 8), 8)
    (finding,) = curves.build_findings(tables)
    assert "when training ends" in finding.verdict
    assert "of 8, on 8 of them within the last tenth" in finding.evidence
    assert "Try more than 8 epochs (`training.epochs`)" in finding.next_step
    assert "past its best" in curves.build_findings(with_winner_best_epochs(counting_study, [8] * 8))[0].verdict
    longer = replace(tables, params=tables.params | {"confirm": {"epochs": 16}})
    assert "past its best" in curves.build_findings(longer)[0].verdict
    assert (
        "Try more than 16 epochs (`training.epochs`)"
        in curves.build_findings(with_winner_best_epochs(counting_study, [16] * 8))[0].next_step
    )


@pytest.mark.parametrize(
    ("late", "verdict"),
    [
        (0, "No sign that the winner would gain from longer training."),
        (2, "No sign that the winner would gain from longer training."),
        # by chance 0.1 of the seeds are so late: three of eight or more in 3.8 % of studies
        (3, "It is unclear whether the winner would gain from longer training."),
        (5, "The winner is at its best when training ends."),
    ],
)
def test_few_seeds_leave_length_open(counting_study: StudyTables, late: int, verdict: str) -> None:
    (finding,) = curves.build_findings(with_winner_best_epochs(counting_study, [16] * late + [13] * (8 - late)))
    assert finding.verdict == verdict
    assert finding.tone == "plain"


def test_different_losses_are_named(counting_study: StudyTables) -> None:
    name, winner = "loss.terms.count.kind", counting_study.trials["number"] == counting_study.winner
    for kind, is_named in ((counting_study.setting(name), False), ("poisson", True)):
        trials = counting_study.trials.assign(**{name: counting_study.trials[name].where(~winner, kind)})
        for other in (each.name for each in counting_study.parameters if each.name.startswith("loss.")):
            trials.loc[winner, other] = kind if other == name else None
        charts = [each for each in curves.build_figures(replace(counting_study, trials=trials)) if "loss" in each.id]
        captions = [chart.caption for chart in charts if isinstance(chart, Chart)]
        assert ["minimise different losses" in caption for caption in captions] == [is_named] * 2
