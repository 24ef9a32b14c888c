"""The user's study: who its candidates are, and what its attribute keeps."""

import json
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from tests.helpers.objective_study import DEFAULT, load, write_study
from thalweg.duel.objective import study as stored
from thalweg.duel.objective.study import FIRST_SEED, RUNS, Candidate, StoredRun
from thalweg.system.files import UserError


def build_study(*values: float | None, **options: object) -> optuna.Study:
    """A study in memory whose trial n has the rate n and this value; None failed."""
    study = optuna.create_study(**options)  # type: ignore[arg-type]
    distribution = optuna.distributions.FloatDistribution(0, 100)
    for number, value in enumerate(values):
        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        trial = optuna.trial.create_trial(
            state=state, value=value, params={"rate": float(number)}, distributions={"rate": distribution}
        )
        study.add_trial(trial)
    return study


@pytest.mark.parametrize(("direction", "best"), [("minimize", [3, 1]), ("maximize", [0, 4])])
def test_best_settings_come_first(direction: str, best: list[int]) -> None:
    study = build_study(5.0, 2.0, None, 1.0, 3.0, direction=direction)
    assert [each.trial for each in stored.list_best(study, 2)] == best


def test_repeated_setting_has_its_mean() -> None:
    """Trial 0 was lucky: with its repeat it has a mean of 3, behind trial 1."""
    study = build_study(1.0, 2.0)
    again = optuna.trial.create_trial(
        value=5.0, params={"rate": 0.0}, distributions={"rate": optuna.distributions.FloatDistribution(0, 100)}
    )
    study.add_trial(again)
    assert [each.trial for each in stored.list_best(study, 3)] == [1, 0]


def test_broken_limit_is_no_candidate() -> None:
    study = build_study(2.0)
    study.add_trial(
        optuna.trial.create_trial(
            value=1.0,
            params={"rate": 1.0},
            distributions={"rate": optuna.distributions.FloatDistribution(0, 100)},
            system_attrs={"constraints": [0.5]},
        )
    )
    assert [each.trial for each in stored.list_best(study, 2)] == [0]


def test_default_is_the_first_enqueued_or_the_given_one(tmp_path: Path) -> None:
    study = load(write_study(tmp_path))
    assert stored.find_default(study, None) == Candidate(0, DEFAULT)
    assert stored.find_default(study, {"rate": 0.25}) == Candidate(None, {"rate": 0.25})
    assert stored.find_default(study, DEFAULT) == Candidate(0, DEFAULT)
    assert stored.find_default(build_study(1.0), None) is None


def test_fresh_seeds_are_no_trials() -> None:
    study = build_study(1.0, 2.0)
    study.ask().set_user_attr("seed", FIRST_SEED + 1)
    assert stored.list_fresh_seeds(study, 3) == [FIRST_SEED, FIRST_SEED + 2, FIRST_SEED + 3]
    assert stored.list_fresh_seeds(study, 2) == [FIRST_SEED, FIRST_SEED + 2]


def test_runs_are_read_as_written() -> None:
    study = build_study(1.0, 2.0)
    first, default = Candidate(0, {"rate": 0.0}), Candidate(None, {"rate": 7.0})
    runs = [StoredRun(first, 1000, 0.5), StoredRun(first, 1001, None), StoredRun(default, 1000, 0.75)]
    stored.write_runs(study, "study.log", runs, {first.key: ["winner"], default.key: ["baseline"]})
    assert stored.read_runs(study) == runs
    row = study.user_attrs[RUNS][1]
    assert row == {"candidate": "winner", "trial": 0, "params": {"rate": 0.0}, "seed": 1001, "value": None}
    json.dumps(study.user_attrs[RUNS], allow_nan=False)


def test_runs_of_a_trial_need_no_params() -> None:
    study = build_study(1.0)
    study.set_user_attr(RUNS, [{"candidate": "winner", "trial": 0, "seed": 1000, "value": 0.5}])
    assert stored.read_runs(study) == [StoredRun(Candidate(0, {"rate": 0.0}), 1000, 0.5)]
    study.set_user_attr(RUNS, [{"candidate": "baseline", "trial": None, "seed": 1000, "value": 0.5}])
    with pytest.raises(UserError, match="cannot be read"):
        stored.read_runs(study)


def test_journal_is_opened_by_path_and_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = optuna.storages.JournalStorage(JournalFileBackend("study.log"))
    optuna.create_study(storage=storage, study_name="one")
    for url in ("study.log", "journal:///study.log", f"journal://{tmp_path}/study.log"):
        assert stored.open_study(url, None).study_name == "one"
    optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"])
    with pytest.raises(UserError, match="--study: name one of one, two"):
        stored.open_study("study.log", None)
    with pytest.raises(UserError, match="'two' has 2 objectives"):
        stored.open_study("study.log", "two")


def test_wrong_storages_have_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no file appears, or changes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.db").touch()
    (tmp_path / "notes.txt").write_text("no database")
    faults = {
        "sqlite:///gone.db": "gone.db: no such file",
        "gone.log": "gone.log: no such file",
        "sqlite:///empty.db": "empty.db cannot be used: no such table",
        "sqlite:///notes.txt": "notes.txt cannot be used: file is not a database",
        "notes.txt": "there is no study",
        "sqlite://": "names no file",
        "nonsense://host": 'names the database system "nonsense", which SQLAlchemy does not know',
    }
    for url, message in faults.items():
        with pytest.raises(UserError, match=f"--optuna.*{message}"):
            stored.open_study(url, None)
    assert (tmp_path / "empty.db").stat().st_size == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "notes.txt"]
