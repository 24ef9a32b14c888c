"""The arguments of `thalweg compare`, in a file without its imports: help must not wait for them."""

import argparse
from pathlib import Path

LEDGER = Path("compare.jsonl")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `thalweg compare`."""
    command.add_argument("--a", metavar="COMMAND", help="what B is compared with: a command, or a params file")
    command.add_argument("--b", metavar="COMMAND", help="a command, or a params file")
    command.add_argument("--metric", metavar="NAME", help="a number that both print: in their last JSON line with it")
    command.add_argument("--metric-file", default="", metavar="FILE", help="JSON file that a run writes its metrics to")
    better = command.add_mutually_exclusive_group()
    better.add_argument("--minimize", action="store_true", help="a lower metric is better")
    better.add_argument("--maximize", action="store_true", help="a higher metric is better")
    command.add_argument("--seeds", metavar="5..16", help="the seeds, at most so many pairs; both ends count")
    seed = "environment variable with the seed (default: SEED); {seed} in a command stands for it, too"
    command.add_argument("--seed-variable", default="SEED", metavar="NAME", help=seed)
    smallest = "smallest difference that counts: one surely below it ends the comparison"
    command.add_argument("--smallest", type=float, metavar="X", help=smallest)
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="end a run that takes longer: it has failed")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at once (default: 1)")
    environment = "environment variable whose value makes runs differ; repeat it for more"
    command.add_argument("--env", action="append", default=[], metavar="NAME", help=environment)
    ledger = f"file with all runs and verdicts (default: {LEDGER})"
    command.add_argument("--ledger", type=Path, default=LEDGER, metavar="FILE", help=ledger)
    command.add_argument("--retry-failed", action="store_true", help="run again what failed")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.add_argument("--log", action="store_true", help="print the history of all comparisons, and run nothing")
    command.add_argument("--page", type=Path, metavar="FILE", help="with --log: write it as a page")
