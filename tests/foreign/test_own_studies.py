"""A study of ours, published to Optuna and read back, gives the same findings in the sections that both have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.simulate import Simulation, build_config
from benchmarks.calibration.worlds import World
from tests.helpers.stored_studies import FINGERPRINT
from thalweg.foreign.optuna_study import read_study
from thalweg.foreign.report import select_sections
from thalweg.foreign.tables import build_tables
from thalweg.reporting.sections import collect_findings, get_section_name
from thalweg.reporting.tables import StudyTables
from thalweg.search.publisher import Publisher

PRUNED = {"first": 4, "eta": 2, "audit": 0.0}
STUDIES: tuple[dict[str, Any], ...] = (
    {"study.trials": 48},
    {"study.trials": 48, "study.sampler": "random"},
    {"study.trials": 24, "study.cohort": 8},
    {"study.trials": 6, "study.cohort": 3},
    {"study.trials": 96, "study.sampler": "quasi_random"},
    {"study.trials": 48, "study.prune": PRUNED},
    {"study.trials": 96, "study.prune": PRUNED, "study.sampler": "random"},
    {"study.trials": 48, "study.also": ["rmse"]},
    {"study.trials": 24, "study.also": ["rmse", "exact"], "study.sampler": "nsga2"},
    {"study.trials": 96, "study.objective": "exact"},
)
OWN = ("result", "noise", "unknown")
"""Sections on what Optuna's storage does not have, or our own studies do not need."""


def search_study(seed: int, changes: dict[str, Any]) -> Simulation:
    """Search in a world where no trial diverges: Optuna's storage has a diverged trial as a stopped one."""
    rng = np.random.default_rng(seed)
    heights = tuple(1.5 + 0.5 * rng.random(5))
    world = World(heights=heights, paces=tuple(-2 + 0.5 * rng.standard_normal(5)), diverges=99.0)
    simulation = Simulation(world, build_config(seed, {"study.cohort": 6, "study.prune": None, **changes}))
    simulation.search()
    return simulation


def strip_tables(simulation: Simulation) -> StudyTables:
    """Return the study's own tables without what its storage lacks: fresh seeds, roles, sampler, losses."""
    own = simulation.build_tables(simulation.confirm())
    kept = {"also": simulation.config.study.also, "randomness": "independent"}
    return replace(
        own,
        params={"study": kept},
        curves=own.curves[["trial", "seed", "fold", "epoch", own.objective]],
        runs=pd.DataFrame(),
        baseline_curves=pd.DataFrame(),
        verdicts=pd.DataFrame(),
        summary=replace(own.summary, confirm=None, questions=(), runners_up=()),
        space=[replace(parameter, role="nuisance") for parameter in own.space],
        direction="max" if own.metric_directions[own.objective] == "max" else "min",
        metric_labels={name: name for name in own.metric_directions},
        bounds={},
        is_foreign=True,
    )


def collect_texts(tables: StudyTables) -> dict[str, list[tuple[str, str, str]]]:
    selected = {get_section_name(section): section for section in select_sections(tables)}
    return {
        name: [(each.verdict, each.evidence, each.next_step) for each in collect_findings(section, tables)]
        for name, section in selected.items()
        if name not in OWN
    }


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("number", range(len(STUDIES)))
def test_findings_survive_the_storage(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "studies.db"
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{file}")
    simulation = search_study(number, STUDIES[number])
    with Publisher(simulation.config, FINGERPRINT) as publisher:
        publisher.on_cohort(simulation.trials)
    read = build_tables(read_study(f"sqlite:///{file}", None))
    assert read.objective == simulation.config.study.objective
    assert len(read.trials) == len(simulation.trials)
    expected = collect_texts(strip_tables(simulation))
    assert collect_texts(read) == expected
