"""What `check` calls good trains: random params files from every registered kind."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import assume, event, given, note
from ruamel.yaml import YAML

from tests.helpers.drawn_params import draw_params, list_pairs
from tests.helpers.programs import release_programs
from tests.helpers.size import Size, sized
from thalweg.cli import preflight
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import DataSource
from thalweg.engine import population
from thalweg.schema.section import find_members
from thalweg.search.samplers import OptunaSampler
from thalweg.training import build

STEPS = 2


@pytest.fixture(scope="session")
def source_task_pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, DataSource, str]]:
    """A few examples of every source, with every task that they suit."""
    sources = []
    for kind, source in find_members("thalweg.data.sources").items():
        folder = tmp_path_factory.mktemp(kind)
        sources.append((folder, cast(type[DataSource], source).write_example(folder)))
    return list_pairs(sources)


def train_if_good(tree: dict[str, Any], file: Path) -> None:
    """Train the first trials of a params file for two steps or more, if `check` calls it good."""
    YAML(typ="safe").dump(tree, file)
    try:
        config = load_config(file, preflight.find_data_problems)
    except ParamsError as error:
        event("not good")
        note(str(error))
        assume(False)
    event(f"good: {tree['task']['kind']}")
    examples = config.data.source.read_examples(Path(config.data.path), rng.derive_seed(config.seed, "source")).examples
    assert config.task.find_data_faults(examples) == []
    parts = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    data, spec = build.build_data(config, examples, parts, np.zeros(0, np.int64)), build.build_data_spec(examples)
    for setting in OptunaSampler(config).ask(0, config.study.cohort):
        changed = config.replace_values(setting)
        plan = build.build_plan(changed, spec, data, searched=True)
        state = population.init_lane(plan, build.build_hyper(changed), 1, 0)
        (after,) = population.advance_lanes(plan, [build.build_hyper(changed)], [state], data, [plan.epochs])
        assert int(after.step) == plan.epochs * plan.steps_per_epoch or int(after.diverged_step) >= 0
        assert int(after.step) >= min(STEPS, plan.epochs * plan.steps_per_epoch)


@sized(500, slow=5)
def test_a_good_file_trains(source_task_pairs: Any, tmp_path: Path, size: Size) -> None:
    @size.draw_with_hypothesis
    @given(tree=draw_params(source_task_pairs))
    def check(tree: dict[str, Any]) -> None:
        train_if_good(tree, tmp_path / "params.yaml")
        release_programs()  # data of many shapes, each with programs of its own

    check()
