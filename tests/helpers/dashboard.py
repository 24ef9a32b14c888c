"""`thalweg dashboard` in a process of its own, and what it answers."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.helpers.paths import ROOT
from tests.helpers.stored_studies import wait_until


@contextlib.contextmanager
def open_dashboard(log: Path) -> Iterator[int]:
    """Run the dashboard in the current folder; give the port on which it listens. What it prints goes to `log`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "thalweg", "dashboard", "--port", str(port)]
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=out, stderr=out) as process,
    ):
        try:
            wait_until(lambda: _is_listening(port), 60)
            yield port
        finally:
            process.terminate()


def _is_listening(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def fetch_text(port: int, path: str) -> str:
    """Return what the dashboard answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def count_trials(port: int) -> dict[str, int]:
    """Return the number of trials of each study, by name, as the dashboard's pages get them."""
    studies: list[dict[str, Any]] = json.loads(fetch_text(port, "/api/studies"))["study_summaries"]
    return {
        study["study_name"]: len(json.loads(fetch_text(port, f"/api/studies/{study['study_id']}"))["trials"])
        for study in studies
    }
