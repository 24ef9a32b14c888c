"""Measure `prepare` on photos, and the memory of the stages from `prepare` to `study`.

Photos are smooth random pictures with noise. Each stage runs in its own process, on a set of many small images and on a
few: the difference of their peak memory, over that of their pixels, leaves out programs and libraries.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from thalweg.system.runtime import count_cores

ROOT = Path(__file__).parents[1]
STAGES = ("prepare", "augment", "train", "evaluate", "study")
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "data": {"path": "photos", "split": {"by": "fraction", "validation": 0.2, "test": 0.2}},
    "model": {"kind": "linear"},
    "schedule": {"warmup": 0.0},
    "training": {"epochs": 1, "batch_size": 16},
    "study": {"trials": 2, "cohort": 2, "space": {"optimizer.learning_rate": {"low": 1e-5, "high": 1e-4, "log": True}}},
}
"""Changes of the project's params.yaml: a study that is over at once."""


def write_project(folder: Path, count: int, photo: tuple[int, int], size: int, suffix: str) -> None:
    """Write `count` photos of (height, width) with labels, and params.yaml that resizes them to `size`."""
    draw, (height, width) = np.random.default_rng(0), photo
    (folder / "photos" / "images").mkdir(parents=True)
    rows = ["image,count"]
    for index in range(count):
        small = draw.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(smooth + draw.integers(-6, 7, (height, width, 1), dtype=np.int16), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / "photos" / "images" / f"{index}{suffix}", quality=90)
        rows.append(f"{index}{suffix},{index % 5}")
    (folder / "photos" / "labels.csv").write_text("\n".join(rows) + "\n")
    yaml = YAML()
    tree = yaml.load(ROOT / "params.yaml")
    for section, values in CHANGES.items():
        tree[section] = values if section == "model" else tree[section] | values
    tree["data"]["source"] = {"kind": "folder", "size": [size, size]}
    yaml.dump(tree, folder / "params.yaml")


def run_stage(stage: str, folder: Path) -> dict[str, float]:
    """Run a stage in its own process; return its seconds, processor seconds and peak memory [MiB]."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.reading", "--stage", stage]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return result | {"seconds": time.perf_counter() - began, "cpu_seconds": cpu_seconds}


def run_stage_here(stage: str) -> dict[str, float]:
    """Run a stage in this process; return its peak memory [MiB]."""
    import thalweg.cli

    if thalweg.cli.main(["stage", stage]):
        raise SystemExit(1)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {"memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def measure_photos(count: int) -> dict[str, float]:
    """Prepare `count` JPEGs of 1280 x 720; return seconds, processor seconds and cores used."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), count, (720, 1280), 64, ".jpg")
        idle = measure_start()
        run = run_stage("prepare", Path(folder))
    cpu_seconds, seconds = (run[name] - idle[name] for name in ("cpu_seconds", "seconds"))
    return {"photos": count, "seconds": seconds, "cpu_seconds": cpu_seconds, "cores_used": cpu_seconds / seconds}


def measure_start() -> dict[str, float]:
    """Measure `prepare` of a few tiny images: the seconds of starting."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), 20, (16, 16), 16, ".png")
        return run_stage("prepare", Path(folder))


def measure_memory(count: int, few: int, size: int) -> dict[str, float]:
    """Return each stage's memory over raw pixels, between sets of `count` and `few` images of this size."""
    peaks = []
    for number in (few, count):
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), number, (size, size), size, ".png")
            peaks.append({stage: run_stage(stage, Path(folder))["memory_mib"] for stage in STAGES})
    pixels_mib = (count - few) * size * size * 3 / 2**20
    return {"images": count, "size": size, "pixels_mib": pixels_mib} | {
        stage: (peaks[1][stage] - peaks[0][stage]) / pixels_mib for stage in STAGES
    }


def measure_all(quick: bool) -> Iterator[dict[str, float]]:
    """Yield what photos take, then the memory for images of each size."""
    yield {"cores": count_cores(), **measure_photos(10 if quick else 1000)}
    for count, few, size in ((200, 100, 32),) if quick else ((20_000, 1_000, 64), (2_000, 100, 160)):
        yield measure_memory(count, few, size)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="only check that everything runs")
    parser.add_argument("--stage", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        print(json.dumps(run_stage_here(options.stage)))
        return
    for row in measure_all(options.quick):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
