"""The next space: what findings leave of ranges and choices."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.answers import with_answer
from tests.helpers.five_parameters import RATE as FIVE_RATE
from tests.helpers.five_parameters import compute_rate_position, draw_trials
from tests.helpers.planted_causes import HEALTHY, PLANTED
from tests.helpers.planted_studies import MOMENTUM, RATE
from thalweg.reporting.advice import next_space, search_space, space_yaml
from thalweg.reporting.analysis import failure_bounds, failure_regions, good_region
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import parameters
from thalweg.reporting.tables import StudyTables

BOUND = PLANTED["optimum at a bound"].world
FAILS_ABOVE = f"The best values of `{RATE}` lie at an end of its range, 0.1, but training fails above it."


def get_next_space(tables: StudyTables) -> dict[str, next_space.NextParameter]:
    return {parameter.searched.name: parameter for parameter in next_space.build_next_space(tables)}


def test_failing_winner_keeps_rates() -> None:
    tables = planted.draw_study(BOUND, 0, 96)
    runs = tables.runs.assign(diverged_step=np.nan)
    runs.loc[(runs["candidate"] == "winner") & (runs["seed"] == 1000), "diverged_step"] = 7.0
    failing = replace(tables, runs=runs)
    assert next_space.find_moved_ends(failing, RATE).get("high") != "out"
    finding = parameters.build_findings(failing)[0]
    assert finding.verdict == FAILS_ABOVE
    assert finding.tone == "plain"


@pytest.mark.parametrize(("side", "passed"), [("low", False), ("high", True)])
def test_range_without_good_trials_is_kept(side: str, passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(PLANTED["a bad group"].world, 0)  # the good rates lie in the upper third
    monkeypatch.setattr(good_region, "find_crowded_end", lambda *_: "")
    monkeypatch.setattr(failure_regions, "find_rate_bias", lambda _: side)
    assert next_space.is_region_known(tables)
    assert (next_space.find_widened_end(tables, tables.parameters[0]) == side) == passed


def test_minor_parameter_is_fixed() -> None:
    tables = planted.draw_study(BOUND, 0, 96)
    params = {**tables.params, "study": {**tables.params["study"], "smallest_effect": 0.2}}
    tables = replace(tables, params=params)
    (momentum,) = tables.trials.loc[tables.trials["number"] == tables.winner, MOMENTUM]
    assert next_space.list_minor_parameters(tables) == [MOMENTUM]
    assert get_next_space(tables)[MOMENTUM].fixed == momentum
    assert f"fix `{MOMENTUM}` at" in search_space.advise_search(tables)
    lacking = tables.trials.assign(
        **{MOMENTUM: tables.trials[MOMENTUM].where(tables.trials["number"] != tables.winner)}
    )
    assert next_space.list_minor_parameters(replace(tables, trials=lacking)) == []


def test_next_range_holds_best_third(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good trials lie high in the range; the third with the best mean is the lowest one, but training fails below."""
    tables = planted.draw_study(BOUND, 0, 96)
    (rate,) = (parameter for parameter in tables.parameters if parameter.name == RATE)
    ranking = rank_importances(tables)
    assert ranking is not None
    before = get_next_space(tables)[RATE].searched
    below = failure_bounds.find_failure_bounds(tables, RATE)["low"]
    assert before.low > below > rate.low
    lowest = tuple(replace(one, best_level=0) for one in ranking.parameters)
    monkeypatch.setattr(next_space, "rank_importances", lambda _: replace(ranking, parameters=lowest))
    fresh = replace(tables)  # without what is cached of the study
    assert get_next_space(fresh)[RATE].searched == replace(before, low=max(below, float(f"{below:.2g}")))


def test_minor_choice_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(HEALTHY, 0)
    kind = SearchedParameter("kind", choices=("l1", "l2"))
    trials = tables.trials.assign(kind=np.where(tables.trials["number"] == tables.winner, "l1", "l2"))
    monkeypatch.setattr(next_space, "list_minor_parameters", lambda _: ["kind"])
    with_kind = replace(tables, trials=trials, space=[*tables.space, kind])
    assert get_next_space(with_kind)["kind"].fixed == "l1"
    settings = space_yaml.list_settings(next_space.build_next_space(with_kind))
    assert settings == [("kind: l1", "the winner's value; it mattered little")]


def build_range_study(build_study: Callable[..., StudyTables]) -> tuple[StudyTables, SearchedParameter, list[str]]:
    """A study that asks about a rate, and the labels of its thirds."""
    asked = replace(FIVE_RATE, role="scientific")
    trials = draw_trials(90, 8)
    values = 1 + (compute_rate_position(trials) - 0.5) ** 2  # no end is widened
    tables = build_study(trials, values, noise=0.1, space=[asked])
    return tables, asked, [group.label for group in group_trials_by_value(tables, asked)]


@pytest.mark.parametrize(
    ("leader", "worse", "ends"),
    [
        (0, (1, 2), (0, 1)),
        (1, (2,), (0, 2)),
        (2, (0,), (1, 3)),
        (0, (1,), (0, 3)),  # what lies between values that are kept stays
    ],
)
def test_worse_thirds_are_dropped(
    build_study: Callable[..., StudyTables], leader: int, worse: tuple[int, ...], ends: tuple[int, int]
) -> None:
    tables, asked, labels = build_range_study(build_study)
    others = {labels[i]: (0.9, 0.05) if i in worse else (0.02, 0.4) for i in range(3) if i != leader}
    (step,) = next_space.build_next_space(with_answer(tables, asked, labels[leader], others))
    points = [asked.value_at(end / 3) for end in ends]
    assert step.fixed is None
    assert [step.searched.low, step.searched.high] == pytest.approx(points)


