"""Which parameters mattered, against studies in which that is known."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.helpers.five_parameters import build_importance, compute_rate_position, draw_trials, rank_parameters
from thalweg.reporting.analysis import importance as ranked
from thalweg.reporting.tables import StudyTables


def test_share_equal_to_chance_is_unimportant() -> None:
    assert not build_importance("rate", 0.0521, 0.0519).is_important
    assert build_importance("rate", 0.07, 0.05).is_important


def test_conditional_parameter_uses_its_trials(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(300, 1)
    active = trials["kind"] == "huber"
    tables = build_study(
        trials, np.where(active, 1 + (np.log10(trials["delta"]) - 0.5).abs(), 1.5 + compute_rate_position(trials) / 10)
    )
    (delta,) = (parameter for parameter in rank_parameters(tables).parameters if parameter.name == "delta")
    assert delta.trials == active.sum()
    assert delta.is_important
    # of the huber trials alone all are alike: that these are the best says nothing of their delta
    alike = build_study(trials, np.where(active, 1.0, 2.0) + np.random.default_rng(0).normal(0, 0.05, 300))
    names = {parameter.name: parameter.is_important for parameter in rank_parameters(alike).parameters}
    assert names["kind"]
    assert not names["delta"]


def test_diverged_trials_rank_worst(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(120, 4)
    wild = compute_rate_position(trials) > 0.6
    trials["state"] = np.where(wild, "diverged", "complete")
    rng = np.random.default_rng(0)
    tables = build_study(trials, np.where(wild, np.nan, 1 + rng.normal(0, 0.01, 120)))
    ranking = rank_parameters(tables)
    assert ranking.trial_count == 120
    assert ranking.parameters[0].name == "rate"
    assert ranking.parameters[0].is_important
    assert not set(ranking.best_trials) & set(trials.loc[wild, "number"])


@pytest.mark.slow
def test_importance_false_positive_rate(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over studies of nothing but noise, no more than 5 % name a parameter that mattered, within this test's error."""
    monkeypatch.setattr(ranked, "BOOTSTRAPS", 2)
    monkeypatch.setattr(ranked, "PERMUTATIONS", 100)
    studies, false = 80, 0
    for seed in range(studies):
        values = 1 + np.random.default_rng(1000 + seed).normal(0, 0.1, 48)
        false += bool(rank_parameters(build_study(draw_trials(48, seed), values)).important_parameters)
    assert false <= binom.ppf(0.995, studies, 0.05)


def draw_learned_trials(count: int, seed: int) -> pd.DataFrame:
    """Trials as a sampler that learns draws them: the last third all near what was good, in whatever was drawn then."""
    rng, trials = np.random.default_rng(seed), draw_trials(count, seed)
    late = trials["number"] >= 2 * count // 3
    trials.loc[late, "rate"] = 10 ** (4 * np.clip(rng.normal(0.5, 0.08, late.sum()), 0, 1) - 4)
    trials.loc[late, "momentum"] = np.clip(rng.normal(rng.uniform(0.2, 0.8), 0.08, late.sum()), 0, 0.99)
    return trials


def test_correlated_parameter_gets_no_credit(
    build_study: Callable[..., StudyTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best trials are late ones, so their momentum differs from all others'; but by chance that this is so."""
    monkeypatch.setattr(ranked, "BOOTSTRAPS", 2)
    monkeypatch.setattr(ranked, "PERMUTATIONS", 100)

    def count_credits() -> tuple[int, int]:
        flags = []
        for seed in range(20):
            trials = draw_learned_trials(96, seed)
            noise = np.random.default_rng(seed).normal(0, 0.01, 96)
            mattered = {
                parameter.name
                for parameter in rank_parameters(
                    build_study(trials, 1 + (compute_rate_position(trials) - 0.5) ** 2 + noise)
                ).important_parameters
            }
            flags.append(("rate" in mattered, "momentum" in mattered))
        rate, momentum = np.sum(flags, 0)
        return int(rate), int(momentum)

    rate, momentum = count_credits()
    assert rate >= 18
    assert momentum <= binom.ppf(0.995, 20, 0.05)
    # without regard to what the others promise momentum would be credited
    monkeypatch.setattr(ranked, "stratify_trials", lambda *parts: np.zeros(len(parts[-1])))
    assert count_credits()[1] > momentum + 5
