"""Trials to publish, and what Optuna's storage has of a study."""

import os
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages._rdb import models
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.helpers import small_study
from thalweg.search import optuna_storage
from thalweg.search.trials import Outcome, Trial

FINGERPRINT = "abcdef0123456789"


def build_trial(number: int, rate: float, value: float | None, pruned: int | None = None) -> Trial:
    values = {"optimizer.learning_rate": rate, "optimizer.momentum": 0.5}
    if value is None:
        return Trial(Outcome(number, values, "diverged", (), {1: 2.0}), ())
    intermediate_values = {1: 2.0, 2: value}
    if pruned is None:
        return Trial(Outcome(number, values, "complete", (value,), intermediate_values, {"bias": 0.5}), ())
    return Trial(Outcome(number, values, "pruned", (value,), intermediate_values, {}), (), pruned)


def build_trials(count: int) -> list[Trial]:
    return [build_trial(number, 0.01, 1.0 + number) for number in range(count)]


def open_storage(url: str | None = None) -> optuna.storages.RDBStorage:
    url = url or os.environ.get("THALWEG_STORAGE") or "sqlite:///.thalweg/studies.db"
    text = url.replace("{", "{{").replace("}", "}}")
    return optuna.storages.RDBStorage(text, {"poolclass": NullPool})


def load_trials(name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=open_storage()).get_trials()


def load_numbers(name: str) -> list[int]:
    """Return the number of each row; Optuna itself shows one of the rows that have the same number."""
    rows = select(models.TrialModel.number).join(models.StudyModel).where(models.StudyModel.study_name == name)
    with Session(open_storage().engine) as session:
        return list(session.scalars(rows.order_by(models.TrialModel.trial_id)))


def wait_until(is_true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def slow_down(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass between what a process reads and what it writes, so that two of them would meet there."""
    build = optuna_storage._build_trial_models

    def build_slowly(*arguments: Any) -> Any:
        time.sleep(seconds)
        return build(*arguments)

    monkeypatch.setattr(optuna_storage, "_build_trial_models", build_slowly)


def publish_all(folder: Path, ready: Barrier) -> None:
    """Publish 8 trials in cohorts of 2, as a process of another clone does, in step with the others."""
    os.chdir(folder)
    slow_down(pytest.MonkeyPatch(), 0.2)
    trials = build_trials(8)
    ready.wait()
    study = optuna_storage.open_study(small_study.CONFIG, FINGERPRINT)
    for count in range(2, 9, 2):
        ready.wait()
        optuna_storage.add_trials(study, small_study.CONFIG, [trial.outcome for trial in trials[:count]])
