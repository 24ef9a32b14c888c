"""`thalweg doctor`: what this machine computes with, whether it computes rightly, and what JAX does not see."""

import platform
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import thalweg
from thalweg.cli import measure, preflight, programs
from thalweg.cli.answers import format_answer
from thalweg.cli.presets import require_preset
from thalweg.config.load import load_config
from thalweg.engine import devices, population
from thalweg.system import drivers, locks, machine
from thalweg.system.counts import format_bytes
from thalweg.system.drivers import Accelerator

SIZE = 256
"""Rows of the matrices of the product. Whole numbers of a few bits, so every sum is exact in float32."""
LARGEST = 8
LANE = {
    "data.source": {"kind": "scenes", "examples": 64, "size": [24, 24], "places": 16},
    "model": {"kind": "mlp", "width": 16, "depth": 1},
    "training": {"epochs": 2, "batch_size": 16},
    "study.trials": 1,
    "study.cohort": 1,
    "study.space": {},
}
"""The lane that each device trains: a small network on random images."""


@dataclass(frozen=True)
class DeviceAnswer:
    """A device that JAX uses. `memory_bytes`: what a program may take, or for a CPU what is free; 0: not known.

    `faults`: what it computed wrongly. `lane_seconds`: of a small lane, after compiling.
    """

    number: int
    platform: str
    name: str
    memory_bytes: int
    lane_seconds: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class HiddenDevice:
    """A device that a driver reports and JAX does not use: why, and what to do."""

    name: str
    driver: str
    reason: str
    advice: str


@dataclass(frozen=True)
class DoctorAnswer:
    """What computes here. `lock`: the lock file that the installed packages fit best, and how they differ from it.

    `fault`: what JAX says if it can use no device at all.
    """

    thalweg: str
    versions: dict[str, str]
    lock: str
    lock_differences: tuple[str, ...]
    devices: tuple[DeviceAnswer, ...]
    accelerators: tuple[Accelerator, ...]
    hidden: tuple[HiddenDevice, ...]
    fault: str = ""

    @property
    def is_well(self) -> bool:
        """Whether every device computes rightly, and JAX uses all that the drivers report."""
        return not self.fault and not self.hidden and not any(device.faults for device in self.devices)


def examine_machine(*, as_json: bool) -> int:
    """Examine the machine, and print what was found. Returns the exit code: 2 if something is wrong."""
    accelerators = drivers.list_accelerators()
    lock, differences = locks.find_matching_lock(Path())
    fault = machine.find_platform_fault()
    answer = DoctorAnswer(
        thalweg.__version__,
        machine.list_versions(),
        lock,
        tuple(differences),
        () if fault else examine_devices(),
        tuple(accelerators),
        find_hidden_devices(accelerators),
        fault,
    )
    print(format_answer(answer) if as_json else describe_machine(answer))
    return 0 if answer.is_well else 2


def find_hidden_devices(accelerators: list[Accelerator]) -> tuple[HiddenDevice, ...]:
    """Return the devices that a driver reports while JAX uses none of their platform."""
    hidden = []
    for platform_name in sorted({accelerator.platform for accelerator in accelerators}):
        fault = machine.find_platform_fault(platform_name)
        for accelerator in accelerators:
            if fault and accelerator.platform == platform_name:
                reason, advice = drivers.explain_hidden_device(accelerator, fault)
                hidden.append(HiddenDevice(accelerator.name, accelerator.driver, reason, advice))
    return tuple(hidden)


def examine_devices() -> tuple[DeviceAnswer, ...]:
    """Compute a product, and train a lane, on each device."""
    seconds, faults = _train_lanes()
    return tuple(
        DeviceAnswer(
            device.id,
            device.platform,
            machine.describe_processor() if device.platform == "cpu" else device.device_kind,
            _count_memory(device),
            seconds,
            tuple(filter(None, [_find_product_fault(device), fault])),
        )
        for device, fault in zip(jax.devices(), faults, strict=True)
    )


