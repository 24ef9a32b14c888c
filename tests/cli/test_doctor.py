"""`thalweg doctor`: this machine's devices compute rightly, and what JAX does not see is named."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from tests.helpers.driver import H200, install_driver
from thalweg import cli
from thalweg.cli import doctor, start_line


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("_elsewhere")
def test_every_device_is_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [device["number"] for device in answer["devices"]] == [device.id for device in jax.devices()]
    assert all(device["memory_bytes"] and not device["faults"] for device in answer["devices"])
    assert answer["lock"] == ""
    assert answer["versions"]["jax"] == jax.__version__


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="JAX uses the accelerator")
def test_idle_device_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    install_driver(tmp_path, monkeypatch, H200, H200)
    assert cli.main(["doctor"]) == 2
    output = capsys.readouterr().out
    assert "drivers: 2 x NVIDIA H200 (driver 580.65.06)" in output
    assert "JAX does not use the NVIDIA H200: jax-cuda13-plugin is not installed" in output
    line = start_line.describe_idle_device()
    assert line.startswith("the NVIDIA H200 is idle, JAX computes on the CPU: jax-cuda13-plugin is not installed; ")


@pytest.mark.usefixtures("_elsewhere")
def test_no_device_is_no_traceback() -> None:
    """JAX fails wherever it is first asked: every command says why."""
    for command, stream in (("doctor", "stdout"), ("use digits --minutes 1", "stderr")):
        arguments = [sys.executable, "-m", "thalweg", *command.split()]
        done = subprocess.run(
            arguments,
            env={"JAX_PLATFORMS": "cuda", "PYTHONPATH": str(Path(cli.__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "JAX can use no device: " in getattr(done, stream)
        assert "Traceback" not in done.stderr


def test_wrong_lanes_are_found() -> None:
    ones = [jax.numpy.ones(3)]
    assert doctor.find_lane_fault(ones, ones) == ""
    assert "not finite" in doctor.find_lane_fault([jax.numpy.full(3, jax.numpy.nan)], ones)
    assert "other bits" in doctor.find_lane_fault([1.5 * ones[0]], ones)
