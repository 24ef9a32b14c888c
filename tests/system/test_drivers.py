"""What drivers report, and why JAX does not use it."""

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.helpers.driver import H200, install_driver
from thalweg.system import drivers
from thalweg.system.drivers import Accelerator

GPU = Accelerator("gpu", "NVIDIA H200", 143771 * 2**20, "580.65.06")
OLD_GPU = Accelerator("gpu", "Tesla K80", 0, "470.82.01")
MIDDLE_GPU = Accelerator("gpu", "NVIDIA A100", 0, "535.104.05")
TPU = Accelerator("tpu", "TPU v5e")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def test_each_line_of_the_driver_is_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_driver(tmp_path, monkeypatch, H200, "Tesla K80, [N/A], 470.82.01", "No devices were found")
    assert drivers.list_accelerators() == [GPU, OLD_GPU]


def test_no_driver_reports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert drivers.list_accelerators() == []


def test_only_google_processors_are_tpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's network card and its disks are no TPU."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(drivers, "PCI_DEVICES", tmp_path)
    kinds = {"00:04": ("0x1ae0", "0x020000"), "00:05": ("0x1ae0", "0x010802"), "00:06": ("0x10de", "0x030200")}
    for name, (vendor, kind) in ({"00:07": ("0x1ae0", "0x120000")} | kinds).items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert drivers.list_accelerators() == [Accelerator("tpu", "TPU at 00:07")]


@pytest.mark.parametrize(
    ("accelerator", "extra"),
    [(GPU, "cuda13"), (MIDDLE_GPU, "cuda12"), (OLD_GPU, ""), (TPU, "tpu"), (Accelerator("gpu", "unknown"), "cuda13")],
)
def test_extra_fits_the_driver(accelerator: Accelerator, extra: str) -> None:
    assert drivers.choose_extra(accelerator) == extra


@pytest.mark.parametrize(
    ("accelerator", "variables", "reason", "advice"),
    [
        (GPU, {"JAX_PLATFORMS": "cpu"}, "JAX_PLATFORMS is cpu", "unset JAX_PLATFORMS"),
        (TPU, {"JAX_PLATFORMS": "cuda,cpu"}, "JAX_PLATFORMS is cuda,cpu", "unset JAX_PLATFORMS"),
        (GPU, {"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES hides all GPUs", "unset CUDA_VISIBLE_DEVICES"),
        (OLD_GPU, {}, "its driver is 470.82.01; JAX needs 525 or newer", "install a newer driver"),
        (GPU, {}, "jax-cuda13-plugin is not installed", 'pip install "thalweg[cuda13]"'),
        (MIDDLE_GPU, {}, "jax-cuda12-plugin is not installed", 'pip install "thalweg[cuda12]"'),
        (TPU, {"JAX_PLATFORMS": "tpu"}, "libtpu is not installed", 'pip install "thalweg[tpu]"'),
    ],
)
def test_what_hides_a_device(
    accelerator: Accelerator,
    variables: dict[str, str],
    reason: str,
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert drivers.explain_hidden_device(accelerator, "JAX says so") == (reason, advice)


@pytest.mark.parametrize(
    ("extra", "reason", "advice"),
    [
        ("cuda13", "JAX says so", "upgrade the driver, or install JAX again"),
        ("cuda12", "JAX says so", "upgrade the driver, or install JAX again"),
    ],
)
def test_jax_has_the_last_word(extra: str, reason: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of the version of jaxlib is installed; here jaxlib stands for it."""
    monkeypatch.setitem(drivers.PLUGINS, extra, "jaxlib")
    assert drivers.explain_hidden_device(GPU, "JAX says so") == (reason, advice)


def test_plugin_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(drivers.PLUGINS, "cuda13", "numpy")
    reason = f"numpy is {version('numpy')}, but jaxlib is {version('jaxlib')}"
    assert drivers.explain_hidden_device(GPU, "") == (reason, 'pip install "thalweg[cuda13]"')


def test_clone_is_installed_by_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").touch()
    (tmp_path / "pipeline").mkdir()
    assert drivers.describe_installation("cuda13") == "make GPU=cuda13"
