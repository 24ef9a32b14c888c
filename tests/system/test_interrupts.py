"""Ctrl-C, terminals of other encodings, and readers that go away, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.victims import has_socket

QUIET = "\nstopped; run the same command again to continue\n"


def start(*code: str, folder: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.DEVNULL,  # it may be a socket
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(60)",
        # a library swallows the interrupt, and goes on
        "\nfor _ in range(600):\n    try:\n        time.sleep(0.1)\n    except BaseException:\n        pass",
        # the main thread does not come back to Python, as while XLA compiles
        "\nimport jax\nloop = jax.jit(lambda x: jax.lax.fori_loop(0, 1 << 30, lambda i, y: jax.numpy.sin(y), x))\n"
        "for _ in range(60):\n    loop(0.5).block_until_ready()",
        # the command is over, and a library's last function waits
        "\nimport atexit\natexit.register(time.sleep, 60)",
    ],
    ids=["usual", "swallowed", "compiled", "leaving"],
)
def test_interrupt_ends_any_work(work: str) -> None:
    code = (
        "import sys, time, thalweg.cli, thalweg.__main__\n"
        f"def work():\n    print('started', flush=True)\n    exec({work!r}, {{'time': time}})\n"
        "thalweg.cli.main = work\n"
        "sys.exit(thalweg.__main__.main())"
    )
    process = start("-c", code)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) in ((130, QUIET), (130, "")), errors


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not list a process's files")
@pytest.mark.parametrize(
    "seconds", [0.0, 0.3, *(pytest.param(step / 20, marks=pytest.mark.slow) for step in range(1, 21))]
)
def test_early_interrupt_is_quiet(seconds: float) -> None:
    process = start("-m", "thalweg", "check")
    while not has_socket(process.pid):
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) in ((130, QUIET), (0, "")), (output, errors)


def test_output_in_other_encoding(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("größe: 1\n")
    process = start("-m", "thalweg", "check", folder=tmp_path, PYTHONIOENCODING="ascii")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert r"gr\xf6\xdfe: unknown key" in errors


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["--help"], ["timing", "--help"], ["check", "presets/scenes.yaml"]])
def test_reader_that_goes_away_is_no_error(command: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "thalweg", *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 1)
