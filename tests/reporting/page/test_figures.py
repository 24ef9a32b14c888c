"""What charts show, as data; that they can be drawn is shown for every section elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.analysis import good_region, groups
from thalweg.reporting.analysis.progress import compute_best_so_far
from thalweg.reporting.page.figures import Chart, build_records
from thalweg.reporting.page.marks import assign_roles
from thalweg.reporting.sections import curves, history, select_sections
from thalweg.reporting.tables import StudyTables


def test_records_are_json() -> None:
    table = pd.DataFrame({"a": [1.23456789, np.nan, np.inf], "b": [True, None, False], "c": ["x", "y", None]})
    assert build_records(table) == [{"a": 1.2346, "b": True, "c": "x"}, {"c": "y"}, {"b": False}]


def build_hand_made_study(
    counting_study: StudyTables, rows: list[tuple[int, str, float]], direction: Literal["min", "max"] = "min"
) -> StudyTables:
    table = pd.DataFrame(rows, columns=["number", "state", "value"]).assign(epochs=4)
    return replace(counting_study, trials=table, direction=direction, runs=pd.DataFrame())


def test_ranked_breaks_ties_by_number(counting_study: StudyTables) -> None:
    rows = [
        (0, "complete", 2.0),
        (1, "pruned", 0.1),
        (2, "complete", 1.0),
        (3, "complete", 1.0),
        (4, "diverged", np.nan),
    ]
    assert build_hand_made_study(counting_study, rows).ranked["number"].tolist() == [2, 3, 0]
    assert build_hand_made_study(counting_study, rows, "max").ranked["number"].tolist() == [0, 2, 3]
    assert build_hand_made_study(counting_study, rows).winner == 2


def test_best_so_far_is_of_complete(counting_study: StudyTables) -> None:
    rows = [
        (0, "diverged", np.nan),
        (1, "complete", 3.0),
        (2, "pruned", 1.0),
        (3, "complete", 2.0),
        (4, "complete", 5.0),
    ]
    assert compute_best_so_far(build_hand_made_study(counting_study, rows)).tolist()[1:] == [3.0, 3.0, 2.0, 2.0]
    assert compute_best_so_far(build_hand_made_study(counting_study, rows, "max")).tolist()[1:] == [3.0, 3.0, 3.0, 5.0]


def test_best_so_far_at_window_edge(counting_study: StudyTables) -> None:
    worse = counting_study.trials.assign(
        state="complete", value=np.where(counting_study.trials["number"] < 1, 900.0, 1.0)
    )
    worse["value"] += 0.01 * worse["number"]
    (chart,) = history.build_figures(replace(counting_study, trials=worse))
    assert isinstance(chart, Chart)
    first = chart.data["best"].iloc[0]
    assert first["value"] == 900.0
    assert first["shown"] < 10.0


def list_tooltip_titles(spec: Any) -> Iterator[str]:
    """What the tooltips of a chart call their values."""
    if isinstance(spec, dict):
        tooltips = (spec.get("encoding") or {}).get("tooltip") or []
        yield from (
            tooltip.get("title", tooltip["field"])
            for tooltip in (tooltips if isinstance(tooltips, list) else [tooltips])
        )
    for part in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from list_tooltip_titles(part)


@pytest.mark.parametrize(
    "case", ["usual", *(pytest.param(case, marks=pytest.mark.slow) for case in ("classes", "several terms"))]
)
def test_tooltips_avoid_special_names(studies_by_case: dict[str, StudyTables], case: str) -> None:
    """vega-tooltip shows `title` as a headline and loads `image` as the address of a picture."""
    charts = [
        figure
        for section in select_sections(studies_by_case[case])
        for figure in section.build_figures(studies_by_case[case])
        if isinstance(figure, Chart)
    ]
    called = {name for chart in charts for name in list_tooltip_titles(chart.spec_without_data)}
    assert "trial" in called
    assert not called & {"image", "title"}


def test_every_trial_has_one_role(counting_study: StudyTables) -> None:
    roles = assign_roles(counting_study.trials, counting_study.winner).value_counts()
    assert roles["winner"] == 1
    assert roles["winner"] + roles["complete"] == counting_study.count_trials("complete")
    assert roles["stopped"] == counting_study.count_trials("pruned")
    assert roles["diverged"] == counting_study.count_trials("diverged")


def test_curves_keep_both_ends() -> None:
    table = pd.DataFrame(
        {"trial": 0, "seed": [0, 1, 0, 1], "fold": 0, "epoch": [1, 1, 2, 2], "mae": [1.0, 3.0, 5.0, 7.0]}
    )
    assert curves.subsample_mean_curves(table, ["mae", "rmse"])["mae"].tolist() == [2.0, 6.0]
    long = pd.DataFrame({"trial": 0, "epoch": range(1, 501), "mae": 1.0})
    epochs = curves.subsample_mean_curves(long, ["mae"])["epoch"]
    assert (epochs.min(), epochs.max(), len(epochs)) == (1, 500, curves.MAX_DRAWN_EPOCHS)


def test_bins_cover_every_example(counting_study: StudyTables) -> None:
    bins = groups.bin_errors(counting_study.predictions)
    assert bins["examples"].sum() == len(counting_study.predictions)
    assert ((bins["low"] <= bins["mean"]) & (bins["mean"] <= bins["high"])).all()


def test_ties_are_within_noise(counting_study: StudyTables) -> None:
    close = good_region.select_near_best(counting_study)["number"].tolist()
    ranked = counting_study.ranked.set_index("number")["value"]
    assert close[0] == counting_study.ranked["number"].iloc[0]
    assert ranked[close].max() <= ranked.drop(close).min()
