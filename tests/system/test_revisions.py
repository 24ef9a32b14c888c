"""Files of a commit: one that is not there is no error, one that cannot be had is."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from thalweg.system.files import UserError
from thalweg.system.revisions import open_commit

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
DVC = (sys.executable, "-m", "dvc")
FILE = Path("out/file")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A commit of a project whose folder `out` DVC tracks, and no cache has."""
    monkeypatch.chdir(tmp_path)
    run("git", "init", "-q")
    run(*DVC, "init", "-q")
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text("1")
    run(*DVC, "add", "-q", "out")
    run("git", "add", "--all")
    run(*GIT, "commit", "-qm", "one")
    (tmp_path / ".dvc" / "cache").rename(tmp_path / "away")
    return run("git", "rev-parse", "HEAD")


@pytest.fixture
def serve() -> Iterator[Callable[[int], str]]:
    """Serve each request with one status; return the address."""
    servers = list[HTTPServer]()

    def start(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_error(status)

            def do_HEAD(self) -> None:
                self.send_error(status)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def add_remote(url: str) -> None:
    run(*DVC, "remote", "add", "-q", "--force", "-d", "far", url)


def test_missing_file_is_none(commit: str, tmp_path: Path, serve: Callable[[int], str]) -> None:
    assert open_commit(commit)(FILE) is None
    assert open_commit(commit)(Path("nowhere")) is None
    assert open_commit(commit)(Path("out.dvc/below")) is None
    for url in (str(tmp_path / "empty"), serve(404)):
        add_remote(url)
        assert open_commit(commit)(FILE) is None
    add_remote(str(tmp_path / "away"))
    (tmp_path / "away").rename(tmp_path / ".dvc" / "cache")
    assert open_commit(commit)(FILE) == b"1"


def test_remote_that_fails_is_an_error(commit: str, serve: Callable[[int], str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for url, reason in ((serve(403), "403"), (nobody, "Cannot connect"), ("ssh://localhost/x", "ssh")):
            add_remote(url)
            with pytest.raises(UserError, match=reason) as caught:
                open_commit(commit)(FILE)
            assert str(caught.value).startswith(f"out/file of the commit {commit[:7]} cannot be read: ")
