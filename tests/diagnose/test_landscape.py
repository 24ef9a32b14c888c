"""The ground around a small winner: every table agrees with the others where they look at one place."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.damages import DAMAGES, damage_file
from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.diagnose import landscape
from thalweg.diagnose.landscape import LandscapeTables
from thalweg.engine.devices import copy_to_devices
from thalweg.training import build

VALUES = {"optimizer.learning_rate": 0.02}
SURVEY = {"path": pd.DataFrame({"epoch": [1, 2], "a": [0.1, 1 / 3]}), "facts": pd.DataFrame({"examples": [3]})}


@pytest.fixture(scope="module")
def landscape_config(config: Config) -> Config:
    return config.replace_values({"diagnose.landscape": {"points": 5, "examples": 10, "seeds": 2}})


@pytest.fixture(scope="module")
def landscape_tables(landscape_config: Config, examples: Examples, splits: Splits) -> LandscapeTables:
    loaded = PreparedData(examples, splits, np.zeros(0, int))
    tables = landscape.survey_landscape(
        landscape_config, loaded, build.build_data(landscape_config, examples, splits, loaded.copy_origins), VALUES
    )
    assert tables is not None
    return tables


def test_map_centre_is_end_of_path(landscape_tables: LandscapeTables) -> None:
    middle = landscape_tables["plane"].query("plane == 'random' and a == 0 and b == 0").set_index("part")["loss"]
    end = landscape_tables["path"].iloc[-1]
    assert middle["train"] == pytest.approx(end["train"], rel=1e-6)
    assert middle["validation"] == pytest.approx(end["validation"], rel=1e-6)
    assert end[["a", "b"]].abs().max() < 1e-6


def test_line_joins_two_minima(landscape_tables: LandscapeTables, landscape_config: Config) -> None:
    line = landscape_tables["lines"][landscape_tables["lines"]["part"] == "train"].set_index("t")["loss"]
    assert line[0.0] == pytest.approx(landscape_tables["path"]["train"].iloc[-1], rel=1e-6)
    assert 1.0 in line.index
    assert landscape_tables["lines"]["first"].unique().tolist() == [candidates.list_confirm_seeds(landscape_config)[0]]
    assert landscape_tables["lines"]["second"].unique().tolist() == [candidates.list_confirm_seeds(landscape_config)[1]]


def test_path_is_of_the_confirmed_seed(
    landscape_config: Config,
    examples: Examples,
    splits: Splits,
    data_spec: DataSpec,
    tmp_path: Path,
    landscape_tables: LandscapeTables,
) -> None:
    """Stopped after each validation or not, a lane ends with the same bits."""
    host = build.build_data(landscape_config, examples, splits, np.zeros(0, int))
    data = copy_to_devices(host)
    (winner,) = candidates.train_candidates(landscape_config, data_spec, splits, data, [(0, VALUES)], tmp_path)
    chosen = candidates.apply_trial_values(landscape_config, VALUES)
    way = landscape.record_training_path(
        winner.plan, build.build_hyper(chosen), data, candidates.list_confirm_seeds(landscape_config)[:1]
    )
    np.testing.assert_array_equal(way[-1][0].curves, winner.states[0][0].curves)
    assert landscape_tables["path"]["epoch"].tolist() == [
        0,
        *range(1, winner.plan.epochs + 1, winner.plan.validate_every),
    ]


def test_larger_batches_agree_more(landscape_tables: LandscapeTables) -> None:
    spread = landscape_tables["batches"].groupby(["size", "t"])["loss"].std().groupby("size").mean()
    assert list(spread.index) == [4, 10]
    assert landscape_tables["batches"].query("size == 10")["draw"].nunique() == 1


def test_curvature_is_known_along_path(landscape_tables: LandscapeTables) -> None:
    curvature = landscape_tables["curvature"]
    assert curvature["epoch"].iloc[0] == 0
    assert curvature["epoch"].iloc[-1] == landscape_tables["path"]["epoch"].iloc[-1]
    assert (curvature["largest"] >= curvature["smallest"]).all()
    assert curvature["limit"].notna().all()


def test_diverged_seed_has_no_landscape(landscape_config: Config, examples: Examples, splits: Splits) -> None:
    loaded = PreparedData(examples, splits, np.zeros(0, int))
    data = build.build_data(landscape_config, examples, splits, loaded.copy_origins)
    assert landscape.survey_landscape(landscape_config, loaded, data, {"optimizer.learning_rate": 1e30}) is None


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("tables", [SURVEY, None], ids=["tables", "diverged"])
def test_damaged_survey_is_measured_again(
    kind: str, tables: dict[str, pd.DataFrame] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The survey is kept in the state folder; a damaged copy is measured again."""
    surveys: list[Any] = []

    def survey(*arguments: Any) -> dict[str, pd.DataFrame] | None:
        surveys.append(arguments)
        return tables

    def write(target: str) -> dict[str, bytes]:
        landscape.write_landscape(tmp_path / target, file, *[None] * 4)  # type: ignore[arg-type]
        return {file.name: file.read_bytes() for file in (tmp_path / target).glob("*")}

    monkeypatch.setattr(landscape, "survey_landscape", survey)
    file = tmp_path / "state" / "landscape.json"
    first = write("first")
    assert sorted(first) == sorted(f"{name}.csv" for name in tables or ())
    assert write("second") == first
    assert len(surveys) == 1
    is_changed = damage_file(file, kind, random.Random(kind), b'{"path": "epoch\\n9\\n"}')
    assert write("third") == first
    assert len(surveys) == 1 + is_changed
