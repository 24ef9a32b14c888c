"""What each command and stage imports at its start: a heavy library takes 0.1 to 0.7 s of a processor."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.stages import STAGE_NAMES

HEAVY = (
    *("altair", "dvc", "flax", "jax", "optax", "optuna", "pandas", "pydantic", "scipy.special", "scipy.stats"),
    *("shtab", "skimage", "sklearn", "sqlalchemy", "vl_convert"),
)
COMMANDS: dict[str, set[str]] = {
    "--help": set(),
    "stage --help": set(),
    "unknown": set(),
    "predict": set(),
    "use no-such-preset": set(),
    "dashboard": set(),
    "timing": {"pydantic"},
    "stage inputs": set(),
}
"""Commands that end at once, with what they import."""
READ_PARAMS = {"jax", "flax", "optax", "pydantic"}
"""What params.yaml needs: losses and optimizers are JAX functions, and a model's class tells its sizes."""
STAGES: dict[str, set[str]] = {
    "prepare": READ_PARAMS,
    "augment": READ_PARAMS,
    "train": READ_PARAMS | {"pandas"},
    "evaluate": READ_PARAMS | {"pandas"},
    "study": READ_PARAMS | {"optuna", "pandas"},
    "confirm": READ_PARAMS | {"pandas", "scipy.special"},
    "diagnose": READ_PARAMS | {"pandas"},
    "report": READ_PARAMS | {"pandas", "scipy.special", "altair", "vl_convert"},
}
CHECK = READ_PARAMS

PRINT_IMPORTS = """
import contextlib, importlib, io, json, os, sys
from thalweg import cli

commands, stages, heavy = json.loads(sys.argv[1])

def print_imports(name, run):
    if os.fork():  # each in a copy of this process, which keeps what it has
        os.wait()
        return
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.suppress(SystemExit):
            run()
    print(json.dumps([name, [library for library in heavy if library in sys.modules]]), flush=True)
    os._exit(0)

for command in commands:
    print_imports(command, lambda: cli.main(command.split()))
importlib.import_module("thalweg.stages.runner")
print_imports("check", lambda: importlib.import_module("thalweg.cli.preflight"))
for stage in stages:
    print_imports(stage, lambda: importlib.import_module(f"thalweg.stages.{stage}"))
"""


@cache
def find_loaded_libraries(folder: Path) -> dict[str, set[str]]:
    """Find the heavy libraries that each command and each stage imports, from one process with a copy for each."""
    listing = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRINT_IMPORTS, json.dumps([list(COMMANDS), STAGE_NAMES, HEAVY])],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: set(libraries) for name, libraries in map(json.loads, listing.stdout.splitlines())}


@pytest.mark.parametrize(("name", "libraries"), {**COMMANDS, **STAGES, "check": CHECK}.items())
def test_start_imports_only_what_it_needs(
    name: str, libraries: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert find_loaded_libraries(tmp_path_factory.getbasetemp())[name] == libraries


def test_every_stage_is_listed() -> None:
    assert tuple(STAGES) == STAGE_NAMES
