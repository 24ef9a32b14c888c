"""Optuna's storage as a view of a study."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.search.optuna_storage import Publisher, get_storage_url
from thalweg.search.trials import Outcome, Trial, copy_trial
from thalweg.system.files import UserError


def trial(number: int, rate: float, value: float | None, pruned: int | None = None) -> Trial:
    values = {"optimizer.learning_rate": rate, "optimizer.momentum": 0.5}
    if value is None:
        return Trial(Outcome(number, values, "diverged", (), {1: 2.0}), ())
    seen = {1: 2.0, 2: value}
    if pruned is None:
        return Trial(Outcome(number, values, "complete", (value,), seen, {"bias": 0.5}), ())
    return Trial(Outcome(number, values, "pruned", (value,), seen, {}), (), pruned)


def stored(name: str) -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.RDBStorage(get_storage_url())
    found = optuna.load_study(study_name=name, storage=storage).get_trials()
    storage.remove_session()
    storage.engine.dispose()
    return found


def test_cohorts_are_added_in_order(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    config = config.replace_values({"study.name": "rates é"})
    trials = [trial(0, 0.01, 1.5), trial(1, 0.05, None), trial(2, 0.02, 1.25), trial(3, 0.03, 1.75, pruned=2)]
    trials.append(copy_trial(trials[2], 4, trials[2].outcome.values))
    for _ in range(2):
        with Publisher(config, "abcdef0123") as publisher:
            publisher.on_cohort(trials[:2])
            publisher.on_cohort(trials)
    found = stored("rates é abcdef")
    assert [one.number for one in found] == [0, 1, 2, 3, 4]
    assert [one.state.name for one in found] == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED", "COMPLETE"]
    assert [one.user_attrs for one in found] == [{}, {}, {}, {}, {"same_as": 2}]
    assert (found[4].value, found[4].params) == (found[2].value, found[2].params)
    assert found[2].value == 1.25
    assert found[2].params == trials[2].outcome.values
    assert found[2].intermediate_values == {1: 2.0, 2: 1.25}
    assert found[2].constraints == {"bias": 0.5}
    assert found[3].intermediate_values == {1: 2.0, 2: 1.75}


def test_storage_matches_optuna(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    outcome = trial(0, 0.01, 1.5).outcome
    with Publisher(config, "abcdef0123") as publisher:
        publisher.on_cohort([Trial(outcome, ())])
    own = optuna.create_study()
    own.add_trial(
        optuna.trial.create_trial(
            value=1.5,
            params=outcome.values,
            distributions=spaces.build_distributions(config),
            intermediate_values=dict(outcome.intermediate),
            system_attrs={"constraints:bias": 0.5},
        )
    )
    (found,), (wanted,) = stored(f"{config.study.name} abcdef"), own.trials
    for part in ("number", "state", "values", "params", "distributions", "intermediate_values", "system_attrs"):
        assert getattr(found, part) == getattr(wanted, part)
    assert found.datetime_complete is not None
    assert found.datetime_complete
    assert found.datetime_start
    assert found.datetime_complete >= found.datetime_start


def test_storage_url_from_environment(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'other.db'}")
    with Publisher(config, "abcdef0123") as publisher:
        publisher.on_cohort([trial(0, 0.01, 1.5)])
    assert (tmp_path / "other.db").exists()


def test_unwritable_storage_is_explained(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(UserError, match=r"cannot be written: .*the study resumes where it stopped"):  # noqa: SIM117
        with Publisher(config, "abcdef0123") as publisher:
            publisher.on_cohort([trial(0, 0.01, 1.5)])


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, on this machine's loopback."""
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    programs, folder = Path(found).parent, Path(tempfile.mkdtemp(prefix="thalweg-postgres-"))
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: object) -> None:
        subprocess.run([str(part) for part in command], user=user, cwd=folder, check=True, capture_output=True)

    run(found, "--pgdata", folder / "data", "--username", "thalweg", "--auth", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = (programs / "pg_ctl", "--pgdata", folder / "data", "--wait")
    run(*control, "--log", folder / "log", "--options", options, "start")
    yield f"postgresql+psycopg://thalweg@127.0.0.1:{port}/postgres"
    run(*control, "--mode", "immediate", "stop")
    shutil.rmtree(folder)


def test_storage_may_be_a_server(
    postgres: str, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", postgres)
    trials = [trial(0, 0.01, 1.5), trial(1, 0.05, None), trial(2, 0.03, 1.75, pruned=2)]
    for known in (2, 3):
        with Publisher(config, "abcdef0123") as publisher:
            publisher.on_cohort(trials[:known])
    found = stored(f"{config.study.name} abcdef")
    assert [one.state.name for one in found] == ["COMPLETE", "PRUNED", "PRUNED"]
    assert found[2].intermediate_values == {1: 2.0, 2: 1.75}
