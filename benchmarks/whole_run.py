"""Measure where the seconds of `dvc repro` go, in a new clone of the project, from nothing.

A thread looks every few milliseconds at what a stage's main thread does, and adds the time since its last look to one
of `PARTS`. It needs no change of the code that it measures, so it measures any commit:

python -m benchmarks.whole_run               the current commit
python -m benchmarks.whole_run --commit C    the commit C
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1]
PARTS = ("start", "read", "trace", "lower", "compile", "run", "write", "host")
"""Starting Python and importing; reading; JAX's tracing, lowering and compiling; waiting for compiled programs or for
other processes; writing; all other work of Python."""
LOOK_SECONDS = 0.003
FUNCTIONS = {
    "compile": ("backend_compile", "backend_compile_and_load", "compile_or_get_cached", "_compile_and_write_cache"),
    "lower": ("lower_jaxpr_to_module", "lower_mlir", "stablehlo_lowering"),
    "trace": ("trace_to_jaxpr_dynamic", "trace_to_jaxpr", "_create_pjit_jaxpr", "eval_shape"),
    "run": (
        "block_until_ready",
        "device_get",
        "_value",
        "_run_call",
        "as_completed",
        "result",
        "wait",
        "run_on_device",
    ),
    "start": ("_find_and_load", "_handle_fromlist"),
}
"""Functions that name a part, in any module."""
VERBS = {
    "read": ("read", "load", "hash", "list", "find", "open", "decode"),
    "write": ("write", "append", "rename", "remove", "sync", "create", "save"),
}
"""First words of functions that name a part, in the modules of `DISK`."""
DISK = ("/system/files.py", "/system/images.py", "/system/data_files.py", "/system/table_files.py", "/system/sealed.py")
PART_OF = {function: part for part, functions in FUNCTIONS.items() for function in functions}
PART_OF_VERB = {verb: part for part, verbs in VERBS.items() for verb in verbs}


def name_part(frame: FrameType | None) -> str:
    """Return the part that the innermost known function of a stack belongs to."""
    for code in iterate_codes(frame):
        if code.co_name in PART_OF:
            return PART_OF[code.co_name]
        verb = code.co_name.lstrip("_").partition("_")[0]
        if verb in PART_OF_VERB and code.co_filename.endswith(DISK):
            return PART_OF_VERB[verb]
    return "host"


def iterate_codes(frame: FrameType | None) -> Iterator[Any]:
    """Yield the code of each function of a stack, the innermost first."""
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def name_line(frame: FrameType | None) -> str:
    """Return the innermost function of the project on a stack."""
    for code in iterate_codes(frame):
        if "/pipeline/" in code.co_filename or "/thalweg/" in code.co_filename:
            return f"{Path(code.co_filename).stem}.{code.co_name}"
    return "libraries"


def profile_stage(arguments: list[str], file: Path, began: float) -> int:
    """Run `thalweg` with these arguments in this process, and write the seconds of each part to `file`."""
    seconds, lines = defaultdict[str, float](float), defaultdict[str, float](float)
    seconds["start"], main_thread = time.time() - began, threading.get_ident()
    over = threading.Event()

    def look() -> None:
        last = time.perf_counter()
        while not over.wait(LOOK_SECONDS):
            frame, now = sys._current_frames().get(main_thread), time.perf_counter()
            part = name_part(frame)
            seconds[part] += now - last
            if part == "host":
                lines[name_line(frame)] += now - last
            last = now

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = ["thalweg", *arguments]
    from thalweg.__main__ import main

    try:
        return main()
    finally:
        over.set()
        looker.join()
        dearest = sorted(lines.items(), key=lambda item: -item[1])[:12]
        record = {"seconds": dict(seconds), "lines": dict(dearest)}
        file.write_text(json.dumps(record))


def measure_run(commit: str) -> dict[str, Any]:
    """Run `dvc repro` in a new clone of a commit; return the seconds of each stage by part, and of all."""
    with tempfile.TemporaryDirectory() as name:
        clone, shims, answers = (Path(name, part) for part in ("clone", "shims", "answers"))
        for command in (["clone", "-q", str(ROOT), str(clone)], ["-C", str(clone), "checkout", "-q", commit]):
            subprocess.run(["git", *command], check=True)
        for folder in (shims, answers):
            folder.mkdir()
        shim = shims / "thalweg"
        call = f'"{sys.executable}" -P "{Path(__file__)}" --began "$(date +%s.%N)" --answers "{answers}" --stage "$@"'
        shim.write_text(f"#!/bin/sh\nexec {call}\n")
        shim.chmod(0o755)
        environment = os.environ | {"PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(clone)}
        show = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=clone, check=True, capture_output=True, text=True
        )
        began = time.perf_counter()
        dvc = [sys.executable, "-m", "dvc", "repro"]
        subprocess.run(dvc, cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - began
        stages = {file.stem: json.loads(file.read_text()) for file in sorted(answers.glob("*.json"))}
    return {"commit": show.stdout.strip(), "seconds": whole, "stages": stages}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--stage", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        return profile_stage(options.stage, options.answers / f"{options.stage[-1]}.json", options.began)
    print(json.dumps(measure_run(options.commit)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
