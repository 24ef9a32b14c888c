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


def test_rate_alone_matters(build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch) -> None:
    trials = draw_trials(100)
    values = 1 + 4 * (compute_rate_position(trials) - 0.5).abs() + np.random.default_rng(0).normal(0, 0.05, 100)
    tables = build_study(trials, values, noise=0.2)
    ranking = rank_parameters(tables)
    assert ranking.parameters[0].name == "rate"
    assert ranking.has_clear_leader
    assert {parameter.name for parameter in ranking.unimportant_parameters} == {"momentum", "layers", "kind", "delta"}
    first, idle = importance.build_findings(tables)[:2]
    assert first.verdict == "`rate` mattered most."
    monkeypatch.setattr(importance, "_list_alike", lambda _: ["rate"])
    alike = importance.build_findings(tables)[0]
    assert alike.verdict == "On average `rate` made a difference, but each of its values does as well at its own best."
    assert first.evidence.startswith("Effects come from a smooth model of 100 trials, averaged over all other settings")
    assert "to best (0.0022 to 0.046)" in first.evidence
    assert idle.verdict.endswith("mattered little.")
    assert "The smallest difference that counts is 0.2" in idle.evidence
    for name in ("momentum", "layers"):
        assert f"`{name}`" in idle.verdict
    # what the study asks about is answered by itself
    assert "`kind`" not in idle.verdict


def report_leading_parameter(
    tables: StudyTables, monkeypatch: pytest.MonkeyPatch, *parameters: Importance, led: float = 0.0
) -> list[Finding]:
    """Return the findings for given importances, the largest first."""
    ranking = ImportanceRanking(parameters, 40, {}, compare_equal_training(tables), led)
    monkeypatch.setattr(importance, "rank_importances", lambda _: ranking)
    return importance.build_findings(tables)


def test_difference_at_tuned_values_says_so(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = build_study(draw_trials(40), np.arange(40.0))
    kind = replace(build_importance("kind", 0.5), is_tuned=True)
    (finding, *_) = report_leading_parameter(tables, monkeypatch, kind)
    assert "from worst (b) to best (a) 0.50 (0.25 to 0.75), the other settings at the best known for each." in (
        finding.evidence
    )


def test_leader_is_among_important_ones(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = build_study(draw_trials(40), compute_rate_position(draw_trials(40)))
    unsure, sure = build_importance("momentum", 0.49, chance=0.2), build_importance("layers", 0.16)
    first, open_ = report_leading_parameter(tables, monkeypatch, unsure, sure)[:2]
    assert first.verdict == "`layers` mattered."
    assert first.evidence.endswith("`layers`: from worst (b) to best (a) 0.160 (0.080 to 0.240).")
    assert open_.verdict == "40 trials are too few to show whether `momentum` matters."
    assert open_.evidence.endswith("Without any effect, one of 2 would look as sure in 20 % of studies.")
    assert open_.next_step == ""


def test_no_effect_refers_to_health_only_for_an_edge(
    counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = build_importance("optimizer.momentum", 0.6, chance=0.3)
    told = "Without any effect, one would look as sure in 30 % of studies."
    for edges, which, reference in (
        ([], "which trials did best.", ""),
        (["an edge"], "which of the other trials did best.", " Health shows where training fails."),
    ):
        monkeypatch.setattr(failure_regions, "list_edges", lambda _, edges=edges: edges)
        first = report_leading_parameter(counting_study, monkeypatch, unsure)[0]
        assert first.verdict == f"No searched setting clearly explains {which}"
        assert first.evidence.endswith(f"to best (a) 0.60 (0.30 to 0.90). {told}{reference}")


def test_only_small_effects_need_no_explanation(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = build_study(draw_trials(40), compute_rate_position(draw_trials(40)))
    small = build_importance("momentum", 0.01, bound=0.05)
    verdicts = [finding.verdict for finding in report_leading_parameter(tables, monkeypatch, small)]
    assert verdicts[0] == "`momentum` mattered little."
    assert not any("explains" in verdict for verdict in verdicts)


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


def test_scientific_effect_is_said_once(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scientific parameter that matters has its own finding, so the list of other effects leaves it out."""
    trials = draw_trials(60)
    let = tuple(build_importance(name, size) for name, size in (("rate", 3.0), ("momentum", 2.0), ("kind", 1.0)))
    monkeypatch.setattr(
        importance, "rank_importances", lambda tables: replace(rank_parameters(tables), parameters=let, lead_share=1.0)
    )
    (first, *_) = importance.build_findings(build_study(trials, 1 + compute_rate_position(trials), noise=0.01))
    assert "had an effect beyond chance, too." in first.evidence
