"""Findings and charts of importance, in studies whose answer is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.five_parameters import build_importance, compute_rate_position, draw_trials, rank_parameters
from thalweg.reporting.analysis import failure_regions
from thalweg.reporting.analysis.equal_training import compare_equal_training
from thalweg.reporting.analysis.importance import Importance, ImportanceRanking, rank_importances
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, EmptyFigure, build_vega_spec
from thalweg.reporting.sections import importance
from thalweg.reporting.tables import StudyTables


def test_rate_alone_gets_all_importance(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(400)
    tables = build_study(trials, 1 + 4 * (compute_rate_position(trials) - 0.5).abs(), noise=0.01)
    ranking = rank_parameters(tables)
    assert ranking.parameters[0].name == "rate"
    assert ranking.parameters[0].share > 0.9
    assert ranking.has_clear_leader
    assert {parameter.name for parameter in ranking.unimportant_parameters} == {"momentum", "layers", "kind", "delta"}
    first, idle = importance.build_findings(tables)[:2]
    assert first.verdict == "`rate` mattered most."
    assert "134 best of 400 trials, at the end of training" in first.evidence
    assert first.trials == tuple(sorted(tables.ranked["number"].head(134)))
    assert idle.verdict.endswith("mattered little.")
    for name in ("momentum", "layers", "delta"):
        assert f"`{name}`" in idle.verdict
    # what the study asks about is answered by itself
    assert "`kind`" not in idle.verdict


def report_leading_parameter(
    tables: StudyTables, monkeypatch: pytest.MonkeyPatch, *parameters: Importance, led: float = 0.0
) -> list[Finding]:
    """Return the findings for given importances, the largest first."""
    ranking = ImportanceRanking(parameters, (1, 2), 40, {}, compare_equal_training(tables), led, None)
    monkeypatch.setattr(importance, "rank_importances", lambda _: ranking)
    return importance.build_findings(tables)


def test_leader_is_among_important_ones(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = build_study(draw_trials(40), compute_rate_position(draw_trials(40)))
    unsure, small = build_importance("momentum", 0.49, 0.76), build_importance("layers", 0.16, 0.05)
    first, open_ = report_leading_parameter(tables, monkeypatch, unsure, small)[:2]
    assert first.verdict == "`layers` mattered."
    assert "`momentum`" not in first.evidence
    assert open_.verdict == "40 trials are too few to show whether `momentum` matters."
    assert open_.next_step == ""


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.8, "That proves nothing: by chance alone a share may reach 80 %."),
        (1.3, "Even 100 % would prove nothing: with so few trials a share may reach that by chance alone."),
    ],
)
def test_no_effect_refers_to_health_only_for_an_edge(
    counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch, chance: float, words: str
) -> None:
    unsure = build_importance("optimizer.momentum", 0.6, chance)
    for edges, reference in (([], ""), (["an edge"], " Health shows where training fails.")):
        monkeypatch.setattr(failure_regions, "list_edges", lambda _, edges=edges: edges)
        first = report_leading_parameter(counting_study, monkeypatch, unsure)[0]
        assert first.verdict == "No searched setting clearly explains which trials did best."
        assert first.evidence.endswith(f"`optimizer.momentum` has the largest share of the importance: 60 %. {words}"
                                       f"{reference}")  # fmt: skip


def test_equals_have_no_leader(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(200, 3)
    both = (compute_rate_position(trials) - 0.5).abs() + (trials["momentum"] / 0.99 - 0.5).abs()
    first = importance.build_findings(build_study(trials, 1 + both, noise=0.01))[0]
    assert "not clearly more than" in first.verdict
    assert "`rate`" in first.verdict
    assert "`momentum`" in first.verdict


def test_equal_values_show_no_importance(build_study: Callable[..., StudyTables]) -> None:
    assert rank_importances(build_study(draw_trials(40), np.ones(40))) is None
    assert rank_importances(build_study(draw_trials(8), np.arange(8.0))) is None
    (bars, *_) = importance.build_figures(build_study(draw_trials(8), np.arange(8.0)))
    assert isinstance(bars, EmptyFigure)
    assert "8 trials" in bars.reason


RARE_CASES = ["no trials", "one trial", "all diverged", "single parameter", "images"]
CASES = ["usual", "hostile names", "classes", *(pytest.param(case, marks=pytest.mark.slow) for case in RARE_CASES)]


@pytest.mark.parametrize("case", CASES)
def test_scientific_parameters_are_answered(studies_by_case: dict[str, StudyTables], case: str) -> None:
    space = [replace(parameter, role="scientific") for parameter in studies_by_case[case].space]
    tables = replace(studies_by_case[case], space=space)
    for finding in importance.build_findings(tables):
        words = finding.verdict + finding.evidence + finding.next_step
        assert finding.verdict.endswith(".")
        assert "nan" not in words.lower()
        assert "inf" not in words.lower()
    figures = importance.build_figures(tables)
    assert figures
    assert len({figure.id for figure in figures}) == len(figures)
    for figure in figures:
        if isinstance(figure, Chart):
            assert all(len(rows) for rows in build_vega_spec(figure, 700)["datasets"].values())
        else:
            assert isinstance(figure, EmptyFigure)
            assert figure.reason.endswith(".")