def _count_memory(device: Any) -> int:
    if device.platform == "cpu":
        return machine.count_free_bytes()
    return int((device.memory_stats() or {}).get("bytes_limit", 0))


def _find_product_fault(device: Any) -> str:
    """Compare a product of matrices with NumPy's; every sum is exact, so not a bit may differ."""
    draw = np.random.default_rng(0)
    left, right = draw.integers(-LARGEST, LARGEST + 1, (2, SIZE, SIZE)).astype(np.float32)
    with jax.default_device(device), jax.default_matmul_precision("highest"):
        wrong = int((np.asarray(jnp.asarray(left) @ jnp.asarray(right)) != left @ right).sum())
    return f"{wrong:,} of {SIZE**2:,} numbers of a product of matrices are wrong" if wrong else ""


def _train_lanes() -> tuple[float, list[str]]:
    """Train one lane on each device, all alike. Returns the seconds after compiling, and each device's fault or ''."""
    config = load_config(require_preset("scenes")).replace_values(LANE)
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None, "drawn scenes need no files"
    (planned,) = programs.list_programs(config, outline)
    data = devices.copy_to_devices(measure.build_random_data(config, outline))
    count = jax.device_count()

    def train() -> list[Any]:
        states = [population.init_lane(planned.program, planned.hyper, 0, 0) for _ in range(count)]
        epochs = [planned.program.epochs] * count
        return population.advance_lanes(planned.program, [planned.hyper] * count, states, data, epochs, width=1)

    train()
    began = time.perf_counter()
    weights = [jax.tree.leaves(state.learner.parameters) for state in train()]
    seconds = time.perf_counter() - began
    return seconds, [find_lane_fault(leaves, weights[0]) for leaves in weights]


def find_lane_fault(weights: list[Any], first: list[Any]) -> str:
    """Say what is wrong with a lane's weights; '' if nothing. `first` are those of the same lane on device 0."""
    if not all(np.isfinite(leaf).all() for leaf in weights):
        return "a lane that it trained has weights that are not finite"
    if not all(np.array_equal(*pair) for pair in zip(weights, first, strict=True)):
        return "a lane that it trained has other bits than the same lane on device 0"
    return ""


def describe_machine(answer: DoctorAnswer) -> str:
    """Describe the answer, a line for each fact."""
    names = ", ".join(f"{name} {number}" for name, number in answer.versions.items() if name != "python")
    lines = [
        f"thalweg {answer.thalweg}, Python {platform.python_version()}; {names}",
        _describe_lock(answer),
        *map(_describe_device, answer.devices),
        *([f"JAX can use no device: {answer.fault}"] if answer.fault else []),
        _describe_drivers(answer.accelerators),
    ]
    for device in answer.hidden:
        lines += [f"JAX does not use the {device.name}: {device.reason}", f"  {device.advice}"]
    return "\n".join(lines)


def _describe_lock(answer: DoctorAnswer) -> str:
    if not answer.lock:
        return "packages: there is no lock file here"
    if not answer.lock_differences:
        return f"packages: as in {answer.lock}"
    shown = ", ".join(answer.lock_differences[:5])
    more = len(answer.lock_differences) - 5
    return f"packages: not all as in {answer.lock}: {shown}{f', and {more} more' if more > 0 else ''}"


def _describe_device(device: DeviceAnswer) -> str:
    memory = f", {format_bytes(device.memory_bytes)} of memory" if device.memory_bytes else ""
    name = device.name.partition(" (")[0] if device.platform == "cpu" else device.name
    verdict = "; ".join(device.faults) or f"a product is right, a small lane trained in {device.lane_seconds:.2f} s"
    return f"device {device.number}: {device.platform} {name}{memory}: {verdict}"


def _describe_drivers(accelerators: tuple[Accelerator, ...]) -> str:
    if not accelerators:
        return "drivers: none reports a GPU or a TPU"
    counts = Counter(f"{item.name}{f' (driver {item.driver})' if item.driver else ''}" for item in accelerators)
    return f"drivers: {', '.join(f'{count} x {name}' for name, count in counts.items())}"
