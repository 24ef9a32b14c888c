"""Maps of two parameters, in studies whose surface is known."""

from collections.abc import Callable

import numpy as np

from tests.helpers.five_parameters import (
    MOMENTUM,
    RATE,
    compute_rate_position,
    draw_trials,
)
from thalweg.reporting.analysis.equal_training import compare_equal_training
from thalweg.reporting.analysis.surface import locate_trials
from thalweg.reporting.page.figures import Chart, EmptyFigure
from thalweg.reporting.sections import importance
from thalweg.reporting.sections.importance.heat_maps import build_heat_maps
from thalweg.reporting.tables import StudyTables
from thalweg.stats.surface import fit_surface


def test_heat_map_shows_interaction(build_study: Callable[..., StudyTables]) -> None:
    rng = np.random.default_rng(0)
    at = rng.random((150, 2))
    surface = fit_surface(at, 1 + 4 * (at.sum(1) - 1) ** 2 + rng.normal(0, 0.05, 150))
    assert surface.explained > 0.8
    low, high = surface(np.array([[0.2, 0.8], [0.5, 0.5], [0.8, 0.2]])), surface(np.array([[0.2, 0.2], [0.8, 0.8]]))
    assert low.max() < high.min() - 0.5
    assert not surface.is_near(np.array([[2.0, 2.0]]))[0]
    trials = draw_trials(150, 9)
    tables = build_study(trials, 1 + 4 * (compute_rate_position(trials) + trials["momentum"] / 0.99 - 1) ** 2)
    (drawn_map,) = [
        figure for figure in importance.build_figures(tables) if "rate" in figure.title and "momentum" in figure.title
    ]
    assert isinstance(drawn_map, Chart)
    assert "smoothed over 150 trials" in drawn_map.caption
    cells = drawn_map.data["cells"]
    rate, momentum = ("x", "y") if drawn_map.title.startswith("rate") else ("y", "x")
    assert cells[rate].min() >= 1e-4
    assert cells[f"{rate}2"].max() <= 1.0 + 1e-9
    # the best shade lies along the valley, the worst far from it
    by_depth = sorted(cells["shade"].unique(), key=lambda name: float(name.split()[1]))
    across = (np.log10(np.sqrt(cells[rate] * cells[f"{rate}2"])) + 4) / 4
    apart = (across + (cells[momentum] + cells[f"{momentum}2"]) / 2 / 0.99 - 1).abs()
    assert apart[cells["shade"] == by_depth[0]].max() < 0.4
    assert apart[cells["shade"] == by_depth[-1]].min() > 0.4


def build_heat_map(tables: StudyTables) -> Chart | EmptyFigure:
    (figure,) = build_heat_maps(tables, compare_equal_training(tables), [(RATE, MOMENTUM)])
    assert isinstance(figure, (Chart, EmptyFigure))
    return figure


def test_useless_surface_is_not_drawn(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(150, 9)
    # the layers set trials far apart, the rate hardly
    tables = build_study(trials, 1 + trials["layers"] % 2 + 0.5 * compute_rate_position(trials))
    _, at, values = locate_trials(tables, compare_equal_training(tables), RATE, MOMENTUM)
    assert 0 < fit_surface(at, values).explained < 0.1
    figure = build_heat_map(tables)
    assert isinstance(figure, EmptyFigure)
    assert "predicts less than a tenth of the differences" in figure.reason


def test_surface_contradicting_winner_is_not_drawn(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(150, 9)
    values = 1 + 4 * (compute_rate_position(trials) + trials["momentum"] / 0.99 - 1) ** 2
    assert isinstance(build_heat_map(build_study(trials, values)), Chart)
    values.iloc[int(values.argmax())] = 0.99
    figure = build_heat_map(build_study(trials, values))
    assert isinstance(figure, EmptyFigure)
    assert "is worse at the winner than at half of the trials" in figure.reason
