"""Several objectives: findings and charts of their front."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.analysis.pareto_growth import compute_volume_shares
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table
from thalweg.reporting.render import render_html, render_markdown
from thalweg.reporting.sections import get_section_name, pareto, select_sections
from thalweg.reporting.tables import StudyTables
from thalweg.stats.pareto import pareto_front


def build_pareto_study(
    counting_study: StudyTables, trade: float = 1.0, late: float = 0.0, names: tuple[str, ...] = ("rmse",)
) -> StudyTables:
    """48 complete trials on a circle's arc: what is gained in the error is lost in the others, by `trade`.

    The first two thirds, or with a `late` below 0 the last third, are worse.
    """
    angle = np.linspace(0.1, np.pi / 2 - 0.1, 48)[np.random.default_rng(0).permutation(48)]
    far = 1 + 0.5 * np.abs(np.sin(7 * angle)) + abs(late) * ((np.arange(48) < 32) == (late > 0))
    trials = counting_study.trials.assign(state="complete", value=3 - 2 * np.cos(angle) / far)
    for place, other in enumerate(names):
        trials[other] = 3 - 2 * (np.sin(angle + 0.1 * place) if trade else np.cos(angle)) / far
    study = {**counting_study.params["study"], "also": list(names)}
    directions = dict.fromkeys(names, "min")
    return replace(
        counting_study, trials=trials, params={**counting_study.params, "study": study}, metric_directions=directions
    )


def test_single_objective_has_no_section(counting_study: StudyTables) -> None:
    assert pareto.build_findings(counting_study) == []
    assert pareto.build_figures(counting_study) == []
    assert "pareto" not in [get_section_name(section) for section in select_sections(counting_study)]
    assert "pareto" in [get_section_name(section) for section in select_sections(build_pareto_study(counting_study))]


def test_front_has_its_ends(counting_study: StudyTables) -> None:
    tables = build_pareto_study(counting_study, late=-1.0)
    first, growth = pareto.build_findings(tables)
    costs = tables.trials[["value", "rmse"]].to_numpy()
    assert set(first.trials) == set(np.flatnonzero(pareto_front(costs)))
    assert first.verdict == f"{len(first.trials)} trials are the best trade-offs."
    assert f"trial {tables.trials['value'].idxmin()} with" in first.evidence
    assert growth.verdict == "The front of best trade-offs has stopped growing."
    late, growing = pareto.build_findings(build_pareto_study(counting_study, late=1.0))
    assert growing.verdict == "The front of best trade-offs was still growing when the search ended."
    assert min(growing.trials) >= 32
    assert late.tone == "plain"


def test_agreeing_objectives_do_not_trade(counting_study: StudyTables) -> None:
    first = pareto.build_findings(build_pareto_study(counting_study, trade=0.0))[0]
    assert "there is no trade-off" in first.verdict
    assert len(first.trials) == 1


def with_noise(tables: StudyTables, size: float) -> StudyTables:
    """Candidates whose seeds spread so much, in both metrics."""
    spread = size * np.linspace(-1, 1, 8) / np.linspace(-1, 1, 8).std(ddof=1)
    runs = {"candidate": "winner", "trial": 0, "seed": range(8), "validation_mae": spread, "validation_rmse": spread}
    return replace(tables, runs=pd.DataFrame(runs))


def build_scattered_study(counting_study: StudyTables) -> StudyTables:
    """Trials 1 to 2 apart in both, but for trial 5, which is close to the best of both, and two ends."""
    rng = np.random.default_rng(1)
    value, rmse = 1.2 + rng.random(48), 2.2 + rng.random(48)
    value[5], rmse[5] = 1.02, 2.02
    value[6], rmse[6] = 1.0, 2.9
    value[7], rmse[7] = 1.9, 2.0
    tables = build_pareto_study(counting_study)
    return replace(tables, trials=tables.trials.assign(value=value, rmse=rmse))


def test_trial_near_all_bests_is_recommended(counting_study: StudyTables) -> None:
    first = pareto.build_findings(with_noise(build_scattered_study(counting_study), 0.02))[0]
    assert first.verdict.startswith("One trial is within noise")
    assert first.next_step.startswith("Take trial 5,")
    assert "Trial 5 (mean absolute error 1.02, root mean square error 2.02)" in first.evidence


def test_distant_trial_is_no_noise(counting_study: StudyTables) -> None:
    tables = with_noise(build_scattered_study(counting_study), 0.3)
    assert pareto.build_findings(tables)[0].next_step.startswith("Take trial 5,")
    trials = tables.trials.assign(value=tables.trials["value"].where(tables.trials["number"] != 5, 2.0))
    assert not pareto.build_findings(replace(tables, trials=trials))[0].next_step.startswith("Take")


def test_large_noise_recommends_nothing(counting_study: StudyTables) -> None:
    first, growth = pareto.build_findings(with_noise(build_scattered_study(counting_study), 0.6))
    assert first.verdict == "Seed noise hides which of 3 trade-offs is best."
    assert first.next_step.startswith("Set `study.seeds: 4`: it halves the noise")
    assert growth.verdict == "It is not clear whether the front of best trade-offs still grows."


def test_maximized_objectives_give_same_front(counting_study: StudyTables) -> None:
    tables = build_pareto_study(counting_study, names=("exact",))
    turned = replace(
        tables, metric_directions={"exact": "max"}, trials=tables.trials.assign(exact=3 - tables.trials["exact"])
    )
    assert pareto.build_findings(turned)[0].trials == pareto.build_findings(tables)[0].trials
    assert compute_volume_shares(turned).iloc[-1] == pytest.approx(compute_volume_shares(tables).iloc[-1])


def test_steps_bound_dominated_side(counting_study: StudyTables) -> None:
    tables = build_pareto_study(counting_study)
    turned = replace(tables, direction="max", trials=tables.trials.assign(value=3 - tables.trials["value"]))
    for study, side in ((tables, "step-after"), (turned, "step-before")):
        chart = pareto.build_figures(study)[0]
        assert isinstance(chart, Chart)
        assert chart.spec_without_data["layer"][1]["mark"]["interpolate"] == side
        # between two neighbours in the first objective, the second is that of the one which is worse in the first
        best = chart.data["best"]
        assert (best["two"].diff().dropna() < 0).all() == (side == "step-after")


def test_hypervolume_only_grows(counting_study: StudyTables) -> None:
    volume = compute_volume_shares(build_pareto_study(counting_study))
    assert (np.diff(volume) >= 0).all()
    assert 0 < volume.iloc[-1] < 1


def test_one_chart_per_pair(counting_study: StudyTables) -> None:
    figures = pareto.build_figures(build_pareto_study(counting_study, names=("rmse", "exact")))
    assert [figure.id for figure in figures] == ["front-0", "front-1", "front-2", "volume", "front"]
    first, table = figures[0], figures[-1]
    assert isinstance(first, Chart)
    assert isinstance(table, Table)
    assert first.is_half_width
    assert len(first.data["points"]) + len(first.data["best"]) == 48
    # seeds of 0.025 in the mean absolute error: a bar of t(21) of them each way
    width = first.data["bars"]["x_high"] - first.data["bars"]["x_low"]
    assert width.max() == pytest.approx(2 * 2.08 * 0.025, rel=0.5)
    assert table.rows["trial"].tolist() == [
        int(trial)
        for trial in pareto.build_findings(build_pareto_study(counting_study, names=("rmse", "exact")))[0].trials
    ]


def test_no_trade_off_is_a_sentence(counting_study: StudyTables) -> None:
    tables = build_pareto_study(counting_study)
    diverged = replace(tables, trials=tables.trials.assign(state="diverged", value=np.nan))
    assert isinstance(pareto.build_figures(diverged)[0], EmptyFigure)
    assert pareto.build_findings(diverged) == []
    alike = replace(tables, trials=tables.trials.assign(rmse=1.0))
    assert any(isinstance(figure, EmptyFigure) for figure in pareto.build_figures(alike))
    assert len(pareto.build_findings(alike)) == 1


def test_page_and_markdown_show_front(counting_study: StudyTables) -> None:
    tables = build_pareto_study(counting_study)
    assert 'id="figure-front-0"' in render_html(tables, [pareto])
    text, figures = render_markdown(tables, [pareto])
    assert set(figures) == {"candidates.svg", "typical.svg", "front-0.svg", "volume.svg"}
    assert "nan" not in text.lower()
