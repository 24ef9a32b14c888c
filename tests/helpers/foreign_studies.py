"""Studies that other programs ran, as Optuna keeps them."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.pool import NullPool

RATE = FloatDistribution(1e-4, 1.0, log=True)
DEPTH = IntDistribution(1, 8)
KIND = CategoricalDistribution(["a", "b", "c"])
SPACE: dict[str, BaseDistribution] = {"lr": RATE, "depth": DEPTH, "kind": KIND}


def draw_params(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "lr": float(10 ** rng.uniform(-4, 0)),
        "depth": int(rng.integers(1, 9)),
        "kind": str(rng.choice(["a", "b"])),
    }


def compute_value(params: Mapping[str, Any]) -> float:
    """The value of a setting, at its best for a rate of 0.01."""
    return float((np.log10(params["lr"]) + 2) ** 2 + (params["kind"] == "a") * 0.5)


def build_trial(
    params: Mapping[str, Any],
    *values: float,
    state: TrialState | None = None,
    space: Mapping[str, BaseDistribution] = SPACE,
    **more: Any,
) -> FrozenTrial:
    """Build a trial; without values it has failed, unless another state is given."""
    return optuna.trial.create_trial(
        state=state or (TrialState.COMPLETE if values else TrialState.FAIL),
        values=list(values) or None,
        params=dict(params),
        distributions={name: space[name] for name in params},
        **more,
    )


def draw_trials(count: int, seed: int = 0, noise: float = 0.05) -> list[FrozenTrial]:
    """Draw complete trials from the whole space."""
    rng = np.random.default_rng(seed)
    settings = [draw_params(rng) for _ in range(count)]
    return [build_trial(params, compute_value(params) + noise * rng.normal()) for params in settings]


def store_study(
    url: str | Path,
    trials: Sequence[FrozenTrial],
    name: str = "theirs",
    directions: Sequence[Literal["minimize", "maximize"]] = ("minimize",),
    metrics: Sequence[str] = (),
) -> optuna.Study:
    """Store a study under a URL, or in a journal at a path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage: BaseStorage
        if isinstance(url, Path):
            storage = JournalStorage(JournalFileBackend(str(url)))
        else:
            storage = RDBStorage(url.replace("{", "{{").replace("}", "}}"), {"poolclass": NullPool})
        study = optuna.create_study(study_name=name, storage=storage, directions=[*directions])
        study.add_trials(trials)
        if metrics:
            study.set_metric_names([*metrics])
    return study
