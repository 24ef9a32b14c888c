"""Findings and charts of groups that stand out."""

from dataclasses import replace

import pytest

from thalweg.reporting.analysis.groups import compute_group_errors
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import errors
from thalweg.reporting.sections.errors import by_group as group_section
from thalweg.reporting.tables import StudyTables


def test_few_examples_or_groups_show_nothing(counting_study: StudyTables) -> None:
    few = counting_study.predictions.assign(group=counting_study.predictions.index.map(lambda i: f"{i % 3}"))
    assert compute_group_errors(few).empty
    assert compute_group_errors(counting_study.predictions.assign(group="")).empty
    assert group_section.build_figures(replace(counting_study, predictions=few)) == []
    perfect = counting_study.predictions.assign(error=0.0)
    assert group_section.build_findings(replace(counting_study, predictions=perfect)) == []
    (chart,) = group_section.build_figures(replace(counting_study, predictions=perfect))
    assert isinstance(chart, Chart)


def test_small_groups_are_left_out_by_name(counting_study: StudyTables) -> None:
    (chart,) = group_section.build_figures(counting_study)
    assert isinstance(chart, Chart)
    assert "of each group, worst first." in chart.caption
    groups = counting_study.predictions["group"]
    small = counting_study.predictions["image"].where(groups == groups.iloc[0], groups)
    (chart,) = group_section.build_figures(
        replace(counting_study, predictions=counting_study.predictions.assign(group=small))
    )
    assert isinstance(chart, Chart)
    count, total = groups.nunique() - 1, small.nunique()
    assert f"of each group with at least 5 examples ({count} of {total} groups), worst first." in chart.caption


def test_groups_sort_by_error_size(counting_study: StudyTables) -> None:
    (chart,) = group_section.build_figures(counting_study)
    assert isinstance(chart, Chart)
    groups = chart.data["groups"]
    mean = counting_study.predictions["error"].abs().groupby(counting_study.predictions["group"]).mean()
    assert groups["mean"].tolist() == pytest.approx(mean.sort_values(ascending=False).tolist())
    assert (groups["low"] >= 0).all()
    assert chart.id in [figure.id for figure in errors.build_figures(counting_study)]
