"""How training went: what sets lost trials apart, when trials are at their best, how calm they end."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_studies import RATE, World, draw_study
from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.analysis import constant_trials, swings, training_length
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import curves, health, history, parameters
from thalweg.reporting.sections.health import endings, verdict_map
from thalweg.reporting.sentences import describe_evidence
from thalweg.reporting.tables import StudyTables
from thalweg.stats.run_curves import Evidence


def build_study_with_lost_trials(world: World = World(rates=(0.004, 0.6), dead=0.2)) -> StudyTables:  # noqa: B008
    return draw_study(world, 0)


def test_constant_networks_have_a_verdict() -> None:
    tables = build_study_with_lost_trials()
    dead = tables.trials.loc[tables.trials["value"] == planted.DEAD, "number"].tolist()
    verdicts = constant_trials.correct_verdicts(tables).set_index("trial")
    assert verdicts.index[verdicts["kind"] == "learned nothing"].tolist() == dead
    assert verdicts.loc[dead, "since"].isna().all()
    words = describe_evidence(verdicts.loc[dead[0], "evidence"], "mean absolute error")
    assert f"as in {len(dead) - 1} other trials: the network gives every example the same answer" in words
    assert set(tables.verdicts.set_index("trial").loc[dead, "kind"]) == {"converged"}
    figure = next(figure for figure in health.build_figures(tables) if figure.id == "verdicts")
    assert isinstance(figure, Table)
    counts = figure.rows.set_index("verdict")["count"]
    assert counts["learned nothing"] == len(dead)
    assert counts.sum() == 48


def test_constant_networks_with_folds() -> None:
    """Each fold has a constant answer of its own: one trial's value is their mean."""
    tables = build_study_with_lost_trials(World(rates=(0.05, 1.0), dead=0.2))
    folds = pd.concat(
        [tables.curves.assign(fold=fold, mae=tables.curves["mae"] * by) for fold, by in enumerate((0.9, 1.1))]
    )
    folded = replace(tables, curves=folds.reset_index(drop=True))
    assert (
        constant_trials.find_constant_trials(folded)["number"].tolist()
        == constant_trials.find_constant_trials(tables)["number"].tolist()
        != []
    )
    verdicts = constant_trials.correct_verdicts(folded)
    dead = constant_trials.find_constant_trials(folded)["number"].tolist()
    assert verdicts.loc[verdicts["kind"] == "learned nothing", "trial"].tolist() == dead


def test_most_trials_may_be_constant() -> None:
    tables = build_study_with_lost_trials(World(rates=(0.05, 3.0), dead=0.2))
    dead = int((tables.trials["value"] == planted.DEAD).sum())
    assert dead > 24
    assert len(constant_trials.find_constant_trials(tables)) == dead
    assert constant_trials.find_constant_trials(replace(tables, trials=tables.trials.assign(value=planted.DEAD))).empty


def test_constant_networks_may_begin_better() -> None:
    """A first epoch may be better than the constant answer of all later ones: the end counts."""
    tables = build_study_with_lost_trials()
    dead = constant_trials.find_constant_trials(tables)["number"].tolist()
    begun = tables.curves["mae"].where(
        (tables.curves["trial"] != dead[0]) | (tables.curves["epoch"] > 1), planted.DEAD - 0.2
    )
    value = tables.trials["value"].where(tables.trials["number"] != dead[0], planted.DEAD - 0.2)
    tables = replace(tables, curves=tables.curves.assign(mae=begun), trials=tables.trials.assign(value=value))
    constant = constant_trials.find_constant_trials(tables)
    assert constant["number"].tolist() == dead
    assert (constant["end"] == planted.DEAD).all()


