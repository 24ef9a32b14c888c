"""Run a stage, and note how long it took."""

import importlib
import shutil
import subprocess
import time

from thalweg.config.load import load_config
from thalweg.system import files, machine, timing
from thalweg.system.paths import PARAMS, TIMING


def run_stage(stage: str) -> None:
    """Run the stage `stage` on the experiment in params.yaml. Raises `UserError` for a person's mistake."""
    began = time.perf_counter()
    importlib.import_module(f"thalweg.stages.{stage}").main(load_config(PARAMS))
    write_stage_time(stage, time.perf_counter() - began)


def write_stage_time(name: str, seconds: float) -> None:
    """Write down what varies between equal runs, in the one file that nothing else includes.

    Each stage has the figures of its last run; the totals are over these.
    """
    stages = files.read_json(TIMING)["stages"] if TIMING.exists() else {}
    stages[name] = {
        "seconds": round(seconds, 2),
        "compiles": len(timing.COMPILE_SECONDS),
        "compile_seconds": round(sum(timing.COMPILE_SECONDS), 2),
        "retries": len(timing.OUT_OF_MEMORY_RETRIES),
        "epochs": sum(timing.TRAINED_EPOCHS),
    }
    totals = {key: round(sum(stage.get(key, 0) for stage in stages.values()), 2) for key in stages[name]}
    told = {"stages": stages, "commit": _find_commit(), "device": machine.describe_processor()}
    files.write_json(TIMING, told | totals)


def _find_commit() -> str:
    """The commit that is checked out; empty where there is no git or no repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    return subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
