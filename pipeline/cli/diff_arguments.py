"""The arguments of `thalweg diff`, in a file without its imports: help must not wait for them."""

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `thalweg diff`."""
    where = "a git revision, a DVC experiment, a project's folder (`.` is this one), or the folder of a packed report"
    command.add_argument("a", metavar="A", help=where)
    command.add_argument("b", metavar="B", help="what to compare with A: likewise")
    command.add_argument("--out", type=Path, metavar="FILE.html", help="also write the comparison as a page")
    failing = "exit with 1 if the winner of B is worse beyond noise"
    command.add_argument("--fail-on-regression", action="store_true", help=failing)
    command.add_argument("--json", action="store_true", help="print the answer as one line of JSON")
