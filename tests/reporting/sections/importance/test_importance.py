"""What mattered, against studies in which that is known."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from scipy.stats import binom

from thalweg.reporting.analysis import importance as ranked
from thalweg.reporting.analysis.equal_training import levels
from thalweg.reporting.analysis.importance import Importance, Ranking, count_of, ranking
from thalweg.reporting.analysis.isolation import Side, ahead, compared, expected_best, luck_of_loss, sides
from thalweg.reporting.analysis.ped_anova import best, by_optuna, column, importances, places_of
from thalweg.reporting.analysis.seed_noise import Noise
from thalweg.reporting.analysis.surface import both, smoothed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, spec
from thalweg.reporting.sections import importance
from thalweg.reporting.sections.importance.heat_maps import maps
from thalweg.reporting.sections.importance.interactions import product
from thalweg.reporting.sections.importance.isolation_plots import finding as finding_of
from thalweg.reporting.sections.importance.parallel_coordinates import LINES, NONE, best_tenth, lines
from thalweg.reporting.tables import Tables

KINDS = ["l1", "l2", "huber"]
RATE = {"name": "rate", "type": "float", "low": 1e-4, "high": 1.0, "log": True}
MOMENTUM = {"name": "momentum", "type": "float", "low": 0.0, "high": 0.99}
LAYERS = {"name": "layers", "type": "int", "low": 1, "high": 9}
KIND = {"name": "kind", "type": "categorical", "choices": KINDS, "role": "scientific"}
DELTA = {"name": "delta", "type": "float", "low": 0.1, "high": 10.0, "log": True, "when": {"kind": "huber"}}
SPACE = [RATE, MOMENTUM, LAYERS, KIND, DELTA]


def drawn(count: int, seed: int = 0) -> pd.DataFrame:
    """Trials whose parameters are independent draws from the whole space."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(KINDS, count)
    return pd.DataFrame(
        {
            "number": range(count),
            "state": "complete",
            "rate": 10 ** rng.uniform(-4, 0, count),
            "momentum": rng.uniform(0, 0.99, count),
            "layers": rng.integers(1, 10, count),
            "kind": kind,
            "delta": np.where(kind == "huber", 10 ** rng.uniform(-1, 1, count), np.nan),
            "epochs": 16,
            "diverged_step": np.nan,
        }
    )


def place(trials: pd.DataFrame) -> pd.Series:
    """Where the rate lies in its range, 0 to 1."""
    return (np.log10(trials["rate"]) + 4) / 4


@pytest.fixture
def told(usual: Tables) -> Callable[..., Tables]:
    """A study of these trials with these values, and with the noise of a seed where that is given."""

    def make(trials: pd.DataFrame, values: Any, noise: float | None = None, **changed: Any) -> Tables:
        runs = pd.DataFrame()
        if noise is not None:
            spread = noise * np.linspace(-1, 1, 8) / np.linspace(-1, 1, 8).std(ddof=1)
            runs = pd.DataFrame({"candidate": "winner", "trial": 0, "seed": range(8), "validation_mae": 1 + spread})
        parts = {"trials": trials.assign(value=values), "curves": pd.DataFrame(), "runs": runs, "space": SPACE}
        return replace(usual, **{**parts, **changed})

    return make


def ranks(tables: Tables) -> Ranking:
    found = ranking(tables)
    assert found is not None
    return found


def shares(tables: Tables) -> dict[str, float]:
    return {one.name: one.share for one in ranks(tables).parameters}


