"""Run a stage and record its time."""

import importlib
import time

from thalweg.artifacts.inputs import require_unchanged_inputs, watch_inputs
from thalweg.artifacts.stage_times import record_stage_time
from thalweg.config.load import load_config
from thalweg.system import files
from thalweg.system.compiled import guard_compiled_programs
from thalweg.system.paths import PARAMS, REPORTS, STATE_FOLDER


def run_stage(stage: str) -> None:
    """Run the stage `stage` on the experiment in params.yaml.

    Raises `UserError` for a user's mistake, and if an input changed in the meantime.
    """
    began = time.perf_counter()
    params = files.read_bytes(PARAMS)
    config = load_config(PARAMS, content=params)
    with watch_inputs(stage, params):
        guard_compiled_programs()
        for folder in (REPORTS, STATE_FOLDER):
            files.remove_partial_writes(folder)
        importlib.import_module(f"thalweg.stages.{stage}").main(config)
        record_stage_time(stage, time.perf_counter() - began)
        require_unchanged_inputs()  # last: DVC hashes the inputs next
