"""A server of its own for tests that speaks S3, on this machine's loopback."""

import contextlib
import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.stored_studies import wait_until

BUCKET = "team"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_DEFAULT_REGION": "us-east-1"}
"""What the environment of a client needs; the server takes any."""


@contextlib.contextmanager
def run_server(log: Path) -> Iterator[str]:
    """Run a server with an empty bucket; give its address. What it prints goes to `log`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            wait_until(lambda: _make_bucket(port), 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _make_bucket(port: int) -> bool:
    """Make the bucket, once the server answers."""
    with contextlib.suppress(ConnectionRefusedError):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("PUT", f"/{BUCKET}")
        return connection.getresponse().status == 200
    return False
