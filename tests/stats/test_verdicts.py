"""What the monitor is asked about: a verdict a trial, on the lane that tells most."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from thalweg.config.experiment import Config
from thalweg.stats.verdicts import build_verdict_table

CONFIG = Config.model_validate(YAML(typ="safe").load(Path("params.yaml"))).replace_values(
    {"task": {"kind": "count"}, "loss.terms": {"count": {"kind": "l2"}}, "study.objective": "mae", "study.space": {}}
)
FALLING = 2.0 + 8.0 * 0.5 ** np.arange(8)


@pytest.mark.parametrize("name", ["train_loss", "val_loss"])
def test_diverged_lane_is_judged(name: str) -> None:
    lane = {"trial": 0, "fold": 0, "epoch": range(1, 9), "learning_rate": 0.1, "train_spread": 0.1}
    curves = lane | dict.fromkeys(("train_loss", "val_loss", "mae"), FALLING)
    sound = pd.DataFrame(curves | {"seed": 5})
    broken = pd.DataFrame(curves | {"seed": 9})
    broken.loc[7, name] = np.inf
    verdict = build_verdict_table("mae", "min", pd.concat([sound, broken]), {0: 71})
    assert verdict["kind"].tolist() == ["diverged"]
    assert verdict["since"].tolist() == [8]


@pytest.mark.parametrize(("changes", "kind"), [(False, "rate too high"), (True, "rate too low")])
def test_loss_before_training_is_that_of_first_batch(changes: bool, kind: str) -> None:
    """It is of the first row alone, and says nothing if the terms' coefficients make another loss of it since."""
    lane = {"trial": 0, "seed": 5, "fold": 0, "epoch": range(1, 9), "learning_rate": 0.1, "train_spread": 0.1}
    losses = dict.fromkeys(("train_loss", "val_loss", "mae"), np.linspace(108, 100, 8))
    coefficient = np.linspace(1, 2, 8) if changes else np.ones(8)
    curves = pd.DataFrame(lane | losses | {"first_loss": [2.3] + [104.0] * 7, "term.count.coefficient": coefficient})
    assert build_verdict_table("mae", "min", curves, {})["kind"].tolist() == [kind]
    assert build_verdict_table("mae", "min", curves.drop(columns="first_loss"), {})["kind"].tolist() == ["rate too low"]
