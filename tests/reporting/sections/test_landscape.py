"""What the report says of ground that is known by its formula."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.terrain import draw_terrain
from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.analysis.stability import measure_stability
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import landscape
from thalweg.reporting.sections.landscape import lines, maps
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="module")
def surveyed_study(counting_study: StudyTables) -> StudyTables:
    return replace(counting_study, landscape=draw_terrain())


def test_section_needs_a_survey(counting_study: StudyTables, surveyed_study: StudyTables) -> None:
    assert not landscape.is_applicable(counting_study)
    assert landscape.is_applicable(surveyed_study)


def test_path_beyond_its_plane_is_reported(counting_study: StudyTables, surveyed_study: StudyTables) -> None:
    wanted = "The training path turns through more directions than a map can show."
    turning = draw_terrain()
    turning["facts"] = turning["facts"].assign(share_a=0.5)
    assert wanted in list_verdicts(landscape, replace(counting_study, landscape=turning))
    assert wanted not in list_verdicts(landscape, surveyed_study)


def test_ridge_between_seeds_is_reported(counting_study: StudyTables, surveyed_study: StudyTables) -> None:
    assert "Each seed ends in a place of its own, with a barrier between them." in list_verdicts(
        landscape, surveyed_study
    )
    flat = replace(counting_study, landscape=draw_terrain(ridge=0.0))
    assert not any("barrier" in verdict for verdict in list_verdicts(landscape, flat))


def test_barrier_is_highest_rise(surveyed_study: StudyTables) -> None:
    table = surveyed_study.landscape["lines"]
    tilted = table.assign(loss=table["loss"] + 0.4 * table["t"])
    barriers = lines.compute_barriers(
        replace(surveyed_study, landscape=dict(surveyed_study.landscape) | {"lines": tilted}), "train"
    )
    np.testing.assert_allclose(barriers["rise"], 0.5, atol=2e-3)


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        (45.0, "At epoch 5 the learning rate was 1.1 times its stability limit; from epoch 9 on it was below."),
        (15.0, "At epoch 5 the learning rate was 3.2 times its stability limit; from epoch 16 on it was below."),
        (90.0, "At each measured epoch, the learning rate was below its stability limit: at most 53 % of it."),
        (9000.0, "At each measured epoch, the learning rate was below its stability limit: at most 0.53 % of it."),
    ],
)
def test_rate_is_compared_with_curvature(counting_study: StudyTables, limit: float, wanted: str) -> None:
    findings = {
        finding.verdict: finding
        for finding in landscape.build_findings(replace(counting_study, landscape=draw_terrain(limit=limit)))
    }
    assert wanted in findings
    is_beyond = "times" in wanted
    assert "Epochs with a measured curvature: 0, 2, 5, 9 and 16." in findings[wanted].evidence
    assert ("Training came through: the winner learns (Health)." in findings[wanted].evidence) == is_beyond


def test_rate_above_its_limit_to_the_end(counting_study: StudyTables) -> None:
    terrain = draw_terrain(limit=45.0)
    terrain["curvature"] = terrain["curvature"].assign(limit=50.0)
    stability = measure_stability(replace(counting_study, landscape=terrain))
    assert stability is not None
    assert (stability.epoch, stability.stable_from) == (16, None)
    assert stability.share == pytest.approx(66 / 50)
    wanted = "At epoch 16 the learning rate was 1.3 times its stability limit; at the last epoch measured it was still"
    assert any(wanted in verdict for verdict in list_verdicts(landscape, replace(counting_study, landscape=terrain)))


def test_room_below_limit_asks_for_higher_rates(counting_study: StudyTables) -> None:
    fixed = replace(
        counting_study,
        landscape=draw_terrain(),
        space=[],
        params=counting_study.params | {"optimizer": {"learning_rate": 0.01}},
    )
    steps = [finding.next_step for finding in landscape.build_findings(fixed)]
    assert "Search `optimizer.learning_rate` above 0.01." in steps
    assert not any(
        "above" in finding.next_step
        for finding in landscape.build_findings(replace(fixed, landscape=draw_terrain(limit=90.0)))
    )


def test_optimizer_without_limit_is_not_judged(counting_study: StudyTables) -> None:
    verdicts = list_verdicts(landscape, replace(counting_study, landscape=draw_terrain(limit=np.nan)))
    assert not any("stability" in verdict or "edge" in verdict for verdict in verdicts)


@pytest.mark.parametrize(("end", "wanted"), [(0.3, "valley"), (-0.2, "valley"), (-9.0, "saddle")])
def test_descent_at_end_is_a_saddle(counting_study: StudyTables, end: float, wanted: str) -> None:
    assert any(
        wanted in verdict
        for verdict in list_verdicts(landscape, replace(counting_study, landscape=draw_terrain(end=end)))
    )


@pytest.mark.parametrize(("epoch", "seeds", "wanted"), [(1, None, True), (16, None, False), (1, 1, False)])
def test_late_best_is_not_called_in_time(
    counting_study: StudyTables, epoch: int, seeds: int | None, wanted: bool
) -> None:
    """A best at the last epoch, or of too few seeds, does not say that longer training is useless."""
    runs = counting_study.runs.assign(best_epoch=epoch)
    saddle = replace(
        counting_study, landscape=draw_terrain(end=-9.0), runs=runs[runs["seed"].isin(runs["seed"].unique()[:seeds])]
    )
    is_reported = any("best before the end" in finding.evidence for finding in landscape.build_findings(saddle))
    assert is_reported == wanted


def test_shades_are_finest_at_minimum(surveyed_study: StudyTables) -> None:
    plane = surveyed_study.landscape["plane"].query("plane == 'path' and part == 'train'")
    loss = plane["loss"].to_numpy().reshape(15, 15)
    edges = maps.compute_shade_edges(loss, 0.02)
    assert (np.diff(edges) > 0).all()
    assert (np.diff(np.diff(edges)) > 0).all()
    assert edges[0] == loss.min()
    cells = maps.build_contours(np.unique(plane["a"]), np.unique(plane["b"]), loss, edges)
    for _, row in cells.groupby("y"):
        assert (row["x"].iloc[1:].to_numpy() <= row["x2"].iloc[:-1].to_numpy()).all()
        assert (row["x"].min(), row["x2"].max()) == pytest.approx((-2, 10))
    deepest = cells[cells["depth"] == maps._name_depths(edges)[0]]
    assert deepest["x"].min() <= 0 <= deepest["x2"].max()


def test_flat_landscape_is_drawn(counting_study: StudyTables) -> None:
    flat = draw_terrain()
    flat["plane"] = flat["plane"].assign(loss=1.0)
    figures = maps.build_figures(replace(counting_study, landscape=flat))
    assert all(isinstance(figure, Chart) and figure.plot().to_dict() for figure in figures)


def test_one_seed_has_no_lines(counting_study: StudyTables) -> None:
    alone = draw_terrain()
    alone["lines"] = pd.DataFrame(columns=alone["lines"].columns)
    tables = replace(counting_study, landscape=alone)
    assert not any("seed" in verdict.lower() for verdict in list_verdicts(landscape, tables))
    assert "barriers" not in [figure.id for figure in landscape.build_figures(tables)]
