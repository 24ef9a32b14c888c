"""What every stage does around its work: no traceback for a person's mistake, and a note of how long it took."""

import subprocess
import sys
import time
from collections.abc import Callable

from pipeline import check, io
from pipeline.config import Config
from pipeline.core import compiles
from pipeline.paths import PARAMS, TIMING


def run(name: str, work: Callable[[Config], None]) -> None:
    """Do a stage's work with the experiment in params.yaml; exit 2 where a person has something to mend."""
    began = time.perf_counter()
    try:
        work(check.load(PARAMS))
    except io.UserError as error:
        sys.exit(_fail(str(error)))
    note_time(name, time.perf_counter() - began)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def note_time(name: str, seconds: float) -> None:
    """Write down what varies between equal runs, in the one file that nothing else includes."""
    timing = io.read_json(TIMING) if TIMING.exists() else {}
    parts = timing.setdefault("stages", {})
    parts[name] = {
        "seconds": round(seconds, 2),
        "compiles": len(compiles.SECONDS),
        "compile_seconds": round(sum(compiles.SECONDS), 2),
    }
    timing["compiles"] = sum(part["compiles"] for part in parts.values())
    timing["compile_seconds"] = round(sum(part["compile_seconds"] for part in parts.values()), 2)
    timing["seconds"] = round(sum(part["seconds"] for part in parts.values()), 2)
    timing["commit"] = _commit()
    io.write_json(TIMING, timing)


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == 0 else ""
