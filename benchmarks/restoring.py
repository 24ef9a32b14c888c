"""Compare presets/enhance.yaml with classical filters on the four problems of enhancement; print a Markdown table.

The numbers are for the test set, on which no filter and no network was tuned; the network's are means over fresh
seeds. A problem takes some minutes.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from docs import tutorial
from thalweg.reporting.text import format_interval, format_number

ROOT = Path(__file__).parents[1]
PROBLEMS = ("denoise", "deblur", "lighten", "upscale")


def build_rows(problem: str, preset: dict[str, Any]) -> list[list[str]]:
    """Return a problem's rows: problem, method, PSNR [dB], SSIM; the network first, then the filters."""
    # each problem has its own noise; lighten cannot restore a brightness that is random
    changes = {"task": {"kind": "enhance", "problem": problem}, "diagnose": {"seeds": 0, "shares": []}}
    if problem == "lighten":
        changes["augment"] = {"offline": {"copies": 0}, "online": {"flip": 0.5}}
    began = time.perf_counter()
    # keep the stages' output out of the table
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        tables = tutorial.run_study({**preset, **changes}, Path(folder)).tables
    assert tables.summary.confirm is not None
    winner = tables.summary.confirm.winner
    winner_runs = tables.runs[tables.runs["candidate"] == "winner"]
    ssim = format_number(winner_runs[f"{tables.split}_ssim"].mean())
    print(f"{problem}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    network_row = [problem, "**network**", format_interval(winner.mean, winner.low, winner.high), ssim]
    filters = tables.references.sort_values("psnr", ascending=False, kind="stable")
    filter_rows = zip(filters["answer"], filters["psnr"], filters["ssim"], strict=True)
    return [network_row, *(["", name, format_number(psnr, 4), format_number(ssim)] for name, psnr, ssim in filter_rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    options = parser.parse_args()
    preset = YAML(typ="safe").load(ROOT / "presets" / "enhance.yaml")
    print("| problem | method | PSNR [dB] | SSIM |", "| --- | --- | ---: | ---: |", sep="\n")
    for problem in options.problems:
        print(*(f"| {' | '.join(row)} |" for row in build_rows(problem, preset)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