def test_equal_thirds_are_fixed_at_the_winner(build_study: Callable[..., StudyTables]) -> None:
    tables, asked, labels = build_range_study(build_study)
    alike = with_answer(tables, asked, labels[0], {labels[1]: (0.01, 0.05), labels[2]: (0.01, 0.05)})
    (step,) = next_space.build_next_space(alike)
    assert step.fixed == tables.trials.loc[tables.trials["number"] == tables.winner, "rate"].item()
    # if the winner's third is worse, the leader's best trial has the value
    groups = group_trials_by_value(tables, asked)
    third = next(i for i, group in enumerate(groups) if tables.winner in set(group.trials["number"]))
    first, second = (i for i in range(3) if i != third)
    answer = {labels[second]: (0.01, 0.05), labels[third]: (0.9, 0.05)}
    (step,) = next_space.build_next_space(with_answer(tables, asked, labels[first], answer))
    assert step.fixed == tables.trials.loc[tables.trials["number"] == groups[first].best_trial, "rate"].item()


def test_healthy_study_is_not_widened() -> None:
    tables = planted.draw_study(HEALTHY, 0)
    assert "out" not in {way for name in (RATE, MOMENTUM) for way in next_space.find_moved_ends(tables, name).values()}


def build_two_networks(dropped: str) -> StudyTables:
    """A study of two networks: the rates of one crowd at the high end, those of the other lie in the middle."""
    ends, middle = planted.draw_study(BOUND, 0, 96), planted.draw_study(replace(HEALTHY, best=0.03), 0, 48)
    second = {name: getattr(middle, name).copy() for name in ("trials", "curves", "verdicts")}
    second["trials"]["number"] += 96
    second["curves"]["trial"] += 96
    second["trials"]["value"] += 0.3
    second["curves"]["mae"] += 0.3
    second["verdicts"]["trial"] += 96
    trials, curves, verdicts = (
        pd.concat([getattr(ends, name), table], ignore_index=True) for name, table in second.items()
    )
    kinds = np.where(trials["number"] < 96, "crowded", "calm")
    network = SearchedParameter("model.kind", choices=("crowded", "calm"), role="scientific")
    space = [*ends.space, network]
    both = replace(ends, trials=trials.assign(**{"model.kind": kinds}), curves=curves, verdicts=verdicts, space=space)
    leader = "calm" if dropped == "crowded" else "crowded"
    return with_answer(both, network, leader, {dropped: (0.9, 0.05)})


def test_dropped_network_decides_no_range() -> None:
    tables = build_two_networks("crowded")
    (rate, *_) = tables.parameters
    assert good_region.find_crowded_end(tables, rate) == "high"
    assert get_next_space(tables)["model.kind"].remaining_values == ("calm",)
    assert next_space.find_moved_ends(tables, RATE).get("high") != "out"
    assert not any(
        "end of its range" in one.verdict or "may lie" in one.verdict for one in parameters.build_findings(tables)
    )
    alone = replace(tables, trials=tables.trials[96:], curves=tables.curves[tables.curves["trial"] >= 96])
    alone = replace(alone, verdicts=tables.verdicts[tables.verdicts["trial"] >= 96])
    assert set(next_space.select_space_trials(tables)["number"]) == set(good_region.select_good_trials(alone)["number"])


def test_kept_network_widens_its_range() -> None:
    tables = build_two_networks("calm")
    assert next_space.find_moved_ends(tables, RATE).get("high") == "out"
    crowded = next(one for one in parameters.build_findings(tables) if "may lie above" in one.verdict)
    assert "Only trials whose choices are searched next count." in crowded.evidence
    assert set(crowded.trials) <= set(range(96))


def test_dropped_loss_bounds_no_range() -> None:
    """Trials of one choice diverge at high rates; without it, no trial does."""
    calm = planted.draw_study(BOUND, 0, 96)
    wild = planted.draw_study(replace(BOUND, wild=0.05), 0, 96)
    assert failure_bounds.find_failure_bounds(wild, RATE)["high"] < 0.06
    parts = {}
    for name, column in (("trials", "number"), ("curves", "trial"), ("verdicts", "trial")):
        table = getattr(calm, name)
        parts[name] = pd.concat([getattr(wild, name), table.assign(**{column: table[column] + 96})], ignore_index=True)
    loss = SearchedParameter("loss.kind", choices=("wild", "calm"), role="scientific")
    trials = parts["trials"].assign(**{"loss.kind": np.where(parts["trials"]["number"] < 96, "wild", "calm")})
    both = replace(calm, **{**parts, "trials": trials}, space=[*calm.space, loss])
    tables = with_answer(both, loss, "calm", {"wild": (0.9, 0.05)})
    kept = next_space.keep_choices(tables)
    assert (
        set(kept.trials["loss.kind"]) == set(kept.curves["trial"].ge(96).map({True: "calm", False: "wild"})) == {"calm"}
    )
    assert failure_bounds.find_failure_bounds(kept, RATE).get("high") is None
    assert next_space.find_moved_ends(tables, RATE).get("high") == "out"
