"""Accelerators as the machine's drivers report them, and why JAX may not use them. Loads no JAX."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from thalweg.system import files

NVIDIA_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
PCI_DEVICES = Path("/sys/bus/pci/devices")  # Linux
GOOGLE = "0x1ae0"
NO_TPU_CLASSES = ("0x01", "0x02")
"""Classes of Google's other devices: storage and network."""
CUDA_DRIVERS = {"cuda13": 580, "cuda12": 525}
"""The oldest driver of each CUDA, the newest CUDA first (NVIDIA, CUDA Compatibility)."""
PLUGINS = {"cuda13": "jax-cuda13-plugin", "cuda12": "jax-cuda12-plugin", "tpu": "libtpu"}
"""What each extra of the package installs for JAX."""
ALIASES = {"gpu": {"gpu", "cuda"}, "tpu": {"tpu"}}
"""What JAX_PLATFORMS may call a platform."""
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Accelerator:
    """A device that a driver reports. `memory_bytes` is 0, and `driver` is '', where the driver does not say."""

    platform: Literal["gpu", "tpu"]
    name: str
    memory_bytes: int = 0
    driver: str = ""


def list_accelerators() -> list[Accelerator]:
    """List NVIDIA's GPUs and Google's TPUs that the machine's drivers report."""
    return [*_list_gpus(), *_list_tpus()]


def _list_gpus() -> Iterator[Accelerator]:
    try:
        result = subprocess.run(NVIDIA_QUERY, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return
    if result.returncode:
        return
    for line in result.stdout.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3:
            mebibytes = int(fields[1]) if fields[1].isdigit() else 0
            yield Accelerator("gpu", fields[0], mebibytes * 2**20, fields[2])


def _list_tpus() -> Iterator[Accelerator]:
    for device in files.list_system_folder(PCI_DEVICES):
        vendor, kind = (files.read_system_text(device / name).strip() for name in ("vendor", "class"))
        if vendor == GOOGLE and not kind.startswith(NO_TPU_CLASSES):
            yield Accelerator("tpu", f"TPU at {device.name}")


def choose_extra(accelerator: Accelerator) -> str:
    """Return the extra that a device needs: the newest that its driver runs; '' if the driver is too old for all."""
    extras = ["tpu"] if accelerator.platform == "tpu" else list(CUDA_DRIVERS)
    return next((extra for extra in extras if has_driver(accelerator, extra)), "")


def has_driver(accelerator: Accelerator, extra: str) -> bool:
    """Return whether a device's driver is new enough for an extra; also if the driver does not say its version."""
    major = accelerator.driver.partition(".")[0]
    return not major.isdigit() or int(major) >= CUDA_DRIVERS.get(extra, 0)


def explain_hidden_device(accelerator: Accelerator, fault: str) -> tuple[str, str]:
    """Say why JAX does not use a device that a driver reports, and what to do.

    `fault` is what JAX says about it. It is the answer where nothing else explains it.
    """
    last = fault or "JAX gives no reason", "upgrade the driver, or install JAX again"
    return next(_find_reasons(accelerator), last)


def _find_reasons(accelerator: Accelerator) -> Iterator[tuple[str, str]]:
    """Yield what keeps JAX from a device, each with its cure."""
    is_gpu = accelerator.platform == "gpu"
    platforms = os.environ.get("JAX_PLATFORMS", "")
    if platforms and not ALIASES[accelerator.platform] & {name.strip().lower() for name in platforms.split(",")}:
        yield f"JAX_PLATFORMS is {platforms}", "unset JAX_PLATFORMS"
    if is_gpu and os.environ.get(VISIBLE_GPUS, "0").strip() in ("", "-1"):
        yield f"{VISIBLE_GPUS} hides all GPUs", f"unset {VISIBLE_GPUS}"
    extra = choose_extra(accelerator)
    if not extra:
        oldest = min(CUDA_DRIVERS.values())
        yield f"its driver is {accelerator.driver}; JAX needs {oldest} or newer", "install a newer driver"
    fitting = [name for name in PLUGINS if (name == "tpu") != is_gpu and (not extra or has_driver(accelerator, name))]
    installed = {name: found for name in fitting if (found := _find_version(PLUGINS[name]))}
    if not installed:
        yield f"{PLUGINS[extra or fitting[0]]} is not installed", describe_installation(extra or fitting[0])
    jaxlib = _find_version("jaxlib")
    for name, found in installed.items():
        if is_gpu and found != jaxlib:
            yield f"{PLUGINS[name]} is {found}, but jaxlib is {jaxlib}", describe_installation(name)


def describe_installation(extra: str) -> str:
    """Return the command that installs what JAX needs for a device, in a clone or elsewhere."""
    is_clone = files.path_exists(Path("Makefile")) and files.path_exists(Path("pipeline"))
    return f"make GPU={extra}" if is_clone else f'pip install "thalweg[{extra}]"'


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
