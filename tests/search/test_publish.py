"""Optuna's storage as a view of a study."""

import optuna
import pytest

from pipeline.io import UserError
from pipeline.search.publish import Publisher, url
from pipeline.search.trials import Outcome, Trial


def trial(number: int, rate: float, value: float | None, pruned: int | None = None) -> Trial:
    values = {"optimizer.learning_rate": rate, "optimizer.momentum": 0.5}
    if value is None:
        return Trial(Outcome(number, values, "diverged", (), {1: 2.0}), ())
    state, limits = ("complete", {"bias": 0.5}) if pruned is None else ("pruned", {})
    return Trial(Outcome(number, values, state, (value,), {1: 2.0, 2: value}, limits), (), pruned)


def stored(name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=url()).get_trials()


def test_each_cohort_is_added_once_in_order(config, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    config = config.replace({"study.name": "rates é"})
    trials = [trial(0, 0.01, 1.5), trial(1, 0.05, None), trial(2, 0.02, 1.25), trial(3, 0.03, 1.75, pruned=2)]
    for _ in range(2):
        with Publisher(config, "abcdef0123") as publisher:
            publisher.cohort(trials[:2])
            publisher.cohort(trials)
    found = stored("rates é abcdef")
    assert [one.number for one in found] == [0, 1, 2, 3]
    assert [one.state.name for one in found] == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED"]
    assert found[2].value == 1.25
    assert found[2].params == trials[2].outcome.values
    assert found[2].intermediate_values == {1: 2.0, 2: 1.25}
    assert found[2].constraints == {"bias": 0.5}
    assert found[3].intermediate_values == {1: 2.0, 2: 1.75}


def test_the_storage_may_be_named_in_the_environment(config, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'other.db'}")
    with Publisher(config, "abcdef0123") as publisher:
        publisher.cohort([trial(0, 0.01, 1.5)])
    assert (tmp_path / "other.db").exists()


def test_a_storage_that_cannot_be_written_is_told_plainly(config, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(UserError, match=r"cannot be written: .*the study goes on where it was"):  # noqa: SIM117
        with Publisher(config, "abcdef0123") as publisher:
            publisher.cohort([trial(0, 0.01, 1.5)])
