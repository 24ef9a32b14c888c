"""Run a stage and record its time."""

import importlib
import shutil
import subprocess
import time

from thalweg.artifacts.inputs import require_unchanged_inputs, watch_inputs
from thalweg.config.load import load_config
from thalweg.system import files, machine, timing
from thalweg.system.paths import PARAMS, TIMING


def run_stage(stage: str) -> None:
    """Run the stage `stage` on the experiment in params.yaml.

    Raises `UserError` for a user's mistake, and if an input changed in the meantime.
    """
    began = time.perf_counter()
    params = files.read_bytes(PARAMS)
    config = load_config(PARAMS, content=params)
    with watch_inputs(stage, params):
        importlib.import_module(f"thalweg.stages.{stage}").main(config)
        write_stage_time(stage, time.perf_counter() - began)
        require_unchanged_inputs()  # last: DVC hashes the inputs next


def write_stage_time(name: str, seconds: float) -> None:
    """Write the values that vary between equal runs into the one file that holds nothing else.

    Each stage has the values of its last run; the totals are sums over these.
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
    record = {"stages": stages, "commit": _find_commit(), "device": machine.describe_processor()}
    files.write_json(TIMING, record | totals)


def _find_commit() -> str:
    """Return the commit that is checked out; empty without git or a repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    return subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
