"""Machines that publish to one PostgreSQL, which restarts meanwhile: the dashboard shows all, nothing a password."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from tests.helpers import postgres
from tests.helpers.clone import Clone
from tests.helpers.dashboard import count_trials, fetch_text, open_dashboard
from tests.helpers.paths import ROOT
from tests.helpers.small_study import set_values
from tests.helpers.stored_studies import load_numbers, load_trials, wait_until
from tests.helpers.tiny_pipeline import TREE, run_stages, write_params

pytestmark = pytest.mark.slow
MACHINES = ("one", "two")
TRIALS = 240
DVC = ["dvc", "repro", "--verbose", "study"]


@pytest.fixture(scope="module")
def prepared_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is ready for a study."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(TREE)
        run_stages("prepare", "augment")
    return folder


def copy_project(project: Path, folder: Path, name: str) -> Path:
    """Return a copy of the project, whose study has a name of its own, as on another machine."""
    tree = {**TREE, "study": {**TREE["study"]}}
    set_values(tree, {"study.name": name, "study.trials": TRIALS})
    shutil.copytree(project, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(tree)
    return folder


def start_process(folder: Path, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a program; what it prints goes to a file in its folder."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def test_dashboard_shows_studies_of_all_machines(
    prepared_project: Path, server: postgres.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", server.url)
    monkeypatch.chdir(tmp_path)
    study = [sys.executable, "-m", "thalweg", "study", "--json"]
    folders = [copy_project(prepared_project, tmp_path / name, name) for name in MACHINES]
    (tmp_path / "clone").mkdir()
    clone = Clone(tmp_path / "clone")
    clone.set({"study.name": "by DVC", "model": {"kind": "linear"}})
    with ExitStack() as stack:
        processes = [
            stack.enter_context(start_process(folder, study, os.environ | {"PYTHONPATH": str(ROOT)}))
            for folder in folders
        ]
        environment = clone.environment() | {"THALWEG_STORAGE": server.url}
        processes.append(stack.enter_context(start_process(clone.folder, DVC, environment)))
        wait_until(lambda: is_published(server), 120)
        server.kill()
        wait_until(lambda: any("The study goes on" in (folder / "log").read_text() for folder in folders))
        server.start()
        assert all(process.poll() is None for process in processes[:2])  # all this was in mid-study
        assert [process.wait(300) for process in processes] == [0, 0, 0], [*read_logs(tmp_path)]
    with open_dashboard(tmp_path / "dashboard.log") as port:
        counts = count_trials(port)
        shown = fetch_text(port, "/") + fetch_text(port, "/api/meta") + fetch_text(port, "/api/studies")
    assert {name.rpartition(" ")[0]: count for name, count in counts.items()} == {
        **dict.fromkeys(MACHINES, TRIALS),
        "by DVC": 8,
    }
    assert all(load_numbers(name) == list(range(count)) for name, count in counts.items())
    one, two = ([(t.params, t.values) for t in load_trials(name)] for name in counts if name.startswith(MACHINES))
    assert one == two
    of_clone = [clone.folder / name for name in ("artifacts", "reports", ".thalweg", ".dvc", "dvc.lock", "log")]
    written = [path for top in (*folders, *of_clone) for path in (top, *top.rglob("*")) if path.is_file()]
    assert {"journal.jsonl", "log", "dvc.lock", "trials.csv"} <= {path.name for path in written}
    for secret in (postgres.PASSWORD, postgres.QUOTED_PASSWORD):
        assert secret not in shown
        assert [path for path in written if secret.encode() in path.read_bytes()] == []


def is_published(server: postgres.Server) -> bool:
    """Return whether some trial of a machine is in the database."""
    with create_engine(server.url, poolclass=NullPool).connect() as connection:
        if not inspect(connection).has_table("trials"):
            return False
        count = "SELECT count(*) FROM trials JOIN studies USING (study_id) WHERE study_name ~ '^(one|two) '"
        return bool(connection.execute(text(count)).scalar_one())


def read_logs(folder: Path) -> Iterator[str]:
    yield from (log.read_text() for log in folder.rglob("log") if log.is_file())
