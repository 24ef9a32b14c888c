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


def config(model: str, trials: int, epochs: int, *, prune: bool = False, **sizes: Any) -> Config:
    """Return the case's study; `sizes` replace the model's."""
    given = [{PATHS[name]: value for name, value in one.items()} for one in case.draw_trials(trials)]
    study: dict[str, Any] = {
        "name": "benchmark",
        "sampler": "tpe" if prune else "random",
        "trials": trials,
        "cohort": case.COHORT,
        "objective": "mae",
        "prune": {"first": case.FIRST, "eta": case.ETA} if prune else None,
        # the first trial uses the values in the file
        "enqueue": () if prune else given[1:],
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
            "loss.terms": {"count": {"kind": given[0][PATHS["loss"]], "delta": case.DELTA}},
            "optimizer": {
                "kind": "heavy_ball",
                "learning_rate": given[0][PATHS["learning_rate"]],
                "momentum": given[0][PATHS["momentum"]],
            },
            "schedule": {"kind": "constant"},
            "training": {"epochs": epochs, "batch_size": case.BATCH},
            "study": study,
        }
    )


def prepare_data(config: Config) -> tuple[DataSpec, TrainingData]:
    """Return the case's images in the engine's form."""
    drawn = case.draw_examples()
    names = np.array([f"image {row}" for row in range(len(drawn.count))])
    examples = Examples(drawn.images[..., None], names, names, np.full(len(names), ""), {"count": drawn.count})
    rows = np.arange(len(names), dtype=np.int32)
    parts = Splits((rows[: case.TRAIN],), (rows[case.TRAIN :],), rows[:0])
    return build.build_data_spec(examples), build.build_data(config, examples, parts, np.zeros(0, np.int64))


@dataclass
class Clock:
    """Measures the seconds in compiled training programs and in the sampler."""

    programs: float = 0.0
    calls: int = 0
    sampler: float = 0.0
    _undo: list[Callable[[], None]] = field(default_factory=list)

    def __enter__(self) -> "Clock":
        program, propose, learn = population._compile_program, OptunaSampler.ask, OptunaSampler.tell

        def timed_program(plan: Any, arguments: Any) -> Any:
            compiled = program(plan, arguments)

            def run(*given: Any) -> Any:
                began = time.perf_counter()
                after = jax.block_until_ready(compiled(*given))  # type: ignore[no-untyped-call]
                self.programs += time.perf_counter() - began
                self.calls += 1
                return after

            return run

        def timed(method: Callable[..., Any]) -> Callable[..., Any]:
            def run(*given: Any) -> Any:
                began = time.perf_counter()
                try:
                    return method(*given)
                finally:
                    self.sampler += time.perf_counter() - began

            return run

        population._compile_program = timed_program  # type: ignore[assignment]
        OptunaSampler.ask, OptunaSampler.tell = timed(propose), timed(learn)  # type: ignore[method-assign]

        def undo() -> None:
            population._compile_program = program
            OptunaSampler.ask, OptunaSampler.tell = propose, learn  # type: ignore[method-assign]

        self._undo.append(undo)
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.pop()()


def sum_compile_seconds() -> float:
    """Return the seconds spent so far on compiling training programs."""
    return sum(timing.COMPILE_SECONDS)
