"""Run a stage: show how far it is, say what it found, and record its time."""

import importlib
import time

from thalweg.artifacts.expected_times import read_expected_times
from thalweg.artifacts.inputs import require_unchanged_inputs, watch_inputs
from thalweg.artifacts.stage_times import record_stage_time
from thalweg.config.load import load_config, locate_own_faults
from thalweg.system import files, progress
from thalweg.system.compiled import guard_compiled_programs
from thalweg.system.counts import format_duration
from thalweg.system.paths import PARAMS, REPORTS, STATE_FOLDER


def run_stage(stage: str) -> None:
    """Run the stage `stage` on the experiment in params.yaml. Its last line says what it found.

    Raises `UserError` for a user's mistake, and if an input changed in the meantime.
    """
    began = time.perf_counter()
    params = files.read_bytes(PARAMS)
    config = load_config(PARAMS, content=params)
    expected_seconds = read_expected_times(config).get(stage)
    with locate_own_faults(PARAMS, params), progress.show_stage(stage, expected_seconds), watch_inputs(stage, params):
        guard_compiled_programs()
        for folder in (REPORTS, STATE_FOLDER):
            files.remove_partial_writes(folder)
        found: str = importlib.import_module(f"thalweg.stages.{stage}").main(config)
        seconds = time.perf_counter() - began
        record_stage_time(stage, seconds)
        require_unchanged_inputs()  # last: DVC hashes the inputs next
    progress.print_line(f"{stage} ({format_duration(seconds)}): {found}")