def test_constant_networks_squeeze_no_chart() -> None:
    tables = build_study_with_lost_trials(World(rates=(0.004, 1.0), dead=0.1))
    assert (
        len(constant_trials.find_constant_trials(tables)) > 12
    )  # more than a quarter: quartiles alone would let them in
    (chart,) = history.build_figures(tables)
    assert isinstance(chart, Chart)
    assert "and are drawn at its edge. They learned nothing." in chart.caption
    assert chart.data["points"]["shown"].max() < 3.5
    assert constant_trials.compute_trial_window(tables).high < 3.5
    figure = parameters.build_figures(tables)[0]
    assert isinstance(figure, Chart)
    assert "and are drawn at its edge. They learned nothing." in figure.caption
    assert "learned nothing lie beyond the edge" in curves.build_figures(tables)[0].caption  # type: ignore[union-attr]


def test_map_has_marks_and_edge_line() -> None:
    tables = build_study_with_lost_trials(World(rates=(0.004, 0.6), wild=0.2))
    chart = next(figure for figure in health.build_figures(tables) if figure.id == "verdict-map")
    assert isinstance(chart, Chart)
    points, edge = chart.data["points"], chart.data["edge"]
    assert len(points) == 48
    (x,) = points.loc[points["trial"] == 5, "x"]
    assert x == tables.trials.loc[5, RATE]
    assert (edge["x"] / (1 - edge["y"])).to_numpy() == pytest.approx(0.2, abs=0.05)
    assert edge["x"].between(0.004, 0.6).all()
    assert set(verdict_map.VERDICT_MARKS) >= set(points["kind"])
    assert len(set(verdict_map.VERDICT_MARKS.values())) == len(verdict_map.VERDICT_MARKS)


def test_verdict_map_needs_no_learning_rate(counting_study: StudyTables) -> None:
    space = [SearchedParameter(name, 0.0, 1.0) for name in ("a", "b", "c")]
    rng, verdicts = np.random.default_rng(0), counting_study.verdicts
    bad = ~counting_study.trials["number"].isin(verdicts.loc[verdicts["kind"].isin(verdict_map.SOUND_KINDS), "trial"])
    trials = counting_study.trials.assign(a=rng.random(48), b=rng.random(48), c=0.5 * rng.random(48) + 0.5 * bad)
    tables = replace(counting_study, space=space, trials=trials)
    assert verdict_map.rank_map_axes(tables, verdicts)[0].name == "c"
    (chart,) = verdict_map.build_verdict_map(replace(tables, space=space[:1]), verdicts, None)
    assert set(chart.data["points"]["y"]) == set(verdicts["kind"])
    assert verdict_map.build_verdict_map(replace(tables, space=[]), verdicts, None) == []


def test_verdict_map_takes_any_name_of_a_setting(counting_study: StudyTables) -> None:
    """The map has columns of its own beside those of the trials."""
    verdicts, names = counting_study.verdicts, ("kind", "trial", "x", "y")
    values = {name: np.linspace(0, 1, 48) + index for index, name in enumerate(names)}
    tables = replace(counting_study, trials=counting_study.trials.assign(**values))
    for pair in (names[:2], names[2:], names[1:2]):
        space = [SearchedParameter(name, 0.0, 4.0) for name in pair]
        (chart,) = verdict_map.build_verdict_map(replace(tables, space=space), verdicts, None)
        points, axes = chart.data["points"], verdict_map.rank_map_axes(replace(tables, space=space), verdicts)
        expected = tables.trials.set_index("number").loc[points["trial"]]
        for column, axis in zip("xy", axes, strict=False):
            assert points[column].tolist() == expected[axis.name].tolist()


