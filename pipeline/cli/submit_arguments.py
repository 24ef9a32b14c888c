"""The arguments of `thalweg submit`, in a file without its imports: help must not wait for them."""

import argparse

KINDS = {"slurm": "job.sbatch", "skypilot": "job.sky.yaml", "ray": "job.ray.sh"}
"""What can run a job, each with the file that is written for it."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `thalweg submit`."""
    command.add_argument("kind", choices=tuple(KINDS), metavar="KIND", help=", ".join(KINDS))
    command.add_argument("--nodes", type=int, metavar="N", help="machines; more than one need Ray (default: 1)")
    command.add_argument("--gpus", metavar="TYPE:N", help="of each machine: a number, a type, or both, as H100:4")
    command.add_argument("--cores", type=int, metavar="N", help="of each machine (default for slurm: 4)")
    again = "submitted again, it goes on with slurm, and begins anew with ray"
    minutes = f"end the job after so long (default for slurm: 60); {again}"
    command.add_argument("--minutes", type=int, metavar="N", help=minutes)
    out = f"file to write; -: print it (default: {', '.join(KINDS.values())})"
    command.add_argument("--out", metavar="FILE", help=out)
