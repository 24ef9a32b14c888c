"""The four problems of enhancement, each by the study of presets/enhance.yaml, beside filters from before networks.

What is told is of the images of test, which no filter and no network was set by; the network's numbers are means over
fresh seeds. Prints a table in Markdown. It takes some minutes a problem.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import thalweg  # noqa: F401  before JAX: it settles what XLA reads
from docs import tutorial
from thalweg.reporting.text import format_interval, format_number

ROOT = Path(__file__).parents[1]
PROBLEMS = ("denoise", "deblur", "lighten", "upscale")


def rows(problem: str, preset: dict[str, Any]) -> list[list[str]]:
    """A problem's rows of the table: who, PSNR [dB], SSIM; the network first, then what it is held against."""
    # a problem's noise is its own, and how light an image was cannot be told where that is by chance
    changes = {"task": {"kind": "enhance", "problem": problem}, "diagnose": {"seeds": 0, "shares": []}}
    if problem == "lighten":
        changes["augment"] = {"offline": {"copies": 0}, "online": {"flip": 0.5}}
    began = time.perf_counter()
    # the stages' own lines are no rows of a table
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        tables = tutorial.run({**preset, **changes}, Path(folder)).tables
    assert tables.summary.confirm is not None
    winner = tables.summary.confirm.winner
    own = tables.runs[tables.runs["candidate"] == "winner"]
    ssim = format_number(own[f"{tables.split}_ssim"].mean())
    print(f"{problem}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    first = [problem, "**network**", format_interval(winner.mean, winner.low, winner.high), ssim]
    others = tables.references.sort_values("psnr", ascending=False, kind="stable")
    told = zip(others["answer"], others["psnr"], others["ssim"], strict=True)
    return [first, *(["", name, format_number(psnr, 4), format_number(ssim)] for name, psnr, ssim in told)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    given = parser.parse_args()
    preset = YAML(typ="safe").load(ROOT / "presets" / "enhance.yaml")
    print("| problem | by | PSNR [dB] | SSIM |", "| --- | --- | ---: | ---: |", sep="\n")
    for problem in given.problems:
        print(*(f"| {' | '.join(row)} |" for row in rows(problem, preset)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