def test_best_step_is_a_share() -> None:
    trials = pd.DataFrame({"number": [0, 1, 2], "state": "complete", "value": [1.0, 1.2, 2.0], "epochs": [8, 8, 4]})
    cost: dict[int, list[float]] = {0: [4, 3, 2, 1, 2, 3, 4, 5], 1: [8, 7, 6, 5, 4, 3, 2, 1.2], 2: [3, 2, 2.5, 4]}
    rows = [
        {"trial": trial, "seed": 0, "fold": 0, "epoch": epoch + 1, "mae": value,
         "learning_rate": 0.1 if trial else 0.1 * 0.5**epoch}
        for trial, values in cost.items()
        for epoch, value in enumerate(values)
    ]  # fmt: skip
    base = draw_study(World(), 0)
    tables = replace(base, trials=trials, curves=pd.DataFrame(rows), params={"training": {"epochs": 8}}, space=[])
    steps = training_length.find_best_epochs(tables).set_index("trial")
    assert steps["share"].to_dict() == {0: 0.5, 1: 1.0, 2: 0.25}
    assert steps["stays"].to_dict() == {0: False, 1: True, 2: True}
    chart = endings.build_best_steps_figure(tables)
    assert isinstance(chart, Chart)
    assert chart.data["steps"]["trials"].sum() == 3


def test_decaying_rate_is_not_short() -> None:
    world = World(rates=(0.02, 0.1), momentum=0.2, best=0.05, curved=(1.0, 0.02), high=(6.0, 3.0))
    constant, falling = draw_study(replace(world, constant=1.0), 0), draw_study(world, 0)
    assert (training_length.find_best_epochs(falling)["share"] > 0.75).mean() > 0.5
    assert endings.build_findings(falling) == []
    assert len(endings.build_findings(constant)) == 1
    late = falling.runs.assign(best_epoch=16)
    assert "falls to zero" in curves.build_findings(replace(falling, runs=late))[0].evidence
    assert "does not fall" in curves.build_findings(replace(constant, runs=late))[0].evidence


@pytest.mark.slow
def test_length_false_positive_rate() -> None:
    findings = [
        endings.build_findings(draw_study(World(rates=(0.1, 0.2), momentum=0.2, constant=1.0, best=0.15), seed))
        for seed in range(20)
    ]
    assert sum(map(bool, findings)) <= 1


def test_training_end_of_best_five() -> None:
    tables = draw_study(
        World(rates=(0.05, 0.1), momentum=0.2, constant=1.0, swing=1.5, batch_spread=0.25, best=0.07), 0
    )
    ends = swings.compute_late_swings(tables)
    assert set(tables.ranked["number"].head(5)) <= set(ends["trial"])
    curves = tables.curves[tables.curves["trial"] == ends["trial"].iloc[0]].tail(3)
    assert ends["spread"].iloc[0] == pytest.approx(curves["train_spread"].mean() / curves["train_loss"].mean())
    assert ends["rate"].iloc[0] == 1.0
    calm = swings.compute_late_swings(draw_study(World(), 0))
    assert (calm["rate"] < 0.1).all()
    below = tables.curves.assign(train_loss=-1.0)
    assert endings.build_findings(replace(tables, curves=below)) == []


def test_tiny_batches_are_not_judged() -> None:
    tables = draw_study(
        World(rates=(0.05, 0.1), momentum=0.2, constant=1.0, swing=1.5, batch_spread=0.25, best=0.07), 0
    )
    assert len(endings.build_findings(tables)) == 1
    tiny = tables.params | {"training": {"epochs": 16, "batch_size": 4}}  # sqrt(2 / 4), twice: above any spread here
    assert endings.build_findings(replace(tables, params=tiny)) == []


def test_missing_curves_show_a_sentence(counting_study: StudyTables) -> None:
    bare = replace(counting_study, curves=pd.DataFrame())
    figures = {figure.id: figure for figure in health.build_figures(bare)}
    assert isinstance(figures["best-steps"], EmptyFigure)
    verdicts = list_verdicts(health, replace(counting_study, verdicts=pd.DataFrame()))
    assert not [verdict for verdict in verdicts if "rate" in verdict or "overfit" in verdict]


def test_stopped_constant_networks_are_named() -> None:
    """The worse half of each cohort stops at a quarter of training: nearly all that learn nothing are among them."""
    unpruned = build_study_with_lost_trials()
    tables = planted.prune_study(unpruned, 4, 0.0, np.random.default_rng(0))
    dead = constant_trials.find_constant_trials(unpruned)["number"].tolist()
    assert (tables.trials.set_index("number").loc[dead, "state"] == "pruned").mean() > 0.8
    assert constant_trials.find_constant_trials(tables)["number"].tolist() == dead
    findings = {finding.verdict: finding for finding in health.build_findings(tables)}
    assert findings[f"{len(dead)} trials learned nothing."].tone == "caution"


