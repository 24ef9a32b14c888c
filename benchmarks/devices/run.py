"""Measure what the process that leads a study spends, and simulate studies on 8, 64 and 1,000 devices with it.

python -m benchmarks.devices.run           both, in about two minutes on two cores; into results.json and RESULTS.md
python -m benchmarks.devices.run --kept    simulate with the costs that results.json has
python -m benchmarks.devices.run --quick   only check that everything runs; prints
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks import run
from benchmarks.calibration.run import FILE, read_commit
from benchmarks.devices import costs
from benchmarks.devices.simulation import Study
from benchmarks.devices.table import render_devices
from benchmarks.devices.world import FREE, Costs, World, fit_costs
from thalweg.search.cohorts import Rules

DEVICES = (8, 64, 1000)
TRIALS = 16  # for each device
EPOCHS = 27
RUNGS = (3, 9, EPOCHS)
REPEATS = 3
COLUMNS = ((False, 1), (False, 2), (True, 1), (True, 2), (True, 4), (True, 8))
"""Pruning, and cohorts in flight."""


@dataclass(frozen=True)
class Case:
    """A study to simulate: its world, its costs and rules, and whether lanes wait for each other at segments."""

    world: World
    costs: Costs
    rules: Rules
    has_segments: bool = True


def build_rules(devices: int, cohort: int, prune: bool, depth: int) -> Rules:
    return Rules(TRIALS * devices, cohort, (RUNGS if prune else (EPOCHS,),), in_flight=depth)


def simulate_case(case: Case, seed: int) -> float:
    """Return the share of the devices' time that trains."""
    draw = np.random.default_rng([seed, case.world.devices])
    return Study(case.world, case.costs, case.rules, draw, case.has_segments).run().utilisation


def list_grid(devices: tuple[int, ...], spent: Costs) -> Iterator[tuple[dict[str, Any], Case]]:
    """Yield the row and the case of each cohort size and depth."""
    for count in devices:
        for cohort in (count // 2, count, 2 * count):
            for prune, depth in COLUMNS:
                if 4 * cohort * depth <= TRIALS * count:
                    row = {"devices": count, "cohort": cohort, "prune": prune, "depth": depth}
                    yield row, Case(World(count), spent, build_rules(count, cohort, prune, depth))


def list_losses(devices: tuple[int, ...], spent: Costs) -> Iterator[tuple[dict[str, Any], Case]]:
    """Yield a case for each loss that is left out."""
    for count in devices:
        case = Case(World(count), spent, build_rules(count, count, True, 2))
        world = case.world
        led = replace(FREE, call=spent.call, transfer_rate=spent.transfer_rate, snapshot_rate=spent.snapshot_rate)
        for name, changed in {
            "": case,
            "stragglers": replace(case, world=replace(world, slow_share=0.0)),
            "failures": replace(case, world=replace(world, failure_hours=1e9)),
            "asks, tells, ranks and the journal": replace(case, costs=led),
            "transfer and snapshots": replace(
                case, costs=replace(spent, call=0.0, transfer_rate=np.inf, snapshot_rate=np.inf)
            ),
            "waiting at segments": replace(case, has_segments=False),
        }.items():
            yield {"devices": count, "case": name}, changed


def list_sizes(devices: tuple[int, ...], spent: Costs) -> Iterator[tuple[dict[str, Any], Case]]:
    """Yield a case for each length of an epoch and each size of a lane."""
    for count in devices:
        case = Case(World(count), spent, build_rules(count, count, True, 2))
        for seconds in (3.0, 300.0):
            yield (
                {"devices": count, "case": f"{seconds:g} s an epoch"},
                replace(case, world=replace(case.world, epoch_seconds=seconds)),
            )
        for mib in (10.0, 100.0):
            yield (
                {"devices": count, "case": f"{mib:g} MiB a lane"},
                replace(case, world=replace(case.world, lane_mib=mib)),
            )


def simulate_all(devices: tuple[int, ...], spent: Costs, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Simulate all cases on all cores; return the rows of each table."""
    tables = {"grid": list_grid, "losses": list_losses, "sizes": list_sizes}
    rows: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        futures = {
            name: [
                (row, [pool.submit(simulate_case, case, seed) for seed in range(repeats)])
                for row, case in list_cases(devices, spent)
            ]
            for name, list_cases in tables.items()
        }
        for name, cases in futures.items():
            rows[name] = [
                {**row, "utilisation": round(float(np.mean([share.result() for share in shares])), 4)}
                for row, shares in cases
            ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", action="store_true", help="do not measure the costs again")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    began, record = time.perf_counter(), json.loads(FILE.read_text())
    measured = record["devices"]["costs"] if options.kept else costs.measure_costs(options.quick)
    devices, repeats = (DEVICES[:1], 1) if options.quick else (DEVICES, REPEATS)
    section = {
        "costs": measured,
        **simulate_all(devices, fit_costs(measured), repeats),
        "trials_per_device": TRIALS,
        "epochs": EPOCHS,
        "rungs": RUNGS,
        "repeats": repeats,
        "commit": read_commit(),
        "measured": time.strftime("%Y-%m-%d"),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if options.quick:
        print(render_devices(section))
        return
    run.write_results(FILE, record | {"devices": section})


if __name__ == "__main__":
    main()
