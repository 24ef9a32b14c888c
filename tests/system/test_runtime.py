"""The environment that importing the package leaves to the libraries that are loaded after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system.runtime import BLAS_THREADS

TASKS = Path("/proc/self/task")
MULTIPLY = f"""
import thalweg.stages.report
import numpy, scipy.linalg, os
matrix = numpy.ones((600, 600))
scipy.linalg.eigh(matrix @ matrix)
print(len(os.listdir("{TASKS}")))
"""


def run_code(code: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name not in BLAS_THREADS}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_user_settings_are_kept() -> None:
    code = f"import os, thalweg; print(*(os.environ[name] for name in {BLAS_THREADS}))"
    assert run_code(code) == "1 1 1 1"
    assert run_code(code, OPENBLAS_NUM_THREADS="3") == "3 1 1 1"


@pytest.mark.slow
@pytest.mark.skipif(not TASKS.exists(), reason="the system does not list a process's threads")
def test_linear_algebra_starts_no_thread() -> None:
    assert int(run_code(MULTIPLY)) == 1


def test_settings_precede_libraries() -> None:
    code = "import sys, thalweg; print([name for name in ('numpy', 'scipy', 'jax') if name in sys.modules])"
    assert run_code(code) == "[]"


BROKEN_PLUGIN = """
def initialize():
    raise RuntimeError("no driver here\\nat all")
"""


def test_fault_of_a_plugin_is_a_sentence(tmp_path: Path) -> None:
    """JAX finds plugins in the namespace package `jax_plugins`, and logs a traceback of one that fails."""
    plugin = tmp_path / "jax_plugins" / "broken" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(BROKEN_PLUGIN)
    code = "from thalweg.system import machine; print(machine.find_platform_fault('gpu'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "no driver here"
    assert "Traceback" not in done.stderr
