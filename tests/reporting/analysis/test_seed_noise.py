"""What the tables say of seeds and their noise, against closed answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from thalweg.reporting.analysis.seed_noise import (
    difference_by_seed,
    estimate_seed_noise,
    find_failed_runs,
    find_smallest_effect,
)
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sentences import describe_noise
from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import SeedNoise

ROOT_2: Any = pytest.approx(np.sqrt(2))
DEVIATION: Any = pytest.approx(np.sqrt(4 / 3))


def test_differences_pair_by_seed() -> None:
    runs = pd.DataFrame(
        {
            "candidate": ["winner", "baseline", "baseline", "winner", "winner"],
            "seed": [2, 1, 2, 1, 3],
            "test_mae": [1.0, 5.0, 4.0, 2.0, 9.0],
        }
    )
    assert difference_by_seed(runs, "test_mae", "winner").to_dict() == {1: -3.0, 2: -3.0}
    assert difference_by_seed(runs, "test_rmse", "winner").empty


def test_noise_pools_best_trials(counting_study: StudyTables) -> None:
    names = ["winner"] * 3 + ["runner-up 1"] * 2 + ["baseline"] * 2
    runs = pd.DataFrame({"candidate": names, "validation_mae": [1.0, 2.0, 3.0, 10.0, 12.0, 0.0, 900.0]})
    # variances 1 (2 degrees of freedom) and 2 (1): (2 * 1 + 1 * 2) / 3
    tables = replace(counting_study, runs=runs, params={"study": {"seeds": 1}})
    assert estimate_seed_noise(tables) == SeedNoise(DEVIATION, 3)
    fewer = estimate_seed_noise(replace(tables, params={"study": {"seeds": 4}}))
    assert fewer is not None
    assert fewer.std == pytest.approx(np.sqrt(1 / 3))
    assert estimate_seed_noise(replace(tables, runs=pd.DataFrame())) is None


def test_shared_seeds_exclude_common_effect(counting_study: StudyTables) -> None:
    luck, residuals = np.array([0.0, 5.0, -3.0, 9.0]), np.array([[1.0, -1.0, 0.0, 0.0], [-1.0, 1.0, 0.0, 0.0]])
    runs = pd.DataFrame(
        [{"candidate": name, "seed": seed, "validation_mae": level + luck[seed] + residuals[place, seed]}
         for place, (name, level) in enumerate((("winner", 1.0), ("runner-up 1", 2.0))) for seed in range(4)]
    )  # fmt: skip
    runs = pd.concat([runs, runs.head(4).assign(candidate="baseline", validation_mae=[0.0, 900.0, 3.0, 7.0])])
    tables = replace(counting_study, runs=runs, params={"study": {"seeds": 1}})
    # residuals 1, 1, 1, 1 over (2 - 1)(4 - 1) degrees of freedom; paired where the file says nothing else
    # the means of seeds vary by their luck and by half of a residual's variance
    limit = np.sqrt(luck.var(ddof=1) * 3 / stats.chi2.ppf(0.1, 3) - 4 / 3 / 2)
    noise = estimate_seed_noise(tables)
    assert noise is not None
    assert (noise.std, noise.dof, noise.excludes_shared) == (DEVIATION, 3, True)
    assert noise.shared_limit == pytest.approx(limit)
    apart = estimate_seed_noise(replace(tables, params={"study": {"seeds": 1, "randomness": "independent"}}))
    assert apart is not None
    assert (apart.dof, apart.excludes_shared) == (6, False)
    assert apart.std > 4
    diverged = runs.assign(diverged_step=np.where((runs["seed"] == 3) & (runs["candidate"] == "winner"), 5.0, np.nan))
    fewer = estimate_seed_noise(replace(tables, runs=diverged))
    assert fewer is not None
    assert fewer.dof == 2
    alone = estimate_seed_noise(replace(tables, runs=runs[runs["candidate"] == "winner"]))
    assert alone is not None
    assert not alone.excludes_shared
    assert "What a seed does to all trials alike is left out" in describe_noise(fewer, "error")
    assert describe_noise(apart, "error").startswith("One trial's error on the validation set varies")


def test_noise_ignores_other_runs(counting_study: StudyTables) -> None:
    params = {"training": {"epochs": 16}, "confirm": {"epochs": 16}, "study": {"randomness": "independent"}}
    assert estimate_seed_noise(replace(counting_study, params=params)) == estimate_seed_noise(counting_study)
    assert estimate_seed_noise(replace(counting_study, params=params | {"confirm": {"epochs": 32}})) is None
    runs = counting_study.runs.assign(diverged_step=np.nan)
    runs.loc[runs.index[-1], ["validation_mae", "diverged_step"]] = [900.0, 3.0]
    noise = estimate_seed_noise(replace(counting_study, runs=runs))
    assert noise is not None
    assert noise.std < 0.1
    assert noise.dof == 20


def test_noise_ignores_best_trials_of_weak_values(counting_study: StudyTables) -> None:
    """Trials 0 to 2 are the study's best; trial 5 was retrained for its loss, and trial 9 won for its own."""
    trials = pd.DataFrame(
        {"number": range(10), "state": "complete", "value": np.arange(10.0), "kind": ["l1", "l2"] * 5}
    )
    values = {0: [1.0, 3.0], 1: [1.0, 3.0], 2: [1.0, 3.0], 5: [0.0, 90.0], 9: [2.0, 4.0]}
    names = {0: "runner-up 1", 1: "runner-up 2", 2: "runner-up 3", 5: "runner-up 4", 9: "winner"}
    runs = pd.DataFrame([{"candidate": names[trial], "trial": trial, "validation_mae": value}
                         for trial, pair in values.items() for value in pair])  # fmt: skip
    kind = SearchedParameter("kind", choices=("l1", "l2"))
    tables = replace(counting_study, trials=trials, runs=runs, space=[kind], params={"study": {"seeds": 1}})
    asking = replace(tables, space=[replace(kind, role="scientific")])
    noise = estimate_seed_noise(asking)
    assert noise == SeedNoise(ROOT_2, 4)
    other = estimate_seed_noise(tables)
    assert other is not None
    assert other.dof == 5


