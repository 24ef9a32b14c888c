"""A `dvc repro` that is to be killed: as a whole, DVC alone, or its stage alone. Needs /proc, as Linux has it."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.clone import Clone

TARGETS = ("group", "dvc", "stage")


class Victim:
    """A `dvc repro` in a process group of its own."""

    def __init__(self, clone: Clone) -> None:
        handle, name = tempfile.mkstemp(dir=clone.folder.parent)
        self._log = Path(name)
        self._dvc = subprocess.Popen(
            ["dvc", "repro"],
            cwd=clone.folder,
            env=clone.environment(),
            stdin=subprocess.DEVNULL,  # a socket here would look like that of an interrupt's listener
            stdout=handle,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(handle)

    def read_output(self) -> str:
        return self._log.read_text(errors="replace")

    def exit_code(self) -> int | None:
        return self._dvc.poll()

    def wait_for_stage(self, stage: str) -> bool:
        """Wait until a stage begins; return whether it did."""
        self._wait(lambda: f"Running stage '{stage}'" in self.read_output() or self.exit_code() is not None)
        return f"Running stage '{stage}'" in self.read_output()

    def list_processes(self) -> dict[int, str]:
        """Return the living processes of the group by their ids, with their commands."""
        commands = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(group) == self._dvc.pid and state != "Z":
                    commands[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:  # it has just ended
                continue
        return commands

    def send(self, number: signal.Signals, target: str) -> None:
        """Send a signal to `dvc`, to its `stage`, or to both with all that they started: the `group`."""
        processes = self.list_processes()
        chosen = {
            "group": [*processes],
            "dvc": [process for process in processes if process == self._dvc.pid],
            "stage": self._list_stages(),
        }
        for process in chosen[target]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue

    def wait_for_listener(self) -> None:
        """Wait until a stage that has begun listens to interrupts; before, it is Python that starts."""
        self._wait(lambda: all(has_socket(process) for process in self._list_stages()))

    def _list_stages(self) -> list[int]:
        return [process for process, command in self.list_processes().items() if "thalweg stage" in command]

    def wait_for_end(self, seconds: float) -> bool:
        """Wait until DVC and all that it started have ended; return whether they did in this time."""
        return self._wait(lambda: self.exit_code() is not None and not self.list_processes(), seconds)

    @staticmethod
    def _wait(holds: Callable[[], bool], seconds: float = 600.0) -> bool:
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


def has_socket(process: int) -> bool:
    """Return whether a process waits for interrupts, or is not there any more."""
    folder = Path(f"/proc/{process}/fd")
    try:
        return any(_is_socket(link) for link in folder.iterdir())
    except OSError:  # it has just ended
        return True


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:  # closed since the folder was listed, as a module's file is after its import
        return False
