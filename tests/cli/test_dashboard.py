"""The dashboard starts, or says in one line why it cannot."""

import re
import socket
from pathlib import Path

import pytest

from tests.helpers.dashboard import count_trials, open_dashboard
from tests.helpers.stored_studies import FINGERPRINT, build_trials
from thalweg import cli
from thalweg.config.experiment import Config
from thalweg.search.optuna_storage import add_trials, open_study

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture(autouse=True)
def own_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The storage of the folder."""
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)


def publish(config: Config) -> None:
    add_trials(open_study(config, FINGERPRINT), config, [trial.outcome for trial in build_trials(2)])


@pytest.mark.parametrize(
    ("url", "message"),
    {
        "": r"no study yet; start one",
        "nothing": "is not the URL of a database",
        "postgres://u:hush@h/d": "SQLAlchemy does not know",
        "mysql://u:hush@h/d": "needs a driver",
        "sqlite:///none.db": "does not exist",
        "sqlite:///no/such/folder.db": "the folder no/such does not exist",
        "sqlite:///empty.db": "has no study yet",
        "sqlite:///garbage.db": "file is not a database",
        "postgresql+psycopg://u:hush@127.0.0.1:1/d": "Connection refused",
        "postgresql+psycopg://u:hush@no.such.host.invalid/d": "failed to resolve host",
    }.items(),
)
def test_missing_storage_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, message: str
) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", url)
    Path("empty.db").touch()
    Path("garbage.db").write_bytes(b"garbage" * 1000)
    before = sorted(Path().iterdir())
    assert cli.main(["dashboard"]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert message in output.err
    assert "hush" not in output.err
    assert sorted(Path().iterdir()) == before


def test_damaged_default_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".thalweg").mkdir()
    Path(".thalweg/studies.db").write_bytes(b"garbage" * 1000)
    assert cli.main(["dashboard"]) == 2
    assert capsys.readouterr().err == ".thalweg/studies.db cannot be used: file is not a database\n"


@pytest.mark.parametrize("port", ["0", "-1", "65536", "taken"])
def test_port_that_cannot_be_used_is_one_line(config: Config, capsys: pytest.CaptureFixture[str], port: str) -> None:
    publish(config)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1]) if port == "taken" else port
        assert cli.main(["dashboard", "--port", number]) == 2
    fault = "address already in use" if port == "taken" else "it must be 1 to 65535"
    assert capsys.readouterr().err == f"--port: {number} cannot be used: {fault}; choose another port\n"


@pytest.mark.slow
def test_dashboard_listens_on_this_machine_only(config: Config) -> None:
    publish(config)
    with open_dashboard(Path("log")) as port:
        assert count_trials(port) == {f"{config.study.name} abcdef": 2}
        listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert [place for place in listening if re.fullmatch(f"[0-9A-F]+:{port:04X}", place)][:1] == [
            f"0100007F:{port:04X}"
        ]