def by_optunas_own_scales(trials: pd.DataFrame, values: np.ndarray, count: int) -> np.ndarray:
    """Optuna's importances of the parameters as they are, not brought to steps before."""
    ways = {
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "momentum": FloatDistribution(0.0, 0.99),
        "layers": IntDistribution(1, 9),
        "kind": CategoricalDistribution(KINDS),
        "delta": FloatDistribution(0.1, 10.0, log=True),
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    for row, value in zip(trials.to_dict("records"), values, strict=True):
        chosen = {name: row[name] for name in ways if pd.notna(row[name])}
        given = {name: ways[name] for name in chosen}
        study.add_trial(optuna.trial.create_trial(params=chosen, distributions=given, value=float(value)))
    found = PedAnovaImportanceEvaluator(target_quantile=(count - 0.5) / len(values)).evaluate(study)
    return np.array([found[name] for name in ways])


@pytest.mark.parametrize("seed", range(4))
def test_many_draws_at_once_are_what_optuna_finds_of_each(seed: int) -> None:
    trials, rng = drawn(40 + 30 * seed, seed), np.random.default_rng(seed)
    columns = [column(one, trials[one["name"]]) for one in SPACE]
    values = np.stack([place(trials) + rng.normal(0, 0.3, len(trials)) for _ in range(3)])
    count = count_of(len(trials))
    found = importances(columns, best(values, count), np.ones((1, len(trials))))
    for row, each in zip(found, values, strict=True):
        np.testing.assert_allclose(row, by_optunas_own_scales(trials, each, count), rtol=1e-7)
        np.testing.assert_allclose(row, by_optuna(columns, each, count), rtol=1e-7)


def test_a_weight_is_so_many_trials() -> None:
    trials = drawn(30)
    columns = [column(one, trials[one["name"]]) for one in SPACE]
    weights = np.random.default_rng(0).integers(0, 3, (1, 30)).astype(float)
    values = place(trials).to_numpy()
    again = np.repeat(np.arange(30), weights[0].astype(int))
    repeated = [column(one, trials.iloc[again][one["name"]]) for one in SPACE]
    told = importances(columns, best(values[None], 8, weights), weights)
    top = best(values[again][None], 8)
    np.testing.assert_allclose(told, importances(repeated, top, np.ones((1, len(again)))))


def test_choices_are_known_by_their_text_too() -> None:
    parameter = {"name": "width", "choices": [8, 16, True, "a"]}
    assert places_of(parameter, pd.Series([16.0, "8", np.nan, "a", True])).tolist() == [1, 0, -1, 3, 2]


def test_where_only_the_rate_matters_it_has_it_all(told: Callable[..., Tables]) -> None:
    trials = drawn(400)
    tables = told(trials, 1 + 4 * (place(trials) - 0.5).abs(), noise=0.01)
    found = ranks(tables)
    assert found.parameters[0].name == "rate"
    assert found.parameters[0].share > 0.9
    assert found.told
    assert {one.name for one in found.idle} == {"momentum", "layers", "kind", "delta"}
    first, idle = importance.findings(tables)[:2]
    assert first.verdict == "`rate` mattered most."
    assert "134 best of 400 trials, at the end of training" in first.evidence
    assert first.trials == tuple(sorted(tables.ranked["number"].head(134)))
    assert idle.verdict.endswith("mattered little.")
    for name in ("momentum", "layers", "delta"):
        assert f"`{name}`" in idle.verdict
    # what the study asks about is answered by itself
    assert "`kind`" not in idle.verdict


def importance_of(name: str, share: float, chance: float, high: float = 1.0) -> Importance:
    return Importance(name, share, 0.0, high, chance, 40)


def lead(tables: Tables, monkeypatch: pytest.MonkeyPatch, *parameters: Importance, led: float = 0.0) -> list[Finding]:
    """What is said where these are the importances, the largest first."""
    found = Ranking(parameters, (1, 2), 40, {}, levels(tables), led, None)
    monkeypatch.setattr(importance, "ranking", lambda _: found)
    return importance.findings(tables)


def test_a_lead_is_told_among_those_beyond_chance_alone(
    told: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = told(drawn(40), place(drawn(40)))
    unsure, small = importance_of("momentum", 0.49, 0.76), importance_of("layers", 0.16, 0.05)
    first, open_ = lead(tables, monkeypatch, unsure, small)[:2]
    assert first.verdict == "`layers` mattered."
    assert "`momentum`" not in first.evidence
    assert open_.verdict == "Whether `momentum` matters cannot be told from 40 trials."
    assert open_.step == ""


def test_a_share_that_is_shown_as_chance_is_not_beyond_it() -> None:
    assert not importance_of("rate", 0.0521, 0.0519).beyond
    assert importance_of("rate", 0.07, 0.05).beyond


def test_of_two_that_matter_alike_neither_is_first(told: Callable[..., Tables]) -> None:
    trials = drawn(200, 3)
    both = (place(trials) - 0.5).abs() + (trials["momentum"] / 0.99 - 0.5).abs()
    first = importance.findings(told(trials, 1 + both, noise=0.01))[0]
    assert "cannot be told" in first.verdict
    assert "`rate`" in first.verdict
    assert "`momentum`" in first.verdict


def test_a_parameter_of_part_of_the_trials_counts_among_these(told: Callable[..., Tables]) -> None:
    trials = drawn(300, 1)
    active = trials["kind"] == "huber"
    tables = told(trials, np.where(active, 1 + (np.log10(trials["delta"]) - 0.5).abs(), 1.5 + place(trials) / 10))
    (delta,) = (one for one in ranks(tables).parameters if one.name == "delta")
    assert delta.trials == active.sum()
    assert delta.beyond
    # of the huber trials alone all are alike: that these are the best says nothing of their delta
    alike = told(trials, np.where(active, 1.0, 2.0) + np.random.default_rng(0).normal(0, 0.05, 300))
    names = {one.name: one.beyond for one in ranks(alike).parameters}
    assert names["kind"]
    assert not names["delta"]


def pruned(told: Callable[..., Tables], usual: Tables) -> Tables:
    """Trials that the rate decides on: whoever is within the right tenth of it survives the rung, at epoch 4."""
    trials = drawn(120, 2)
    level = 1 + 4 * (place(trials) - 0.5).abs()
    kept = (place(trials) - 0.5).abs() < 0.05
    trials["state"], trials["epochs"] = np.where(kept, "complete", "pruned"), np.where(kept, 16, 4)
    curves = pd.concat(
        pd.DataFrame({"trial": n, "seed": s, "fold": 0, "epoch": range(1, e + 1),
                      "mae": v + 0.1 * (s - 0.5) + 1 / np.arange(1, e + 1)})
        for n, e, v in zip(trials["number"], trials["epochs"], level, strict=True) for s in (0, 1)
    )  # fmt: skip
    # in the end they are as good as each other
    params = {**usual.params, "study": {**usual.params["study"], "prune": {"first": 4, "eta": 2}}}
    return told(trials, np.where(kept, 0.5, level), curves=curves, params=params)


def test_stopped_trials_count_at_the_first_rung(told: Callable[..., Tables], usual: Tables) -> None:
    tables = pruned(told, usual)
    found = levels(tables)
    assert found.epoch == 4
    assert len(found.values) == 120
    np.testing.assert_allclose(found.values, 1 + 4 * (place(tables.trials) - 0.5).abs() + 0.25)
    assert shares(tables)["rate"] > 0.7
    assert "by epoch 4" in importance.findings(tables)[0].evidence
    # completed trials alone would mislead
    kept = tables.trials[tables.trials["state"] == "complete"]
    few = ranking(replace(tables, trials=kept.reset_index(drop=True)))
    assert few is None or not few.parameters[0].beyond


def test_the_rung_is_where_trials_stopped_and_lanes_count_by_their_own_best(told: Callable[..., Tables]) -> None:
    trials = drawn(2).assign(state=["pruned", "diverged"], pruned_at=[2, np.nan])
    curves = pd.DataFrame(
        {"trial": [0] * 6, "seed": [0, 0, 0, 1, 1, 1], "fold": 0, "epoch": [1, 2, 3] * 2, "mae": [3, 5, 0, 7, 1, 0.0]}
    )
    found = levels(told(trials, [2.0, np.nan], curves=curves))
    assert found.epoch == 2
    assert found.values[0] == 2.0  # the mean of 3 and 1
    assert np.isnan(found.values[1])
    assert found.signed(1)[1] > found.signed(1)[0]
    assert found.signed(-1)[1] > found.signed(-1)[0]


def test_what_breaks_a_limit_counts_among_the_worst(told: Callable[..., Tables]) -> None:
    trials = drawn(3).assign(state=["complete", "infeasible", "diverged"])
    found = levels(told(trials, [2.0, 0.1, np.nan]))
    assert found.values.isna().tolist() == [False, True, True]
    assert (found.signed(1)[1:] > 2.0).all()


def test_what_diverged_is_the_worst(told: Callable[..., Tables]) -> None:
    trials = drawn(120, 4)
    wild = place(trials) > 0.6
    trials["state"] = np.where(wild, "diverged", "complete")
    rng = np.random.default_rng(0)
    tables = told(trials, np.where(wild, np.nan, 1 + rng.normal(0, 0.01, 120)))
    found = ranks(tables)
    assert found.trials == 120
    assert found.parameters[0].name == "rate"
    assert found.parameters[0].beyond
    assert not set(found.best) & set(trials.loc[wild, "number"])


def test_noise_is_not_called_an_effect(told: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch) -> None:
    """Over studies of nothing but noise, no more than 5 % name a parameter that mattered, within this test's error."""
    monkeypatch.setattr(ranked, "REDRAWN", 2)
    monkeypatch.setattr(ranked, "SHUFFLED", 100)
    studies, false = 80, 0
    for seed in range(studies):
        values = 1 + np.random.default_rng(1000 + seed).normal(0, 0.1, 48)
        false += bool(ranks(told(drawn(48, seed), values)).mattered)
    assert false <= binom.ppf(0.995, studies, 0.05)


def learned(count: int, seed: int) -> pd.DataFrame:
    """Trials as a sampler that learns draws them: the last third all near what was good, in whatever was drawn then."""
    rng, trials = np.random.default_rng(seed), drawn(count, seed)
    late = trials["number"] >= 2 * count // 3
    trials.loc[late, "rate"] = 10 ** (4 * np.clip(rng.normal(0.5, 0.08, late.sum()), 0, 1) - 4)
    trials.loc[late, "momentum"] = np.clip(rng.normal(rng.uniform(0.2, 0.8), 0.08, late.sum()), 0, 0.99)
    return trials


def test_what_goes_along_with_a_good_rate_takes_no_credit(
    told: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best trials are late ones, so their momentum differs from all others'; but by chance that this is so."""
    monkeypatch.setattr(ranked, "REDRAWN", 2)
    monkeypatch.setattr(ranked, "SHUFFLED", 100)

    def credited() -> tuple[int, int]:
        found = []
        for seed in range(20):
            trials = learned(96, seed)
            noise = np.random.default_rng(seed).normal(0, 0.01, 96)
            mattered = {one.name for one in ranks(told(trials, 1 + (place(trials) - 0.5) ** 2 + noise)).mattered}
            found.append(("rate" in mattered, "momentum" in mattered))
        rate, momentum = np.sum(found, 0)
        return int(rate), int(momentum)

    rate, momentum = credited()
    assert rate >= 18
    assert momentum <= binom.ppf(0.995, 20, 0.05)
    # without regard to what the others promise momentum would be credited
    monkeypatch.setattr(ranked, "strata", lambda *parts: np.zeros(len(parts[-1])))
    assert credited()[1] > momentum + 5


def test_values_that_are_equal_set_nothing_apart(told: Callable[..., Tables]) -> None:
    assert ranking(told(drawn(40), np.ones(40))) is None
    assert ranking(told(drawn(8), np.arange(8.0))) is None
    (bars, *_) = importance.charts(told(drawn(8), np.arange(8.0)))
    assert isinstance(bars, Blank)
    assert "8 trials" in bars.reason


def test_the_expected_best_of_some_is_the_mean_over_all_ways_to_draw_them() -> None:
    tries = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    for count in range(1, 7):
        every = [min(some) for some in combinations(tries, count)]
        assert expected_best(tries, count) == pytest.approx(np.mean(every))


def test_the_luck_of_a_lead_is_the_share_of_ways_to_deal_the_trials() -> None:
    leader, other = [1.0, 2.0, 3.0, 7.0], [4.0, 5.0, 6.0]
    ways = list(combinations(sorted(leader + other), 4))
    led = [way for way in ways if {1.0, 2.0, 3.0} <= set(way)]
    assert ahead(leader, other) == (3, pytest.approx(len(led) / len(ways)))


def side(label: str, tries: Any) -> Side:
    ordered = np.sort(np.asarray(tries, np.float64))
    return Side(label, pd.DataFrame(), ordered, float(ordered[0]), 0)


def test_more_trials_are_compared_at_equal_numbers() -> None:
    rng = np.random.default_rng(0)
    result = compared([side("often", rng.normal(1, 0.1, 40)), side("rarely", [1.0, 1.1])], Noise(0.03, 20))
    assert result is not None
    (one,) = result[1]
    assert one.of == 2
    assert one.verdict == "tie"
    assert one.behind == pytest.approx(1.0 - expected_best(result[0].tries, 2))
    # the plain difference would have been beyond noise
    assert 1.0 - result[0].tries[0] > Noise(0.03, 20).least


def asked(tables: Tables) -> Finding:
    (told,) = finding_of(tables, KIND)
    assert told in importance.findings(tables)
    return told


def test_a_choice_without_effect_ties_after_its_own_best(told: Callable[..., Tables]) -> None:
    trials = drawn(90, 5)
    # each kind has its best rate elsewhere, and comes as far there
    middle = trials["kind"].map({"l1": 0.3, "l2": 0.5, "huber": 0.7})
    finding = asked(told(trials, 1 + (place(trials) - middle) ** 2, noise=0.01))
    assert finding.verdict == "`kind` makes no difference worth having, each value at its own best."
    assert "fix `kind` at" in finding.step


def test_noise_as_large_as_what_a_search_is_worth_tells_of_no_choice(told: Callable[..., Tables]) -> None:
    trials = drawn(90, 5)
    middle = trials["kind"].map({"l1": 0.3, "l2": 0.5, "huber": 0.7})
    finding = asked(told(trials, 1 + (place(trials) - middle) ** 2, noise=0.2))
    assert finding.verdict == "Whether `kind` matters cannot be told from 90 trials."
    assert "fix" not in finding.step
    assert "may hide in the noise" in finding.evidence


def test_what_sets_the_best_apart_is_not_called_no_difference(told: Callable[..., Tables]) -> None:
    """Whoever matters by the ranks of trials is not fixed because the best of each value are within noise."""
    trials = drawn(60, 5)
    worse = trials["kind"].map({"l1": 0.3, "l2": 0.0, "huber": 0.3})
    finding = asked(told(trials, 1 + worse + place(trials) / 100, noise=0.3))
    assert finding.verdict == "Which `kind` is best cannot be told yet."
    assert "fix" not in finding.step
    few = {**RATE, "role": "scientific"}
    (of_rate,) = finding_of(told(drawn(18, 5), 1 + place(drawn(18, 5)), noise=0.3, space=[few]), few)
    assert of_rate.verdict == "Which `rate` is best cannot be told yet."


def test_parts_of_a_range_with_few_trials_each_tell_nothing(told: Callable[..., Tables]) -> None:
    trials, few = drawn(12, 5), {**RATE, "role": "scientific"}
    flat = 1 + np.random.default_rng(1).normal(0, 0.01, 12)
    (finding,) = finding_of(told(trials, flat, noise=0.3, space=[few]), few)
    assert finding.verdict == "Whether `rate` matters cannot be told yet."
    assert finding.step.startswith("Run more trials with ")


def test_a_choice_with_a_large_effect_is_named(told: Callable[..., Tables]) -> None:
    trials = drawn(90, 6)
    worse = trials["kind"].map({"l1": 1.0, "l2": 0.0, "huber": 0.01})
    tables = told(trials, 1 + (place(trials) - 0.5) ** 2 + worse, noise=0.02)
    finding = asked(tables)
    assert finding.verdict == "`kind` matters: l2 is better than l1, each at its own best."
    assert "`kind` with l2 and huber" in finding.step
    alone = asked(told(trials, 1 + (place(trials) - 0.5) ** 2 + worse.replace(0.01, 1.0), noise=0.02))
    assert "l2 is better than" in alone.verdict
    assert "fix `kind` at l2" in alone.step
    # where higher is better the other way round
    turned = asked(replace(tables, trials=tables.trials.assign(value=-tables.trials["value"]), direction="max"))
    assert turned.verdict == finding.verdict


def test_too_few_trials_of_a_choice_are_asked_for(told: Callable[..., Tables]) -> None:
    trials = drawn(40, 7).assign(kind="l2")
    trials.loc[[3, 30], "kind"] = "l1"
    finding = asked(told(trials, np.where(trials["kind"] == "l1", 3.0, 1 + place(trials)), noise=0.01))
    assert finding.verdict == "Whether `kind` matters cannot be told yet."
    assert "Run more trials with l1" in finding.step
    assert "too few to come to their own best" in finding.evidence
    assert "No trial had huber." in finding.evidence
    only = asked(told(drawn(40, 7).assign(kind="l2"), 1 + place(trials), noise=0.01))
    assert only.verdict == "Whether `kind` matters cannot be told yet."
    assert "Only l2" in only.evidence


def test_a_value_whose_trials_were_all_stopped_is_not_judged(told: Callable[..., Tables]) -> None:
    trials = drawn(60, 8)
    trials["state"] = np.where(trials["kind"] == "l1", "pruned", "complete")
    tables = told(trials, 1 + place(trials))
    finding = asked(tables)
    assert "No trial with l1 trained to its end, which is luck in less than 0.01 %" in finding.evidence
    count = (trials["kind"] == "l1").sum()
    lost = f"`kind` matters: l1 lost at the rungs ({count} of {count}); of the others it cannot be told."
    assert finding.verdict == lost
    assert "`kind` with l2 and huber" in finding.step
    by_label = {one.label: one for one in sides(tables, KIND)}
    assert by_label["l1"].best is None
    assert by_label["l2"].best == tables.trials.loc[trials["kind"] == "l2", "value"].min()


def test_one_trial_that_was_stopped_is_no_loss_of_its_value(told: Callable[..., Tables]) -> None:
    trials = drawn(60, 8)
    trials.loc[trials["kind"] == "huber", "kind"] = "l2"
    trials.loc[7, "kind"] = "huber"
    trials.loc[[2, 7, 9, 30], "state"] = "pruned"
    finding = asked(told(trials, 1 + place(trials), noise=0.001))
    assert "huber lost at the rungs (1 of 1)" in finding.verdict
    assert not finding.step.startswith("Next, search")


def test_the_luck_of_losing_every_trial_is_the_share_of_ways_to_deal_the_losses() -> None:
    states = ["pruned"] * 4 + ["complete"] * 3
    known = [
        Side(name, pd.DataFrame({"state": part}), np.zeros(len(part)), None, None)
        for name, part in (("a", states[:2]), ("b", states[2:]))
    ]
    ways = list(combinations(range(7), 4))
    assert luck_of_loss(known, known[0]) == pytest.approx(sum({0, 1} <= set(way) for way in ways) / len(ways))


def test_luck_is_not_called_an_effect_of_a_choice(told: Callable[..., Tables]) -> None:
    """Trials differ by far more than the noise of a seed, but not by kind: no more than 5 % say that kind matters."""
    studies, false = 120, 0
    for seed in range(studies):
        trials = drawn(48, seed)
        values = 1 + (place(trials) - 0.5) ** 2 + np.random.default_rng(seed).exponential(0.3, 48)
        result = compared(sides(told(trials, values), KIND), Noise(0.001, 20))
        assert result is not None
        false += any(one.verdict == "worse" for one in result[1])
    assert false <= binom.ppf(0.995, studies, 0.05)


def test_a_range_is_parted_in_the_scale_of_the_search(told: Callable[..., Tables]) -> None:
    trials = drawn(60)
    found = sides(told(trials, np.ones(60)), {**RATE, "role": "scientific"})
    assert [one.label for one in found][:2] == ["0.0001 to 0.00046", "0.00046 to 0.0022"]
    assert sum(len(one.tries) for one in found) == 60
    assert found[0].trials["rate"].max() <= 10 ** (-4 + 4 / 6)
    whole = sides(told(trials, np.ones(60)), {"name": "layers", "type": "int", "low": 1, "high": 5})
    assert [one.label for one in whole] == ["1", "2", "3", "4", "5"]
    (delta,) = [sides(told(trials, np.ones(60)), DELTA)]
    assert sum(len(one.tries) for one in delta) == (trials["kind"] == "huber").sum()


def test_an_interaction_is_seen_on_the_map(told: Callable[..., Tables]) -> None:
    rng = np.random.default_rng(0)
    at = rng.random((150, 2))
    surface = smoothed(at, 1 + 4 * (at.sum(1) - 1) ** 2 + rng.normal(0, 0.05, 150))
    assert surface.explained > 0.8
    low, high = surface(np.array([[0.2, 0.8], [0.5, 0.5], [0.8, 0.2]])), surface(np.array([[0.2, 0.2], [0.8, 0.8]]))
    assert low.max() < high.min() - 0.5
    assert not surface.near(np.array([[2.0, 2.0]]))[0]
    trials = drawn(150, 9)
    tables = told(trials, 1 + 4 * (place(trials) + trials["momentum"] / 0.99 - 1) ** 2)
    (drawn_map,) = [one for one in importance.charts(tables) if "rate" in one.title and "momentum" in one.title]
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
    (hang,) = [one for one in importance.findings(tables) if "depends on" in one.verdict]
    assert "`rate`" in hang.verdict
    assert "`momentum`" in hang.verdict
    assert re.fullmatch("Change `\\w+` and `\\w+` together, never one after the other.", hang.step)


def test_what_acts_alone_is_not_called_an_interaction() -> None:
    """Of studies in which each acts by itself no more than 5 % say so, within this test's error."""
    studies, false = 400, 0
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        at = rng.random((48, 2)) ** 1.5
        values = 1 + 2 * np.abs(at[:, 0] - 0.6) + (at[:, 1] > 0.7) + rng.normal(0, 0.2 + 0.2 * at[:, 0])
        chance = product(at, values)
        assert chance is not None
        false += chance <= 0.05
    assert false <= binom.ppf(0.995, studies, 0.05)
    valley = 1 + 2 * (at.sum(1) - 1) ** 2 + rng.normal(0, 0.05, 48)
    assert (product(at, valley) or 1.0) < 1e-6
    assert product(at[:, [0, 0]], valley) is None


def test_noise_has_no_map() -> None:
    """The window is then as wide as can be, and no better than the mean but by luck."""
    explained = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        explained.append(smoothed(rng.random((60, 2)), rng.normal(0, 1, 60)).explained)
    assert np.median(explained) <= 0.02
    assert max(explained) < 0.25


def mapped(tables: Tables) -> Chart | Blank:
    (one,) = maps(tables, levels(tables), [(RATE, MOMENTUM)])
    assert isinstance(one, (Chart, Blank))
    return one


def test_a_surface_that_foretells_next_to_nothing_is_not_drawn(told: Callable[..., Tables]) -> None:
    trials = drawn(150, 9)
    # the layers set trials far apart, the rate hardly
    tables = told(trials, 1 + trials["layers"] % 2 + 0.5 * place(trials))
    _, at, values = both(tables, levels(tables), RATE, MOMENTUM)
    assert 0 < smoothed(at, values).explained < 0.1
    shown = mapped(tables)
    assert isinstance(shown, Blank)
    assert "as if by chance" in shown.reason


def test_a_surface_that_is_bad_at_the_winner_is_not_drawn(told: Callable[..., Tables]) -> None:
    trials = drawn(150, 9)
    values = 1 + 4 * (place(trials) + trials["momentum"] / 0.99 - 1) ** 2
    assert isinstance(mapped(told(trials, values)), Chart)
    values[values.idxmax()] = 0.99
    shown = mapped(told(trials, values))
    assert isinstance(shown, Blank)
    assert "leads astray" in shown.reason


@pytest.fixture(scope="module")
def large(study_of: Callable[[int], Tables]) -> Tables:
    return study_of(1000)


def test_lines_are_few_and_their_ends_are_named(large: Tables) -> None:
    tables = large
    top, figure = best_tenth(tables), lines(tables)
    assert isinstance(figure, Chart)
    drawn = {trial for group in ("best tenth", "other trials") for trial in figure.data[group]["trial"]}
    assert len(drawn) == LINES
    assert set(top) <= drawn
    assert "300 of 1,000 (30 %) of the trials are drawn." in figure.caption
    assert figure.data["best tenth"]["trial"].nunique() == len(top)
    ends = figure.data["ends"]
    rate = ends[ends["row"] == "learning_rate|optimizer"]
    assert rate["text"].tolist() == ["0.0001", "1"]
    assert set(ends.loc[ends["row"] == "kind|schedule", "text"]) == {"constant", "cosine"}
    points = pd.concat([figure.data["best tenth"], figure.data["other trials"]])
    delta = points[points["row"] == "delta|loss.terms.count"].set_index("trial")["at"]
    without = tables.trials.set_index("number")["loss.terms.count.delta"].isna()
    assert ((delta == NONE) == without.reindex(delta.index)).all()
    rest = points[points["row"] != "delta|loss.terms.count"]
    assert rest["at"].between(0, 1).all()


CASES = ["usual", "no trials", "one trial", "all diverged", "single parameter", "hostile names", "classes", "images"]


@pytest.mark.parametrize("case", CASES)
def test_every_study_is_answered_for_every_scientific_parameter(cases: dict[str, Tables], case: str) -> None:
    space = [{**one, "role": "scientific"} for one in cases[case].space]
    tables = replace(cases[case], space=space)
    for finding in importance.findings(tables):
        words = finding.verdict + finding.evidence + finding.step
        assert finding.verdict.endswith(".")
        assert "nan" not in words.lower()
        assert "inf" not in words.lower()
    shown = importance.charts(tables)
    assert shown
    assert len({one.id for one in shown}) == len(shown)
    for one in shown:
        if isinstance(one, Chart):
            assert all(len(rows) for rows in spec(one, 700)["datasets"].values())
        else:
            assert isinstance(one, Blank)
            assert one.reason.endswith(".")
