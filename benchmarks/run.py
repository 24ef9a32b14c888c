"""Run all contestants in rounds, measure scaling, and write results.json, RESULTS.md and results.svg.

python -m benchmarks.run            run everything; slow contestants one round of fewer trials, scaled
python -m benchmarks.run --all      run all contestants alike, for hours
python -m benchmarks.run --quick    only check that everything runs, in a temporary folder
python -m benchmarks.run --render   write RESULTS.md and results.svg from results.json
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import chart, load, reading, results, scaling, whole_run
from benchmarks.case import MODELS

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = HERE / ".venv" / "bin" / "python"
CONTESTANTS = {
    "ours": (Path(sys.executable), "benchmarks.ours"),
    "ours_kept": (Path(sys.executable), "benchmarks.ours"),
    "torch_tuned": (PEERS, "benchmarks.peers.torch_tuned"),
    "torch_official": (PEERS, "benchmarks.peers.torch_official"),
    "flax_loop": (Path(sys.executable), "benchmarks.peers.flax_loop"),
    "ray_tune": (PEERS, "benchmarks.peers.ray_tune"),
}
SLOW = ("torch_official", "flax_loop", "ray_tune")
SLOW_TRIALS = 12
"""Trials of the slow contestants, in the first round only."""
KEPT = ("calibration", "devices", "gpu", "monitor", "retrained")
"""What other commands measure."""
TIMEOUT = 1800  # of a contestant [s]
WINNER_SEEDS = 16  # to train each contestant's winner with, in the first round


def run_contest(options: argparse.Namespace, before: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Run every study by every contestant, round by round, so that a noisy hour affects all of them.

    Round numbers continue after those in `before`.
    """
    first = 1 + max((row["repeat"] for row in before), default=-1)
    for repeat in range(first, first + options.repeats):
        for model in options.models:
            for prune in options.pruning:
                for name in options.contestants:
                    is_short = name in SLOW and not options.all
                    if is_short and repeat > first:
                        continue
                    trials = min(SLOW_TRIALS, options.trials) if is_short else options.trials
                    study = {"model": model, "trials": trials, "length": options.epochs, "prune": prune}
                    seeds = options.winner_seeds if repeat == first and not is_short else 0
                    yield {"contestant": name, "repeat": repeat, **study, **run_once(name, study, seeds)}


def run_once(name: str, study: dict[str, Any], winner_seeds: int) -> dict[str, Any]:
    """Run a contestant once; return its answer or its error. Only `ours_kept` keeps compiled programs between runs."""
    python, module = CONTESTANTS[name]
    options = ["--model", study["model"], "--trials", str(study["trials"]), "--epochs", str(study["length"])]
    options += ["--winner-seeds", str(winner_seeds)]
    command = [str(python), "-m", module, *options, *(["--prune"] if study["prune"] else [])]
    busy: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, load.measure_others(busy):
        environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": folder, "PYTHONWARNINGS": "ignore"}
        try:
            for _ in range(2 if name == "ours_kept" else 1):
                process = subprocess.run(
                    command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
                )
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"error": str(error)}
    answers = [line for line in process.stdout.splitlines() if line.startswith("{")]
    if process.returncode or not answers:
        return {"error": (process.stderr.strip().splitlines() or ["no answer"])[-1]}
    answer: dict[str, Any] = json.loads(answers[-1])
    return answer | busy


def measure_rows(options: argparse.Namespace, before: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each measurement with the name of its list in results.json."""
    for row in run_contest(options, before):
        yield "contest", row
    if options.no_scaling:
        return
    for settings in scaling.list_settings(options.quick):
        yield "scaling", scaling.run_measurement(settings)
    for row in reading.measure_all(options.quick):
        yield "reading", row
    if not options.quick:
        yield "whole_runs", whole_run.measure_run("HEAD")


def describe_machine() -> dict[str, Any]:
    """Return the processor, its cores, the memory, and versions."""
    cpu_file = Path("/proc/cpuinfo")
    lines = cpu_file.read_text().splitlines() if cpu_file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "versions": _read_versions(Path(sys.executable), ("jax", "jaxlib", "flax", "optax", "optuna"))
        | _read_versions(PEERS, ("torch", "ray")),
        **scaling.run_measurement({"measure": "backend"}),
    }


def _read_versions(python: Path, names: tuple[str, ...]) -> dict[str, str]:
    code = f"from importlib.metadata import version; import json; print(json.dumps({{n: version(n) for n in {names}}}))"
    try:
        process = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    versions: dict[str, str] = json.loads(process.stdout)
    return versions


def measure_floor() -> dict[str, Any]:
    """Measure the floor in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "NPROC")}
    command = [sys.executable, "-m", "benchmarks.floor"]
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    floor: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return floor


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true", help="run the slow contestants like the others")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--add", action="store_true", help="add to results.json instead of replacing it")
    parser.add_argument("--no-scaling", action="store_true", help="run the contests only")
    parser.add_argument("--winner-seeds", type=int, default=WINNER_SEEDS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--contestants", nargs="*", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    parser.add_argument(
        "--pruning", nargs="+", type=lambda text: text == "yes", default=[False, True], metavar="yes|no"
    )
    options = parser.parse_args()
    if options.quick:
        options.repeats, options.trials, options.epochs, options.models, options.pruning = 1, 6, 1, ["linear"], [False]
        options.winner_seeds = 2
    return options


def main() -> None:
    options = parse_options()
    folder = Path(tempfile.mkdtemp(prefix="benchmark-")) if options.quick else HERE
    file = folder / "results.json"
    stored = json.loads(file.read_text()) if file.exists() else {}
    old = stored if options.add or options.render else {name: stored[name] for name in KEPT if name in stored}
    record: dict[str, Any] = {"machine": {}, "floor": [], "contest": [], "scaling": []} | old
    if not options.render:
        began = time.perf_counter()
        record["machine"] = describe_machine() | {"measured": time.strftime("%Y-%m-%d")}
        record["floor"].append(measure_floor())
        for name, row in measure_rows(options, list(record["contest"])):
            print(json.dumps(row), flush=True)
            record.setdefault(name, []).append(row)
            _write_json(file, record)
        record["floor"].append(measure_floor())
        record["machine"]["seconds"] = round(time.perf_counter() - began)
    write_results(file, record)
    print(f"written: {folder}/RESULTS.md")


def write_results(file: Path, record: dict[str, Any]) -> None:
    """Write results.json, RESULTS.md, results.svg, and gpu.svg if a GPU was measured."""
    _write_json(file, record)
    file.with_name("RESULTS.md").write_text(results.render_markdown(record))
    file.with_name("results.svg").write_text(chart.draw_svg(record))
    if "gpu" in record:
        file.with_name("gpu.svg").write_text(chart.draw_gpu_svg(record["gpu"]))


def _write_json(file: Path, record: dict[str, Any]) -> None:
    file.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
