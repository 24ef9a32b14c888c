"""Tables of the page: what a row carries, what stands in them, and the table of all trials."""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.finding import Finding
from thalweg.reporting.page import markdown
from thalweg.reporting.page.figures import Chart, EmptyFigure, Figure, Table, TrialTable
from thalweg.reporting.page.html import build_environment
from thalweg.reporting.page.html_figures import MAX_VALUE_ROWS, build_value_tables, to_columns
from thalweg.reporting.page.strips import INTERVAL_STROKES, StripRow, build_strip_chart
from thalweg.reporting.sections import find_sections, trials
from thalweg.reporting.sections.result.candidates import build_candidates_chart
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import t_interval


def render_figure(figure: Figure) -> str:
    """A figure as the page has it."""
    template: Any = build_environment().get_template("templates/figures.html")
    return str(template.module.figure(figure))


def render_finding(finding: Finding, anchors: Collection[int] = ()) -> str:
    """A finding as the page has it."""
    template: Any = build_environment().get_template("templates/finding.html")
    return str(template.module.finding(finding, anchors))


def build_trial_table(tables: StudyTables) -> TrialTable:
    (table,) = trials.build_figures(tables)
    assert isinstance(table, TrialTable)
    return table


def test_trials_table_is_complete(counting_study: StudyTables) -> None:
    rows = build_trial_table(counting_study).rows
    ranked = counting_study.ranked
    assert sorted(rows["trial"]) == sorted(counting_study.trials["number"])
    assert rows["trial"].head(len(ranked)).to_list() == ranked["number"].to_list()
    assert rows["rank"].head(len(ranked)).to_list() == list(range(1, len(ranked) + 1))
    assert rows["rank"].iloc[len(ranked) :].isna().all()
    assert rows["state"].drop_duplicates().to_list() == ["complete", "stopped early", "diverged"]
    trial_rows = counting_study.trials.set_index("number").loc[rows["trial"]]
    pd.testing.assert_series_equal(trial_rows["value"], rows.set_index("trial")["mae"], check_names=False)
    assert "diverged at step" in rows
    assert "value at the end" not in rows


def test_winner_and_baseline_are_named(counting_study: StudyTables) -> None:
    first = counting_study.trials.set_index("number").loc[0]
    params: dict[str, Any] = {**counting_study.params}
    for name in (parameter.name for parameter in counting_study.parameters if pd.notna(first[parameter.name])):
        params = with_nested_value(params, name.split("."), first[name])
    tables = replace(counting_study, params=params)
    rows = build_trial_table(tables).rows.set_index("trial")["role"]
    assert counting_study.winner is not None
    assert rows[counting_study.winner] == "winner"
    assert rows[0] == "baseline"
    assert sorted(rows[rows != ""]) == ["baseline", "runner-up 1", "runner-up 2", "winner"]
    text = render_figure(build_trial_table(tables))
    assert re.search(rf'data-trial="{counting_study.winner}" class="[^"]*winner">.*?<td>winner</td>', text)
    assert re.search(r'data-trial="0" class="[^"]*baseline">.*?<td>baseline</td>', text)
    assert (
        f"| 1 • | {counting_study.ranked['number'].iloc[0]} | winner |"
        in markdown.render_figure(build_trial_table(tables))[0]
    )
    # none is called so whose values are others
    assert "baseline" not in set(build_trial_table(counting_study).rows["role"])


def test_winner_equal_to_baseline_has_both_names(counting_study: StudyTables) -> None:
    alone = replace(
        counting_study,
        runs=pd.DataFrame(),
        space=counting_study.space[:1],
        trials=counting_study.trials.query("state == 'complete'"),
    )
    rate = alone.ranked["optimizer.learning_rate"].iloc[0]
    params = with_nested_value(counting_study.params, ["optimizer", "learning_rate"], rate)
    first = alone.trials.assign(number=alone.trials["number"].where(alone.trials["number"] != alone.winner, -1))
    assert trials.name_trial_roles(replace(alone, params=params, trials=first)) == {-1: "winner, baseline"}


