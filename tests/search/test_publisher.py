"""Whatever happens to Optuna's storage, the study goes on, and later everything is published."""

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import postgres
from tests.helpers.stored_studies import FINGERPRINT, build_trials, load_numbers, wait_until
from thalweg.config.experiment import Config
from thalweg.search import optuna_storage, publisher
from thalweg.search.publisher import Publisher
from thalweg.system import database_url

pytestmark = pytest.mark.usefixtures("empty_folder")
DEFAULT = Path(".thalweg/studies.db")
OUTAGE = "The study goes on; each cohort publishes what is missing.\n"


@pytest.fixture(autouse=True)
def own_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The storage of the folder, given up soon."""
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    monkeypatch.setattr(publisher, "END_SECONDS", 0.5)
    monkeypatch.setattr(database_url, "LOCKED_SECONDS", 0.1)


def publish(config: Config, count: int) -> None:
    """Publish as a study does that starts anew: all its cohorts, from its journal."""
    with Publisher(config, FINGERPRINT) as publisher:
        for trials in range(2, count + 1, 2):
            publisher.on_cohort(build_trials(trials))


def publish_through(
    config: Config, capsys: pytest.CaptureFixture[str], disconnect: Callable[[], None], reconnect: Callable[[], None]
) -> str:
    """Publish cohorts, some while the storage is away; return the warnings of that time."""
    output = ""

    def is_said() -> bool:
        nonlocal output
        output += capsys.readouterr().err
        return OUTAGE in output

    with Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort(build_trials(2))
        wait_until(lambda: publisher._stored == 2)
        disconnect()
        for count in (4, 6, 8):
            publisher.on_cohort(build_trials(count))
            wait_until(is_said)
            time.sleep(0.3)
        reconnect()
        publisher.on_cohort(build_trials(10))
        wait_until(lambda: publisher._stored == 10)
        publisher.on_cohort(build_trials(12))
    output += capsys.readouterr().err
    assert load_numbers(f"{config.study.name} abcdef") == list(range(12))
    return output


def damage_nothing(file: Path) -> None:
    """Leave a good file."""


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100:8000] = bytes(255 - byte for byte in content[100:8000])
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "nothing": damage_nothing,
    "cut": cut,
    "flipped": flip,
    "emptied": lambda file: file.write_bytes(b""),
    "replaced": lambda file: file.write_bytes(b"garbage" * 2000),
    "removed": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("is_running", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_damaged_default_file_is_made_anew(
    config: Config, capsys: pytest.CaptureFixture[str], damage: str, is_running: bool
) -> None:
    if is_running:
        with Publisher(config, FINGERPRINT) as publisher:
            publisher.on_cohort(build_trials(2))
            wait_until(lambda: publisher._stored == 2)
            DAMAGES[damage](DEFAULT)
            publisher.on_cohort(build_trials(6))
    else:
        publish(config, 2)
        DAMAGES[damage](DEFAULT)
        publish(config, 6)
    assert load_numbers(f"{config.study.name} abcdef") == list(range(6))
    aside = Path(".thalweg/studies.damaged-1.db")
    output = capsys.readouterr().err
    if aside.exists():
        assert f"{DEFAULT} is damaged. It is now {aside}; a new file takes its place.\n" in output
    assert aside.exists() == (damage in ("cut", "flipped", "replaced"))


def test_unusable_default_file_stops_nothing(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    DEFAULT.mkdir(parents=True)
    publish(config, 6)
    output = capsys.readouterr().err
    assert output.count(OUTAGE) == 1
    last = output.splitlines()[-1]
    assert last.startswith(f"Optuna's storage lacks 6 of 6 trials: {DEFAULT} cannot be used: unable to open")
    assert f"`thalweg study --trials {config.study.trials}` publishes what is missing" in last
    DEFAULT.rmdir()
    publish(config, 6)
    assert load_numbers(f"{config.study.name} abcdef") == list(range(6))
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_chosen_file_may_be_garbage_for_a_while(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", "sqlite:///chosen.db")
    file, kept = Path("chosen.db"), Path("kept.db")

    def disconnect() -> None:
        shutil.copyfile(file, kept)
        file.write_bytes(b"garbage" * 2000)

    def reconnect() -> None:
        shutil.copyfile(kept, file)

    output = publish_through(config, capsys, disconnect, reconnect)
    assert output == f"THALWEG_STORAGE (sqlite:///chosen.db) cannot be used: file is not a database. {OUTAGE}"


@pytest.mark.slow
def test_file_may_be_locked(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    holder: list[sqlite3.Connection] = []

    def disconnect() -> None:
        holder.append(sqlite3.connect(DEFAULT))
        holder[0].execute("BEGIN EXCLUSIVE")

    output = publish_through(config, capsys, disconnect, lambda: holder[0].close())
    assert output == f"{DEFAULT} cannot be used: database is locked. {OUTAGE}"


def test_end_waits_for_the_storage(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publisher, "END_SECONDS", 20)
    publish(config, 2)
    holder = sqlite3.connect(DEFAULT, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(1, holder.close).start()
    publish(config, 6)
    assert capsys.readouterr().err.count("\n") == 1
    assert load_numbers(f"{config.study.name} abcdef") == list(range(6))


def test_silent_storage_does_not_keep_the_study(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release = threading.Event()
    monkeypatch.setattr(publisher, "STUCK_SECONDS", 0.2)
    monkeypatch.setattr(optuna_storage, "add_trials", lambda *_: release.wait())
    publish(config, 6)
    release.set()
    assert capsys.readouterr().err.startswith("Optuna's storage lacks 6 of 6 trials: it does not answer. The results")


def test_interrupted_study_ends_at_once(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    DEFAULT.mkdir(parents=True)
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt), Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort(build_trials(2))
        raise KeyboardInterrupt
    assert time.monotonic() - began < 2
    assert "lacks" not in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_server_may_go_away(
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    server: postgres.Server,
    ending: str,
) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", server.url)
    config = config.replace_values({"study.name": ending})
    output = publish_through(config, capsys, getattr(server, ending), server.start)
    assert output.count("\n") == 1
    assert "Connection refused" in output
    assert postgres.PASSWORD not in output


@pytest.mark.slow
def test_server_may_restart(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: postgres.Server
) -> None:
    """Between two cohorts, so that nobody notices."""
    monkeypatch.setenv("THALWEG_STORAGE", server.url)
    with Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort(build_trials(2))
        wait_until(lambda: publisher._stored == 2)
        server.stop()
        server.start()
        publisher.on_cohort(build_trials(4))
    assert load_numbers(f"{config.study.name} abcdef") == list(range(4))
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_away_at_the_end_is_published_later(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: postgres.Server
) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", server.url)
    config = config.replace_values({"study.name": "later"})
    with Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort(build_trials(2))
        wait_until(lambda: publisher._stored == 2)
        server.kill()
        publisher.on_cohort(build_trials(6))
    assert "lacks 4 of 6 trials: THALWEG_STORAGE (postgresql" in capsys.readouterr().err
    server.start()
    publish(config, 6)
    assert load_numbers("later abcdef") == list(range(6))
