"""A command that ends with the process that runs it, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system import guarded

PARENT = """
import os, signal, sys
from pathlib import Path
from thalweg.system import guarded

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored

def receive(_, line):
    print(line, flush=True)

command = [sys.executable, "-c", sys.argv[1]]
try:
    guarded.run_guarded(command, Path("."), os.environ, receive)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
WAIT = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {WAIT}"
NESTED = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAIT!r}])"


def run(code: str, folder: Path) -> tuple[int | None, list[tuple[str, str]]]:
    lines: list[tuple[str, str]] = []
    command = [sys.executable, "-c", code]
    exit_code = guarded.run_guarded(command, folder, os.environ, lambda *line: lines.append(line))
    return exit_code, lines


def start(code: str) -> tuple["subprocess.Popen[str]", int]:
    """Start a process that runs this code below a guard; return it and the id of the innermost process."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def has_ended(pid: int, seconds: float) -> bool:
    """Say whether a process is over within so many seconds; one that nobody waits for is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_lines_folder_and_exit_code(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print('é', file=sys.stderr); print(end='no newline'); sys.exit(7)"
    exit_code, lines = run(code, tmp_path)
    assert exit_code == 7
    assert sorted(lines) == sorted([("output", str(tmp_path)), ("errors", "é"), ("output", "no newline")])


def test_empty_line_is_kept(tmp_path: Path) -> None:
    assert run("print(); print('a')", tmp_path) == (0, [("output", ""), ("output", "a")])


def test_exception_of_the_receiver_ends_the_command(tmp_path: Path) -> None:
    pids: list[int] = []

    def fail(_: str, line: str) -> None:
        pids.append(int(line))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded.run_guarded([sys.executable, "-c", WAIT], tmp_path, os.environ, fail)
    assert has_ended(pids[0], 1)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not list its processes")
@pytest.mark.parametrize("code", [WAIT, NESTED], ids=["plain", "nested"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_command_ends_with_its_parent(number: signal.Signals, code: str) -> None:
    process, pid = start(code)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert has_ended(pid, 5)
    assert ("interrupted" in output) == (number == signal.SIGINT)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not list its processes")
@pytest.mark.slow
def test_stubborn_command_is_killed() -> None:
    process, pid = start(STUBBORN)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=2 * guarded.GRACE_SECONDS)
    assert has_ended(pid, 1)


def test_error_goes_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not guarded.hand_up_error("nobody asks")
    monkeypatch.setenv(guarded.ERROR_FILE, str(tmp_path / "error"))
    assert guarded.hand_up_error("a\nb")
    assert (tmp_path / "error").read_text() == "a\nb"


def test_command_ends_when_it_should() -> None:
    lines: list[str] = []
    command = [sys.executable, "-c", WAIT]
    code = guarded.run_guarded(command, Path(), os.environ, lambda _, line: lines.append(line), lambda: bool(lines))
    assert code is None
    assert has_ended(int(lines[0]), 5)