def test_unsteady_trial_leaves_smallest_effect(counting_study: StudyTables) -> None:
    """Deviations of 1, 2 and 50: the smallest effect is 2, or the user's."""
    values = {"winner": [1.0, 2.0, 3.0], "runner-up 1": [1.0, 3.0, 5.0], "runner-up 2": [0.0, 50.0, 100.0]}
    runs = pd.DataFrame([{"candidate": name, "seed": seed, "validation_mae": value}
                         for name, three in values.items() for seed, value in enumerate(three)])  # fmt: skip
    tables = replace(counting_study, runs=runs, params={"study": {"seeds": 1}})
    assert find_smallest_effect(tables) == 2.0
    assert find_smallest_effect(replace(tables, params={"study": {"smallest_effect": 0.5}})) == 0.5
    assert find_smallest_effect(replace(tables, runs=runs.groupby("candidate").head(1))) is None


def build_two_candidates(last: float) -> pd.DataFrame:
    """Two candidates on 5 seeds, the last seed of the second one as given."""
    values = [2.45, 2.60, 2.64, 2.70, 2.82, 2.43, 2.55, 2.60, 2.66, last]
    names = ["winner"] * 5 + ["runner-up 1"] * 5
    return pd.DataFrame({"candidate": names, "seed": [*range(5)] * 2, "validation_mae": values})


def test_failed_seed_is_no_noise(counting_study: StudyTables) -> None:
    for randomness in ("paired", "independent"):
        params = {"study": {"seeds": 1, "randomness": randomness}}
        sound, bad = (
            estimate_seed_noise(replace(counting_study, runs=build_two_candidates(last), params=params))
            for last in (2.75, 4.52)
        )
        assert sound is not None
        assert bad is not None
        assert bad.std < 1.5 * sound.std
        assert bad.dof == sound.dof - 1


def test_failed_seed_is_far_worse() -> None:
    assert find_failed_runs(build_two_candidates(4.52), "validation_mae", 1).tolist() == [False] * 9 + [True]
    assert not find_failed_runs(build_two_candidates(2.9), "validation_mae", 1).any()
    assert not find_failed_runs(build_two_candidates(0.5), "validation_mae", 1).any()
    assert find_failed_runs(build_two_candidates(0.5), "validation_mae", -1).sum() == 1
    # two of five are no accident
    assert not find_failed_runs(build_two_candidates(4.52).replace({2.66: 4.4}), "validation_mae", 1).any()
    assert not find_failed_runs(build_two_candidates(4.52).query("seed > 1"), "validation_mae", 1).any()


SHAPES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "normal": lambda rng: rng.normal(size=(3, 8)),
    "exponential": lambda rng: rng.exponential(size=(3, 8)),
    "lognormal": lambda rng: np.exp(rng.normal(size=(3, 8))),
    "one far noisier": lambda rng: rng.normal(size=(3, 8)) * [[1], [1], [10]],
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_failed_seed_false_positives_skewed(shape: str) -> None:
    rng, names = np.random.default_rng(0), np.repeat(["winner", "runner-up 1", "baseline"], 8)
    draws = (pd.DataFrame({"candidate": names, "validation_mae": SHAPES[shape](rng).ravel()}) for _ in range(200))
    assert sum(find_failed_runs(runs, "validation_mae", 1).any() for runs in draws) <= 6


def test_failed_seed_false_positives_normal() -> None:
    rng, names, called = np.random.default_rng(0), ["winner"] * 5 + ["runner-up 1"] * 5, 0
    for _ in range(300):
        runs = pd.DataFrame({"candidate": names, "validation_mae": rng.normal(size=10)})
        called += bool(find_failed_runs(runs, "validation_mae", 1).any())
    assert called <= 9
