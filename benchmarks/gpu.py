"""Measure this engine on a GPU: a study of many lanes, a plain loop over trials, and scaling with lanes.

`python -m benchmarks.gpu` adds the results to results.json, RESULTS.md and results.svg in about four minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import run, scaling

TRIALS = 1024  # of the study
COHORT = 128  # trials
LOOP_TRIALS = 6  # trials of the loop, whose time per trial is constant
EPOCHS = 16  # per trial
LANES = (1, 64, 512, 2048)


def measure_gpu() -> dict[str, Any]:
    """Return the device, the seconds of study and loop, the milliseconds per trial-epoch by lanes, and the floor."""
    requests = [{"table": "lanes", "measure": "lanes", "lanes": lanes, "repeats": 3, "epochs": 2} for lanes in LANES]
    return {
        "device": scaling.run_measurement({"measure": "backend"})["device"],
        "versions": run.describe_machine()["versions"],
        "lanes": [scaling.run_measurement(request) for request in requests],
        "study": _run_study("benchmarks.ours", TRIALS, "--cohort", str(COHORT)),
        "loop": _run_study("benchmarks.peers.flax_loop", LOOP_TRIALS),
        "rate": run.measure_floor()["rate"],
    }


def _run_study(module: str, trials: int, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, "--model", "cnn", "--trials", str(trials), "--epochs", str(EPOCHS), *more]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": folder}
        process = subprocess.run(command, cwd=run.ROOT, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return answer


def main() -> None:
    file = Path(run.HERE, "results.json")
    run.write_results(file, json.loads(file.read_text()) | {"gpu": measure_gpu()})


if __name__ == "__main__":
    main()
