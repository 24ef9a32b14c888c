"""Trials to publish, and what Optuna's storage has of a study."""

import os
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import optuna
from sqlalchemy.pool import NullPool

from tests.helpers import small_study
from thalweg.search.optuna_storage import add_trials, open_study
from thalweg.search.trials import Outcome, Trial

FINGERPRINT = "abcdef0123456789"


def build_trial(number: int, rate: float, value: float | None, pruned: int | None = None) -> Trial:
    values = {"optimizer.learning_rate": rate, "optimizer.momentum": 0.5}
    if value is None:
        return Trial(Outcome(number, values, "diverged", (), {1: 2.0}), ())
    seen = {1: 2.0, 2: value}
    if pruned is None:
        return Trial(Outcome(number, values, "complete", (value,), seen, {"bias": 0.5}), ())
    return Trial(Outcome(number, values, "pruned", (value,), seen, {}), (), pruned)


def build_trials(count: int) -> list[Trial]:
    return [build_trial(number, 0.01, 1.0 + number) for number in range(count)]


def open_storage(url: str | None = None) -> optuna.storages.RDBStorage:
    url = url or os.environ.get("THALWEG_STORAGE") or "sqlite:///.thalweg/studies.db"
    text = url.replace("{", "{{").replace("}", "}}")
    return optuna.storages.RDBStorage(text, {"poolclass": NullPool})


def load_trials(name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=open_storage()).get_trials()


def load_numbers(name: str) -> list[int]:
    return [trial.number for trial in load_trials(name)]


def wait_until(is_true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def publish_all(folder: Path, ready: Barrier) -> None:
    """Publish 60 trials one by one, as a process of another clone does."""
    os.chdir(folder)
    trials = build_trials(60)
    ready.wait()
    study = open_study(small_study.CONFIG, FINGERPRINT)
    for count in range(1, 61):
        add_trials(study, small_study.CONFIG, [trial.outcome for trial in trials[:count]])
