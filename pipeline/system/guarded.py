"""Run a command that ends with this process: at Ctrl-C, and if this process is killed, as a notebook's kernel may be.

A guard stands between. It leads a session of its own, starts the command, and waits for the end of its standard input,
which this process holds open. Then it interrupts the command and all that the command has started.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Literal, NoReturn

from thalweg.system import files

Stream = Literal["output", "errors"]
POLL_SECONDS = 0.2
GRACE_SECONDS = 10.0
"""How long an interrupted command may take to end."""
ERROR_FILE = "THALWEG_ERROR_FILE"
"""The variable with the path of the file to which a command below writes the error that ends it."""


def run_guarded(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    receive: Callable[[Stream, str], None],
    should_end: Callable[[], bool] = lambda: False,
) -> int | None:
    """Run a command in a folder. Give each line that it writes to `receive`; return its exit code.

    An exception in this process, such as KeyboardInterrupt, ends the command first. So does `should_end`, which is
    asked every POLL_SECONDS: then the exit code is None.
    """
    guard = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert guard.stdin is not None
    assert guard.stdout is not None
    assert guard.stderr is not None
    lines: SimpleQueue[tuple[Stream, str] | None] = SimpleQueue()

    def read_lines(name: Stream, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                lines.put((name, line.rstrip("\n")))
        lines.put(None)

    streams: dict[Stream, IO[str]] = {"output": guard.stdout, "errors": guard.stderr}
    for name, stream in streams.items():
        threading.Thread(target=read_lines, args=(name, stream), daemon=True).start()
    try:
        for _ in streams:
            while line := _wait_for_line(lines, should_end):
                receive(*line)
        return guard.wait()
    except _EndedError:
        return None
    finally:
        guard.stdin.close()
        guard.wait()


class _EndedError(Exception):
    """`should_end` has ended the command."""


def _wait_for_line(
    lines: "SimpleQueue[tuple[Stream, str] | None]", should_end: Callable[[], bool]
) -> tuple[Stream, str] | None:
    """Return the next line; None at the end of a stream. Raises `_EndedError`."""
    while not should_end():
        with suppress(Empty):
            return lines.get(timeout=POLL_SECONDS)
    raise _EndedError


def hand_up_error(text: str) -> bool:
    """Write the error that ends this command where the process above looks for it; return whether that asked for it."""
    file = os.environ.get(ERROR_FILE)
    if file:
        files.write_text(Path(file), text)
    return bool(file)


def main() -> int:
    """Run the command in the arguments of this process, and end it with the process above."""
    signal.signal(signal.SIGINT, lambda *_: None)  # it is for the command
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, daemon=True).start()
    return process.wait()


def _end_with_input() -> NoReturn:
    os.read(sys.stdin.fileno(), 1)  # a thread that waits for `sys.stdin` itself would abort the end of this process
    os.killpg(0, signal.SIGINT)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main())
