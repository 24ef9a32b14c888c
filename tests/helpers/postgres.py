"""A PostgreSQL server of its own for tests, on this machine's loopback, that can go away and come back."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "pass{w}ord %@/:"
QUOTED_PASSWORD = "pass{w}ord%20%25%40%2F%3A"


@dataclass(frozen=True)
class Server:
    """Its programs, its folder, its port, and the user that it runs as (it refuses to run as root)."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://thalweg:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        subprocess.run(command, user=self.user, cwd=self.folder, check=True, capture_output=True)

    def control(self, *arguments: object) -> None:
        self.run("pg_ctl", "--pgdata", self.folder / "data", "--wait", *arguments)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1,::1 -c fsync=off"
        for _ in range(50):  # after kill -9 the last children may still be there
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.control("--log", self.folder / "log", "--options", options, "start")
            time.sleep(0.1)
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        self.control("--mode", "immediate", "stop")

    def kill(self) -> None:
        os.kill(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def find_initdb() -> str | None:
    """Return the program that makes a server; None where PostgreSQL is not installed."""
    return next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None) or shutil.which("initdb")


@contextlib.contextmanager
def run_server() -> Iterator[Server]:
    """Run a server that asks for a password; skip the test where PostgreSQL is not installed."""
    initdb = find_initdb()
    if initdb is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="thalweg-postgres-"))
    user = "nobody" if os.geteuid() == 0 else None
    (folder / "password").write_text(f"{PASSWORD}\n")
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(Path(initdb).parent, folder, port, user)
    access = ("--username", "thalweg", "--auth", "scram-sha-256", "--pwfile", folder / "password")
    server.run("initdb", "--pgdata", folder / "data", *access, "--no-sync")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
