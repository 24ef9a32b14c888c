"""The section on the gradient check, where the errors are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.page.figures import Chart, EmptyFigure, build_vega_spec
from thalweg.reporting.render import render_html, render_markdown
from thalweg.reporting.sections import get_section_name, gradients, select_sections
from thalweg.reporting.tables import StudyTables

STEPS = 10.0 ** np.arange(-0.5, -9.5, -0.5)


def build_direction(
    direction: str, verdict: str = "right", term: str = "count", kind: str = "l2", bend: float = 1.0
) -> pd.DataFrame:
    """A direction whose error is that of theory, or stays."""
    error = bend * STEPS**2 / 6 + 2e-16 / STEPS
    error = {"right": error, "kink": np.full(len(STEPS), 0.5), "wrong": 0.02 + error, "unknown": np.nan * error}[
        verdict
    ]
    slope = {"term": term, "kind": kind, "direction": direction, "analytic": 2.0, "verdict": verdict}
    return pd.DataFrame({**slope, "step": STEPS, "numerical": 2.0 * (1 + error), "error": error})


def with_gradients(counting_study: StudyTables, *parts: pd.DataFrame) -> StudyTables:
    return replace(counting_study, gradients=pd.concat(parts, ignore_index=True))


@pytest.fixture
def right_gradients(counting_study: StudyTables) -> StudyTables:
    layers = [f"layers.{i}.kernel" for i in range(3)]
    return with_gradients(
        counting_study,
        *(build_direction(each, bend=3.0**i) for i, each in enumerate(["head.last.bias", *layers, "all, 1"])),
    )


def test_section_needs_a_check(counting_study: StudyTables, right_gradients: StudyTables) -> None:
    assert "gradients" not in map(get_section_name, select_sections(counting_study))
    assert "gradients" in map(get_section_name, select_sections(right_gradients))
    assert gradients.build_findings(counting_study) == []
    assert gradients.build_figures(counting_study) == []
    # a table that was written empty, too
    assert "gradients" not in map(
        get_section_name, select_sections(replace(counting_study, gradients=right_gradients.gradients.head(0)))
    )


def test_right_gradient_reports_its_error(right_gradients: StudyTables) -> None:
    (finding,) = gradients.build_findings(right_gradients)
    assert finding.verdict == "Backpropagation agrees with numerical derivatives."
    assert finding.tone == "good"
    assert "Checked along 5 slopes (`count` by `l2`; 5 directions)" in finding.evidence
    assert "(`count` along all, 1)" in finding.evidence


def test_wrong_gradient_is_named(counting_study: StudyTables) -> None:
    parts = [
        build_direction("a"),
        build_direction("layers.0.kernel", "wrong"),
        build_direction("b", "kink", kind="l1"),
        build_direction("c", "unknown"),
    ]
    verdicts = list_verdicts(gradients, with_gradients(counting_study, *parts))
    assert verdicts == ["Backpropagation gives a wrong gradient.", "Some slopes cannot be checked."]
    first = gradients.build_findings(with_gradients(counting_study, *parts))[0]
    assert "`count` along `layers.0.kernel` is off by 0.020 of the slope" in first.evidence
    assert first.tone == "caution"


def test_each_term_has_a_chart(counting_study: StudyTables) -> None:
    parts = [
        build_direction("w", term=term, kind=kind)
        for term, kind in (("cells", "poisson"), ("areas", "l1"), ("all terms", ""))
    ]
    tables = with_gradients(
        counting_study,
        *parts,
        build_direction("v", "kink", "areas", "l1"),
        build_direction("v", "wrong", "cells", "poisson"),
    )
    figures = gradients.build_figures(tables)
    assert [each.title for each in figures] == [
        "Error against step size: cells by poisson",
        "Error against step size: areas by l1",
        "Error against step size: all terms",
    ]
    for each in figures:
        assert isinstance(each, Chart)
        assert each.plot().to_dict()
        assert build_vega_spec(each, 480)["datasets"]["lines"]
    assert isinstance(figures[1], Chart)
    assert "1 direction right; 1 direction kink" in figures[1].description


def test_zero_errors_are_drawn(counting_study: StudyTables) -> None:
    figure = gradients.build_figures(with_gradients(counting_study, build_direction("w").assign(error=0.0)))[0]
    assert isinstance(figure, Chart)
    assert set(figure.data["lines"]["error"]) == {gradients.MIN_DRAWN_ERROR}
    assert build_vega_spec(figure, 760)["datasets"]


def test_non_finite_errors_draw_nothing(counting_study: StudyTables) -> None:
    assert isinstance(
        gradients.build_figures(with_gradients(counting_study, build_direction("w", "unknown")))[0], EmptyFigure
    )


def test_page_and_markdown_show_gradients(right_gradients: StudyTables) -> None:
    only = [each for each in select_sections(right_gradients) if get_section_name(each) == "gradients"]
    assert "Error against step size" in render_html(right_gradients, only)
    text, figures = render_markdown(right_gradients, only)
    assert "gradients-0.svg" in text
    assert "step size, log scale" in figures["gradients-0.svg"]
