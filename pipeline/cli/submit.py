"""`thalweg submit`: write the file of a job that runs the study of params.yaml on a cluster."""

import json
import re
import shlex
import sys
from argparse import Namespace as Arguments
from dataclasses import asdict, dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

import thalweg
from thalweg.cli.preflight import find_data_problems
from thalweg.cli.submit_arguments import KINDS
from thalweg.config.load import load_config
from thalweg.system import dvc_command, files
from thalweg.system.counts import format_count
from thalweg.system.files import UserError
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import ARTIFACTS, PARAMS, REPORTS, STATE_FOLDER, STUDIES

TEMPLATES = {"slurm": "slurm.sh", "skypilot": "skypilot.yaml", "ray": "ray.sh"}
STARTS = {"slurm": "sbatch {file}", "skypilot": "sky launch --cluster {name} {file}", "ray": "sh {file}"}
"""The command that starts each kind of job."""
SLURM_CORES = 4
SLURM_MINUTES = 60
GPUS = re.compile(r"(?P<type>[A-Za-z][\w.-]*)(?::(?P<number>[1-9]\d*))?|(?P<count>[1-9]\d*)")
NOT_SENT = (".git", ".dvc/cache", ".dvc/config.local", ".dvc/tmp", ".venv", ARTIFACTS, REPORTS, STATE_FOLDER, STUDIES)
"""What a Ray job does not need, or should not see: `.dvc/config.local` may hold passwords."""
WITHOUT_GIT = "git rev-parse --git-dir >/dev/null 2>&1 || dvc config --local core.no_scm true"
"""Lets DVC work in a copy of the project without its repository."""


@dataclass(frozen=True)
class Job:
    """What a job asks for: machines, and the GPUs and cores of each. 0 `minutes`: no limit. 0 `cores`: any number."""

    nodes: int
    gpu_type: str
    gpus: int
    cores: int
    minutes: int


def submit_job(arguments: Arguments) -> None:
    """Write the file of a job; print what it asks for, and how to start it. Raises `UserError`."""
    kind, job = arguments.kind, read_job(arguments)
    config = load_config(PARAMS, find_data_problems)
    if config.engine.launcher != "ray" and (job.nodes > 1 or kind == "ray"):
        which = "a job of Ray needs" if kind == "ray" else f"{job.nodes} nodes train together only with"
        raise UserError(f"submit {kind}: {which} the line `engine: {{launcher: ray}}`; add it to {PARAMS}")
    has_remote = has_sent_remote()
    if kind == "ray" and not has_remote:
        what = "the results come back by a remote of DVC, and .dvc/config, which the job gets, has none"
        advice = "add one that the cluster reaches, too: `dvc remote add --default NAME URL`"
        raise UserError(f"submit ray: {what}; {advice}")
    out = KINDS[kind] if arguments.out is None else arguments.out
    text = build_file(kind, job, KINDS[kind] if out == "-" else out, has_remote=has_remote)
    if out == "-":
        print(text, end="")
        return
    file = Path(out) if arguments.out is None else arguments.folder / out
    if files.path_exists(file):
        raise UserError(f"{file}: is there already; delete it, or choose another name with --out")
    files.write_text(file, text)
    start = STARTS[kind].format(file=shlex.quote(str(file)), name=name_job())
    print(f"{file}: {describe_job(arguments, job)}; look it over, then start it: {start}")


def has_sent_remote() -> bool:
    """Return whether `.dvc/config` has a default remote: a job has no other settings of DVC, such as the user's own."""
    settings = dvc_command.read_dvc_settings("--project") if files.is_folder(dvc_command.DVC_FOLDER) else {}
    return f"remote.{settings.get('core.remote')}.url" in settings