def with_nested_value(params: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """The parameters with a value at a path."""
    if len(path) == 1:
        return params | {path[0]: value}
    return params | {path[0]: with_nested_value(params.get(path[0]) or {}, path[1:], value)}


def test_unknown_state_is_kept(counting_study: StudyTables) -> None:
    rows = counting_study.trials.assign(
        state=counting_study.trials["state"].where(counting_study.trials["number"] != 5, "lost")
    )
    assert build_trial_table(replace(counting_study, trials=rows)).rows["state"].iloc[-1] == "lost"


def test_trials_table_has_a_row_limit(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MAX_PAGE_ROWS", 10)
    table = build_trial_table(counting_study)
    assert len(table.rows) == 10
    assert "The first 10 of 48" in table.caption
    assert table.trials == {int(trial) for trial in counting_study.ranked["number"].head(10)}


@pytest.mark.parametrize("case", ["all diverged", "all pruned"])
def test_incomplete_trials_are_listed(studies_by_case: dict[str, StudyTables], case: str) -> None:
    table = build_trial_table(studies_by_case[case])
    assert len(table.rows) == len(studies_by_case[case].trials)
    assert isinstance(table.markdown_figure, EmptyFigure)


def test_markdown_lists_best_trials(counting_study: StudyTables) -> None:
    text, figures = markdown.render_figure(build_trial_table(counting_study))
    assert text.startswith("### Complete trials, best first")
    assert len(re.findall(r"^\| \d", text, re.M)) == min(trials.MAX_MARKDOWN_ROWS, len(counting_study.ranked))
    assert not figures


def test_findings_link_to_rows(counting_study: StudyTables) -> None:
    text = render_figure(build_trial_table(counting_study))
    for number in counting_study.trials["number"]:
        assert text.count(f'id="trial-{number}" data-trial="{number}"') == 1
    html = render_finding(Finding("So.", "Because.", trials=(3, 17, 99)), {3, 17})
    assert 'Trials <a href="#trial-3" data-trial="3">3</a>, <a href="#trial-17" data-trial="17">17</a> and 99' in html
    assert "<a " not in render_finding(Finding("So.", "Because.", trials=(3,)))


def test_only_trial_rows_have_trials() -> None:
    rows = pd.DataFrame({"candidate": ["winner", "baseline"], "trial": pd.array([1024, None], dtype="Int64")})
    text = render_figure(Table("metrics", "Every metric", "", rows))
    assert re.findall(r"<tr[^>]*>", text) == ["<tr>", '<tr data-trial="1024">', "<tr>"]
    assert ">1024<" in text  # a name, not an amount
    assert ">–<" in text
    assert "id=" not in text.replace('id="figure-metrics"', "")


def test_value_table_keeps_the_ends() -> None:
    data = {
        "points": pd.DataFrame({"trial": range(300), "value": np.arange(300.0), "shown": 0.0}),
        "best": pd.DataFrame({"trial": [0], "value": [5.0]}),
        "bands": pd.DataFrame({"from": [1, 2]}),
        "none": pd.DataFrame({"value": []}),
    }
    tables = build_value_tables(Chart("a", "A", "", "", data, lambda: None, decoration_tables=("bands",)))  # type: ignore[arg-type,return-value]
    assert [table.title for table in tables] == ["best", "points: 49 of 300 (16 %) rows, evenly spaced"]
    assert sum(len(table.rows) for table in tables) == MAX_VALUE_ROWS
    assert tables[1].rows[-1].trial == 299
    assert all(name != "shown" for table in tables for _, name, _ in table.heads)


def test_charts_have_value_tables(counting_study: StudyTables) -> None:
    charts = [
        figure
        for section in find_sections()
        for figure in section.build_figures(counting_study)
        if isinstance(figure, Chart)
    ]
    for chart in charts:
        assert render_figure(chart).count("<tbody>\n<tr") >= 1


def test_columns_contain_the_rows() -> None:
    rows: list[dict[str, Any]] = [{"a": 1, "b": "x"}, {"b": "y"}, {"a": 3, "c": False}]
    assert to_columns(rows) == {"a": [1, None, 3], "b": ["x", "y", None], "c": [None, None, False]}
    assert to_columns([]) == {}


def test_interval_kinds_differ(counting_study: StudyTables) -> None:
    chart = build_candidates_chart(counting_study)
    assert chart
    text = markdown.render_figure(chart)[1]["candidates.svg"]
    assert all(f">{word}<" in text for word in INTERVAL_STROKES)
    values = pd.Series([1.0, 2.0, 4.0])
    alone = markdown.render_figure(
        build_strip_chart("alone", "A", "", "a", [StripRow("a", "", "winner", values, t_interval(values))])
    )
    assert not any(f">{word}<" in alone[1]["alone.svg"] for word in INTERVAL_STROKES)


@pytest.mark.slow
def test_markdown_has_no_highlights(counting_study: StudyTables) -> None:
    for section in find_sections():
        for figure in section.build_figures(counting_study):
            if isinstance(figure, Chart):
                assert "tracing" not in str(markdown.render_figure(figure)[1])


def test_long_text_has_its_own_phone_line() -> None:
    rows = pd.DataFrame(
        {"verdict": ["fine"], "trial": ["trial 1"], "evidence": ["it fell by half in each of its epochs"]}
    )
    assert '<table class="below" style="--columns:2">' in render_figure(Table("why", "Why", "", rows))
    assert "<table>" in render_figure(Table("why", "Why", "", rows.assign(evidence="it fell")))
