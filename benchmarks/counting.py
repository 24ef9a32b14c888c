"""Count the people at the bus stop by regression, by density and by detection; print a table in Markdown.

All methods use the network, frames and augmentation of presets/bus-stop.yaml. Regression omits shift and cutout,
which would make its labels wrong. Each method trains several learning rates and seeds as one program and keeps the rate
with the least validation error. The test set is a random fifth of the frames, like the data's own, or whole sessions.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from thalweg.engine.devices import copy_to_devices

ROOT = Path(__file__).parents[1]
CONFIDENCE_LOSS = {"kind": "binary_cross_entropy", "gamma": 0.0}
METHODS: dict[str, dict[str, Any]] = {
    "regression": {
        "task": {"kind": "count"},
        "loss.terms": {"count": {"kind": "l1"}},
        # a number does not say whom these hide
        "augment.online.shift": 0.0,
        "augment.online.cutout": 0.0,
    },
    "density": {"task.mirror": False},
    "mirrored density": {},
    "mirrored density, width 24": {"model.width": 24},
    "detection": {
        "task": {"kind": "detect", "cell": 8, "side": 8, "classes": False, "most": 96, "overlap": 0.2},
        "loss.terms": {
            "missed": CONFIDENCE_LOSS,
            "false_alarms": {**CONFIDENCE_LOSS, "weight": 3.0},
            "position": {"kind": "l1"},
        },
    },
}
TEST = 0.2  # share of the frames or sessions
VALIDATION = 0.08  # share of the frames or sessions


@dataclass(frozen=True)
class Options:
    data: str
    hold: str
    epochs: int
    seeds: int
    rates: tuple[float, ...]


def split_frames(groups: Any, hold: str) -> Any:
    """Split by frames, or by sessions (the groups)."""
    import numpy as np

    from thalweg.data.splits import Splits

    generator = np.random.default_rng(1)
    _, session = np.unique(groups, return_inverse=True)
    units = session if hold == "sessions" else np.arange(len(groups))
    position = generator.permutation(units.max() + 1)[units] / (units.max() + 1)
    test, train = position < TEST, position >= TEST + VALIDATION
    rows = [np.flatnonzero(mask).astype(np.int32) for mask in (train, ~test & ~train, test)]
    return Splits((rows[0],), (rows[1],), rows[2])


def build_row(method: str, options: Options) -> list[str]:
    """Train one method and return its row of the table."""
    import numpy as np

    from thalweg.config.experiment import Config
    from thalweg.core import rng
    from thalweg.engine import population
    from thalweg.reporting.text import format_number
    from thalweg.training import build, inference

    began = time.perf_counter()
    preset = Config.model_validate(YAML(typ="safe").load(ROOT / "presets" / "bus-stop.yaml"))
    common_values = {"study.space": {}, "training.epochs": options.epochs, "training.validate_every": options.epochs}
    config = preset.replace_values({**METHODS[method], **common_values})
    examples = config.data.source.read_examples(Path(options.data), 0).examples
    splits = split_frames(examples.groups, options.hold)
    host_data = build.build_data(config, examples, splits, np.zeros(0, np.int64))
    plan = build.build_plan(config, build.build_data_spec(examples), host_data, searched=False, kept_weights="last")
    lanes = [(rate, seed) for rate in options.rates for seed in range(options.seeds)]
    hypers = [build.build_hyper(config.replace_values({"optimizer.learning_rate": rate})) for rate, _ in lanes]
    starts = [
        population.init_lane(plan, hyper, rng.derive_seed(config.seed, "counting", seed), 0)
        for hyper, (_, seed) in zip(hypers, lanes, strict=True)
    ]
    data = copy_to_devices(host_data)
    ends = population.advance_lanes(plan, hypers, starts, data, [plan.epochs] * len(starts))

    def compute_errors(rows: Any) -> Any:
        """Return mean absolute errors [rates, seeds], and those of the mean prediction over seeds [rates]."""
        outputs = inference.predict_examples(plan, [state.best_weights for state in ends], data, rows)
        counts = np.stack(
            [plan.task.build_prediction_columns(output, examples.classes)["prediction"] for output in outputs]
        )
        counts = counts.reshape(len(options.rates), options.seeds, -1)
        truth = examples.labels["count"][rows]
        return abs(counts - truth).mean(-1), abs(counts.mean(1) - truth).mean(-1)

    best = int(compute_errors(splits.validation[0])[0].mean(1).argmin())
    errors_by_seed, mean_error = (values[best] for values in compute_errors(splits.test))
    print(f"{method}: {time.perf_counter() - began:.0f} s", flush=True)
    spread = f"{format_number(errors_by_seed.mean())} (sd {format_number(errors_by_seed.std(ddof=1), 2)})"
    return [method, format_number(options.rates[best]), spread, format_number(mean_error)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default_folder = os.environ.get("THALWEG_BUS_STOP")
    parser.add_argument(
        "--data", default=default_folder, required=not default_folder, help="default: $THALWEG_BUS_STOP"
    )
    parser.add_argument("--hold", choices=("frames", "sessions"), default="frames")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.0008, 0.0015, 0.003])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    arguments = parser.parse_args()
    options = Options(arguments.data, arguments.hold, arguments.epochs, arguments.seeds, tuple(arguments.rates))
    rows = [build_row(method, options) for method in arguments.methods]
    print(
        "| method | learning rate | MAE per seed | MAE of the seeds' mean |", "| --- | ---: | ---: | ---: |", sep="\n"
    )
    print(*(f"| {' | '.join(row)} |" for row in rows), sep="\n")


if __name__ == "__main__":
    main()
