"""The case as a study of this engine, and a clock for the engine's parts."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ruamel.yaml import YAML

from benchmarks import case
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.engine import population
from thalweg.search.samplers import OptunaSampler
from thalweg.system import timing
from thalweg.training import build
from thalweg.training.plan import TrainingData

PRESET = Path(__file__).parents[1] / "presets" / "scenes.yaml"
PATHS = {
    "loss": "loss.terms.count.kind",
    "learning_rate": "optimizer.learning_rate",
    "momentum": "optimizer.momentum",
}
SIZES: dict[str, dict[str, Any]] = {
    "cnn": {"width": case.CHANNELS[0], "depth": len(case.CHANNELS)},
    "linear": {},
    "mlp": {"width": case.HIDDEN[0], "depth": len(case.HIDDEN)},
}


def load_preset() -> Config:
    """Return the experiment of the default preset."""
    return Config.model_validate(YAML(typ="safe").load(PRESET))


def build_config(model: str, trial_count: int, epochs: int, *, prune: bool = False, **sizes: Any) -> Config:
    """Return the case's study; `sizes` replace the model's."""
    trial_values = [{PATHS[name]: value for name, value in values.items()} for values in case.draw_trials(trial_count)]
    study: dict[str, Any] = {
        "name": "benchmark",
        "sampler": "tpe" if prune else "random",
        "trials": trial_count,
        "cohort": case.COHORT,
        "objective": "mae",
        "prune": {"first": case.FIRST, "eta": case.ETA} if prune else None,
        # the first trial uses the values in the file
        "enqueue": () if prune else trial_values[1:],
        "space": {
            PATHS["loss"]: {"choices": list(case.LOSSES)},
            PATHS["learning_rate"]: {"low": case.RATE[0], "high": case.RATE[1], "log": True},
            PATHS["momentum"]: {"low": case.MOMENTUM[0], "high": case.MOMENTUM[1]},
        },
    }
    return load_preset().replace_values(
        {
            "data.background": "",
            "augment": {"offline": {}, "online": {}},
            "task": {"kind": "count"},
            "model": {"kind": model, **SIZES[model], **sizes},
            "loss.terms": {"count": {"kind": trial_values[0][PATHS["loss"]], "delta": case.DELTA}},
            "optimizer": {
                "kind": "heavy_ball",
                "learning_rate": trial_values[0][PATHS["learning_rate"]],
                "momentum": trial_values[0][PATHS["momentum"]],
            },
            "schedule": {"kind": "constant"},
            "training": {"epochs": epochs, "batch_size": case.BATCH},
            "study": study,
        }
    )


def prepare_data(build_config: Config) -> tuple[DataSpec, TrainingData]:
    """Return the case's images in the engine's form."""
    images = case.draw_examples()
    names = np.array([f"image {row}" for row in range(len(images.count))])
    examples = Examples(images.images[..., None], names, names, np.full(len(names), ""), {"count": images.count})
    rows = np.arange(len(names), dtype=np.int32)
    parts = Splits((rows[: case.TRAIN],), (rows[case.TRAIN :],), rows[:0])
    return build.build_data_spec(examples), build.build_data(build_config, examples, parts, np.zeros(0, np.int64))


@dataclass
class Clock:
    """Measures the seconds in compiled training programs and in the sampler."""

    programs: float = 0.0
    calls: int = 0
    sampler: float = 0.0
    _restore: list[Callable[[], None]] = field(default_factory=list)

    def __enter__(self) -> "Clock":
        compile_program, ask, tell = population._compile_program, OptunaSampler.ask, OptunaSampler.tell

        def compile_timed_program(plan: Any, arguments: Any) -> Any:
            compiled = compile_program(plan, arguments)

            def run_timed(*call_arguments: Any) -> Any:
                began = time.perf_counter()
                result = jax.block_until_ready(compiled(*call_arguments))  # type: ignore[no-untyped-call]
                self.programs += time.perf_counter() - began
                self.calls += 1
                return result

            return run_timed

        def time_method(method: Callable[..., Any]) -> Callable[..., Any]:
            def run_timed(*call_arguments: Any) -> Any:
                began = time.perf_counter()
                try:
                    return method(*call_arguments)
                finally:
                    self.sampler += time.perf_counter() - began

            return run_timed

        population._compile_program = compile_timed_program  # type: ignore[assignment]
        OptunaSampler.ask, OptunaSampler.tell = time_method(ask), time_method(tell)  # type: ignore[method-assign]

        def restore_methods() -> None:
            population._compile_program = compile_program
            OptunaSampler.ask, OptunaSampler.tell = ask, tell  # type: ignore[method-assign]

        self._restore.append(restore_methods)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore.pop()()


def sum_compile_seconds() -> float:
    """Return the seconds spent so far on compiling training programs."""
    return sum(timing.COMPILE_SECONDS)
