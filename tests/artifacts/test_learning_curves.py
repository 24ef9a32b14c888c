from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from thalweg.artifacts import learning_curves
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.config.experiment import Config
from thalweg.core.metrics import TAKEN_NAMES
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.search.run import build_trials_table
from thalweg.search.trials import Outcome, Trial
from thalweg.stats.verdicts import build_verdict_table
from thalweg.system import table_files

CONFIG = Config.model_validate(YAML(typ="safe").load(Path("params.yaml"))).replace_values(
    {
        "task": {"kind": "count"},
        "loss.terms": {"count": {"kind": "l2"}},
        "training": {"epochs": 12, "validate_every": 2},
        "study.objective": "mae",
        "study.space": {
            "optimizer.learning_rate": {"low": 0.01, "high": 1.0},
            "loss.terms.count.kind": {"choices": ["l2", "huber"]},
            "loss.terms.count.delta": {"low": 0.5, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
        },
    }
)
NAMES = (*learning_curves.CURVE_COLUMNS, *CONFIG.task.METRIC_DIRECTIONS)


def build_lane(validations: int, diverged_step: int | None = None) -> LaneResult:
    """A lane of six validations that ended after so many; each curve's values tell its name and place."""
    falling = [2.0 + 8.0 * 0.5**i if i < validations else None for i in range(6)]
    if diverged_step is not None:
        falling[validations - 1] = None
    curves = {name: [None if v is None else v + place for v in falling] for place, name in enumerate(NAMES)}
    rates: dict[str, list[float | None]] = {
        "learning_rate": [0.1 if i < validations else None for i in range(6)],
        "train_spread": [0.1] * 6,
    }
    return LaneResult(curves | rates, 2 * validations, diverged_step, ended=True)


TRIALS = [
    Trial(
        Outcome(0, {"optimizer.learning_rate": 0.1, "loss.terms.count.kind": "l2"}, "complete", (1.5,)),
        (TrainedLane(5, 0, build_lane(6)), TrainedLane(9, 0, build_lane(4))),
    ),
    Trial(
        Outcome(
            1,
            {"optimizer.learning_rate": 1.0, "loss.terms.count.kind": "huber", "loss.terms.count.delta": 0.75},
            "diverged",
        ),
        (TrainedLane(5, 0, build_lane(3, diverged_step=17)), TrainedLane(9, 0, build_lane(2, diverged_step=11))),
    ),
]
LANES = [(trial.outcome.number, *lane) for trial in TRIALS for lane in trial.lanes]


def test_trials_table_leaves_inactive_empty() -> None:
    table = build_trials_table(CONFIG, TRIALS)
    assert list(table) == [
        "number",
        "state",
        "value",
        "loss.terms.count.kind",
        "loss.terms.count.delta",
        "optimizer.learning_rate",
        "epochs",
        "diverged_step",
        "same_as",
    ]
    assert table["state"].tolist() == ["complete", "diverged"]
    assert table["epochs"].tolist() == [12, 6]
    assert table["diverged_step"].tolist() == [pd.NA, 11]
    assert table["loss.terms.count.delta"].isna().tolist() == [True, False]
    assert table["value"].isna().tolist() == [False, True]


def test_trials_table_round_trip(tmp_path: Path) -> None:
    table_files.write_table(tmp_path / "trials.csv", build_trials_table(CONFIG, TRIALS))
    lines = (tmp_path / "trials.csv").read_text().splitlines()
    assert lines[1:] == ["0,complete,1.5,l2,,0.1,12,,", "1,diverged,,huber,0.75,1.0,6,11,"]


def test_curves_table_ends_where_each_lane_ended() -> None:
    table = build_curves_table(CONFIG, LANES)
    assert list(table) == [
        "trial",
        "seed",
        "fold",
        "epoch",
        *NAMES[:4],
        *CONFIG.task.METRIC_DIRECTIONS,
        "learning_rate",
    ]
    counts = table.groupby(["trial", "seed"]).size()
    assert counts.to_dict() == {(0, 5): 6, (0, 9): 4, (1, 5): 3, (1, 9): 2}
    assert table["epoch"].tolist()[:6] == [2, 4, 6, 8, 10, 12]
    assert table["mae"].tolist()[:2] == [10.0 + NAMES.index("mae"), 6.0 + NAMES.index("mae")]
    assert np.isnan(table[table["trial"] == 1]["mae"].iloc[2])


def test_baseline_curves_have_no_trial() -> None:
    table = build_curves_table(CONFIG, [(None, 5, 0, build_lane(6)), (None, 5, 1, build_lane(6))])
    assert table["trial"].isna().all()
    assert table["fold"].tolist() == [0] * 6 + [1] * 6
    assert len(build_verdict_table("mae", "min", table, {})) == 1


@pytest.mark.parametrize("stored", [False, True])
def test_verdict_table_uses_first_lane_of_each_trial(stored: bool, tmp_path: Path) -> None:
    table = build_curves_table(CONFIG, LANES)
    if stored:
        table_files.write_table(tmp_path / "curves.csv", table)
        table = table_files.read_table(tmp_path / "curves.csv")
    verdicts = build_verdict_table("mae", "min", table, {})
    assert verdicts["trial"].tolist() == [0, 1]
    assert verdicts["kind"].iloc[1] == "diverged"
    assert verdicts["evidence"].iloc[1].numbers["epoch"] == 6
    assert verdicts["kind"].iloc[0] != "diverged"


def test_no_metric_has_the_name_of_a_column() -> None:
    pruned = CONFIG.replace_values({"study.prune": {"first": 2}})
    columns = {*build_curves_table(CONFIG, LANES), *build_trials_table(pruned, TRIALS)}
    assert {name for name in columns - {*CONFIG.task.METRIC_DIRECTIONS} if "." not in name} <= {*TAKEN_NAMES}
