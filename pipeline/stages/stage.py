"""What every stage does around its work: no traceback for a person's mistake, and a note of how long it took."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable

from pipeline import check, io, provenance
from pipeline.config import Config
from pipeline.core import compiles
from pipeline.paths import PARAMS, TIMING


def run(name: str, work: Callable[[Config], None]) -> None:
    """Do a stage's work with the experiment in params.yaml; exit 2 where a person has something to mend."""
    began = time.perf_counter()
    try:
        work(check.load(PARAMS))
        note_time(name, time.perf_counter() - began)
    except io.UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        sys.exit(130)


def note_time(name: str, seconds: float) -> None:
    """Write down what varies between equal runs, in the one file that nothing else includes.

    Each stage has the figures of its last run; the totals are over these.
    """
    stages = io.read_json(TIMING)["stages"] if TIMING.exists() else {}
    stages[name] = {
        "seconds": round(seconds, 2),
        "compiles": len(compiles.SECONDS),
        "compile_seconds": round(sum(compiles.SECONDS), 2),
        "retries": len(compiles.HALVINGS),
    }
    totals = {key: round(sum(stage.get(key, 0) for stage in stages.values()), 2) for key in stages[name]}
    told = {"stages": stages, "commit": _commit(), "device": provenance.processor()}
    io.write_json(TIMING, told | totals)


def _commit() -> str:
    """The commit that is checked out; empty where there is no git or no repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    return subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
