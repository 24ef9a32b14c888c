"""The whole pipeline on a few small scenes, in this process: seconds from the first stage to the report."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from tests.helpers.small_study import build_params
from thalweg.core import losses
from thalweg.stages import runner
from thalweg.system import files
from thalweg.system.paths import PARAMS
from thalweg.tasks.count import Count

TREE = build_params(
    {
        "seed": 1,
        "data": {
            "path": "data",
            "source": {"kind": "scenes", "examples": 96, "size": [24, 24], "places": 12, "people": [0, 4]},
            "split": {"by": "group", "validation": 0.25, "test": 0.25},
        },
        "augment": {"offline": {"copies": 1, "flip": 1.0}, "online": {"brightness": 0.1}},
        "task.density": 8,
        "loss.terms": {n: {"kind": losses.list_losses(f)[0]} for n, f in Count(density=8).loss_families.items()},
        "optimizer.learning_rate": 0.001,
        "schedule.kind": "cosine",
        "training": {"epochs": 2, "batch_size": 16},
        "study.trials": 4,
        "study.cohort": 2,
        "study.sampler": "tpe",
        "study.space": {
            "optimizer.learning_rate": {"low": 0.0001, "high": 0.01, "log": True},
            "optimizer.momentum": {"low": 0.0, "high": 0.9},
        },
        "confirm.seeds": 2,
        "diagnose": {"gradients": True},
        "report": {"title": "Few people"},
    }
)


def write_params(tree: dict[str, Any], comment: str = "") -> None:
    """Write params.yaml."""
    text = StringIO()
    YAML(typ="rt").dump(tree, text)
    files.write_text(PARAMS, comment + text.getvalue())


def run_stages(*names: str) -> None:
    """Run stages."""
    for name in names:
        runner.run_stage(name)