def test_one_validation_is_not_flat() -> None:
    tables = planted.prune_study(build_study_with_lost_trials(), 1, 0.0, np.random.default_rng(0))
    assert set(constant_trials.find_constant_trials(tables)["number"]) <= set(tables.ranked["number"])


def test_early_stopped_are_mentioned() -> None:
    tables = planted.prune_study(draw_study(World(), 0), 4, 0.0, np.random.default_rng(0))
    findings = {finding.verdict: finding for finding in health.build_findings(tables)}
    assert (
        "24 were stopped early: whether they would have failed later is not known."
        in findings["No trial diverged."].evidence
    )
    trials = tables.trials.assign(audit=np.nan)
    trials.loc[trials["number"].isin(trials.loc[trials["state"] == "pruned", "number"].head(2)), "audit"] = 1.0
    assert any(
        "22 were stopped early and did not train on: whether they would have failed later" in finding.evidence
        for finding in health.build_findings(replace(tables, trials=trials))
    )
    short = findings["24 trials are too short to judge."]
    assert short.evidence.endswith("All 24 of them were stopped early.")
    assert short.next_step == ""
    seldom = replace(tables, params=tables.params | {"training": {"epochs": 16, "validate_every": 2}})
    assert health.build_findings(seldom)[-1].next_step == "Validate more often: `training.validate_every: 1`."


def test_shares_of_long_trials() -> None:
    world = World(rates=(2e-5, 0.1), momentum=0.3, bend=0.3, high=(30.0, 0.0), jitter=0.001)
    tables = draw_study(world, 0)
    short = tables.verdicts["kind"].where(tables.verdicts["trial"] % 2 == 0, "too short to tell")
    half = replace(tables, verdicts=tables.verdicts.assign(kind=short))
    assert " of 24 " in next(finding.evidence for finding in health.build_findings(half) if "rate" in finding.verdict)


@pytest.mark.parametrize("is_flat", [False, True])
def test_winner_learns_or_not(counting_study: StudyTables, is_flat: bool) -> None:
    is_winner = counting_study.curves["trial"] == counting_study.winner
    loss = (
        np.where(counting_study.curves["epoch"] % 2, 2.0, 2.1) if is_flat else 3.0 - counting_study.curves["epoch"] / 10
    )
    tables = replace(
        counting_study,
        curves=counting_study.curves.assign(train_loss=counting_study.curves["train_loss"].where(~is_winner, loss)),
    )
    (finding,) = [finding for finding in health.build_findings(tables) if finding.verdict.startswith("The winner ")]
    assert finding.trials == (counting_study.winner,)
    assert "The monitor's verdict is " in finding.evidence
    words = "The winner does not clearly learn: its training loss goes from 2 to " if is_flat else "The winner learns: "
    assert finding.verdict.startswith(words)
    assert finding.tone == ("plain" if is_flat else "good")


@pytest.mark.parametrize(("best_epoch", "is_open"), [(16, True), (6, False)])
def test_converged_winner_may_gain_from_longer_training(
    counting_study: StudyTables, best_epoch: int, is_open: bool
) -> None:
    level = Evidence("level", {"epoch": 7, "allowed": 0.171, "level": 1.534, "times": 3})
    verdicts = counting_study.verdicts.assign(kind="converged")
    verdicts["evidence"] = pd.Series([level] * len(verdicts), index=verdicts.index)
    tables = replace(counting_study, verdicts=verdicts, runs=counting_study.runs.assign(best_epoch=best_epoch))
    (finding,) = [finding for finding in health.build_findings(tables) if finding.verdict.startswith("The winner ")]
    assert ("does not rule out a gain from longer training: see Learning curves." in finding.evidence) == is_open