def read_job(arguments: Arguments) -> Job:
    """Return what the command line asks for. Raises `UserError` for what this kind of job cannot have."""
    asked = {name: vars(arguments)[name] for name in ("nodes", "gpus", "cores")}
    if arguments.kind == "ray" and (given := [f"--{name}" for name, value in asked.items() if value is not None]):
        raise UserError(f"submit ray: the cluster has its machines already; leave out {', '.join(given)}")
    for name in ("nodes", "cores", "minutes"):
        value = vars(arguments)[name]
        if value is not None and value < 1:
            raise UserError(f"submit {arguments.kind}: --{name}: must be at least 1, not {value}")
    gpu_type, gpus = read_gpus(arguments.kind, arguments.gpus) if arguments.gpus is not None else ("", 0)
    is_slurm = arguments.kind == "slurm"
    return Job(
        nodes=arguments.nodes or 1,
        gpu_type=gpu_type,
        gpus=gpus,
        cores=arguments.cores or (SLURM_CORES if is_slurm else 0),
        minutes=arguments.minutes or (SLURM_MINUTES if is_slurm else 0),
    )


def read_gpus(kind: str, text: str) -> tuple[str, int]:
    """Return the type ('': any) and the number of GPUs. Raises `UserError`."""
    match = GPUS.fullmatch(text)
    if match is None:
        raise UserError(f'submit {kind}: --gpus: must be a number, a type or both, such as H100:4, not "{text}"')
    if kind == "skypilot" and match["count"]:
        raise UserError(f"submit skypilot: --gpus: needs the type, too, such as H100:{text}")
    return match["type"] or "", int(match["number"] or match["count"] or 1)


def build_file(kind: str, job: Job, file: str, *, has_remote: bool) -> str:
    """Fill in the template of a kind of job. `has_remote`: results go to a remote of DVC afterwards."""
    # without escapes: shells have their own
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(files.read_bytes(find_package_file("cli", "jobs", TEMPLATES[kind])).decode())
    project = str(files.resolve_links(Path()))
    limit = f"timeout --signal=INT {job.minutes}m " if job.minutes else ""
    command = f"{WITHOUT_GIT}; {limit}thalweg run; code=$?; dvc push --run-cache; exit $code"
    return template.render(
        asdict(job),
        name=name_job(),
        file=shlex.quote(file),
        project=project if kind == "skypilot" else shlex.quote(project),
        programs=shlex.quote(str(Path(sys.executable).parent)),
        requirement=shlex.quote(name_requirement(job)),
        limit=limit,
        without_git=WITHOUT_GIT,
        has_remote=has_remote,
        runtime=shlex.quote(json.dumps({"excludes": [f"/{path}" for path in NOT_SENT]})),
        command=shlex.quote(command),
    )


def name_job() -> str:
    """Name a job after the folder of the project, in letters, digits and -."""
    name = re.sub(r"[^a-z0-9]+", "-", files.resolve_links(Path()).name.lower()).strip("-")
    return f"thalweg-{name}".removesuffix("-")


def name_requirement(job: Job) -> str:
    """Return what pip installs on a machine: the project if it is a checkout of Thalweg, or else this version."""
    device = "tpu" if job.gpu_type.lower().startswith("tpu") else "cuda12" if job.gpus else "train"
    extras = f"[{device}{',ray' if job.nodes > 1 else ''}]"
    is_checkout = files.path_exists(Path("thalweg", "__init__.py"))
    return f".{extras}" if is_checkout else f"thalweg{extras}=={thalweg.__version__}"


def describe_job(arguments: Arguments, job: Job) -> str:
    """Describe a job: `2 nodes, each with 4 cores and 8 H100, for 60 minutes (no --minutes said otherwise)`."""
    gpus = f"{job.gpus} {job.gpu_type}" if job.gpu_type else format_count(job.gpus, "GPU") if job.gpus else ""
    each = " and ".join(filter(None, [format_count(job.cores, "core") if job.cores else "", gpus]))
    parts = [
        "the Ray cluster" if arguments.kind == "ray" else format_count(job.nodes, "node"),
        f"{'each ' if job.nodes > 1 else ''}with {each}" if each else "",
        f"for {format_count(job.minutes, 'minute')}" if job.minutes else "",
    ]
    assumed = [name for name in ("cores", "minutes") if vars(job)[name] and vars(arguments)[name] is None]
    note = f" (no {' or '.join(f'--{name}' for name in assumed)} said otherwise)" if assumed else ""
    return ", ".join(filter(None, parts)) + note
