"""Train the best trials and the baseline on fresh seeds; choose on validation, report on test, keep a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg import final, prepared, provenance
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data.examples import Examples
from thalweg.data.splits import Parts
from thalweg.engine import devices, state_folder
from thalweg.engine.lane import Data, Plan
from thalweg.final import Final
from thalweg.prepared import Prepared
from thalweg.search import compare, confirm
from thalweg.search.confirm import Candidate
from thalweg.system import files
from thalweg.system.paths import (
    COPIES,
    EXAMPLES,
    FOUND,
    MODEL,
    PARAMS,
    PARTS,
    PICTURES,
    PREDICTIONS,
    REFERENCES,
    RUNS,
    SUMMARY,
    WINNER,
    WORST,
)
from thalweg.training import build, inference

SHOWN = 12


def main(config: Config) -> None:
    loaded, found = prepared.load(), files.read_json(FOUND)
    host = build.build_data(config, loaded.examples, loaded.parts, loaded.copies)
    data = devices.to_devices(host)
    best = found["ranked"][: 1 + config.confirm.runners_up]
    wanted = [(None, {}), *((one["number"], one["params"]) for one in best)]
    own = [config.confirm.seeds, config.confirm.epochs]
    fingerprint = provenance.fingerprint(config, files.digest([EXAMPLES, PARTS, COPIES]), wanted, own)
    with state_folder.locked_state_folder(fingerprint) as folder:
        shape = build.data_spec(loaded.examples)
        baseline, *others = confirm.train(config, shape, loaded.parts, data, wanted, folder / "candidates")
        finish(config, loaded, data, found, baseline, others, folder)


def finish(
    config: Config,
    loaded: Prepared,
    data: Data,
    found: dict[str, Any],
    baseline: Candidate,
    others: list[Candidate],
    folder: Path,
) -> None:
    """Choose the winner, compare it with the baseline, and write all that is known of them."""
    order = confirm.ranked(config, others) or [baseline]
    rows = confirm.judged(loaded.parts)
    judged = loaded.examples.take(rows)
    tested = bool(len(loaded.parts.test))
    names = ["winner", *(f"runner-up {i}" for i in range(1, len(order)))]
    tables = [
        runs(config, name, one, tested) for name, one in [("baseline", baseline), *zip(names, order, strict=True)]
    ]
    files.write_table(RUNS, pd.concat(tables, ignore_index=True))
    summary = {
        "study": found["study"],
        "confirm": compare.compare(config, order, baseline, data, rows, judged.groups),
        "test": {name: float(by_seed.mean()) for name, by_seed in order[0].scores.items()} if tested else {},
    }
    files.write_json(SUMMARY, summary)
    files.write_text(WINNER, write.with_values(PARAMS, order[0].values))
    chosen = confirm.best_seeds(config, order[0])[: config.confirm.members]
    given = inference.given(order[0].plan, data, rows)
    write_predictions(config, judged, given, order[0].predictions[chosen].mean(0))
    write_references(config, loaded, data, rows, given, order[0].plan)
    final.save(MODEL, kept(config, loaded, order[0], data, folder))


def runs(config: Config, name: str, one: Candidate, tested: bool) -> pd.DataFrame:
    """One row a seed: when it was best, its metrics on validation, and on test where there is one."""
    table = pd.DataFrame({"candidate": name, "trial": one.trial, "seed": confirm.seeds(config)})
    table["best_epoch"] = [float(np.mean([state.best_epoch for state in folds])) for folds in one.states]
    steps = confirm.diverged_steps(one)
    table["diverged_step"] = pd.array([steps.get(i) for i in range(len(one.states))], dtype="Int64")
    # where validation is what is judged, it is so in the mirror, too, if the task asks for that
    for metric, values in (one.validation if tested or not config.task.mirror else one.scores).items():
        table[f"validation_{metric}"] = values
    for metric, values in one.scores.items() if tested else ():
        table[f"test_{metric}"] = values
    return table.astype({"trial": "Int64"})


def write_predictions(config: Config, judged: Examples, given: NDArray[np.float32], mean: NDArray[np.float64]) -> None:
    """Every judged example with what the final model's networks say of it, and the worst of them as pictures.

    Where the final model is trained once more, on these examples too, it is what as many networks said before.
    """
    errors = config.task.errors(mean, judged)
    told = {"image": judged.names, "group": judged.groups}
    if config.task.TOLD != "image":
        told["truth"] = config.task.truth(judged)
    more = config.task.table(mean, judged.classes) | config.task.compared(judged, given, mean)
    table = pd.DataFrame(told | more | {"error": errors})
    files.write_table(PREDICTIONS, table)
    worst = np.argsort(-errors, kind="stable")[:SHOWN]
    names = [f"{place:02d}.png" for place in range(len(worst))]
    pictures = config.task.pictures(judged.take(worst), given[worst], mean[worst])
    for file, picture in zip(names, pictures, strict=True):
        files.write_image(PICTURES / file, picture)
    files.write_table(WORST, table.iloc[worst].assign(file=names))


def write_references(
    config: Config, loaded: Prepared, data: Data, rows: NDArray[np.int32], given: NDArray[np.float32], plan: Plan
) -> None:
    """What simple answers reach on the judged examples: one row an answer, the trivial one first."""
    known = loaded.examples.take(np.unique(np.concatenate(loaded.parts.train)))
    whole = np.ones((1, len(rows)))
    found = [
        {"answer": name}
        | {metric: float(value[0]) for metric, value in inference.metrics(plan, one, data, rows, whole).items()}
        for name, one in config.task.references(known, given).items()
    ]
    files.write_table(REFERENCES, pd.DataFrame(found, columns=["answer", *config.task.METRICS]))


def kept(config: Config, loaded: Prepared, winner: Candidate, data: Data, folder: Path) -> Final:
    """The model that `predict` uses: the winner's best seeds with all their folds, or networks trained on all."""
    chosen = confirm.with_values(config, winner.values)
    classes = loaded.examples.classes
    if config.confirm.refit == "none":
        seeds = confirm.best_seeds(config, winner)[: config.confirm.members]
        networks = [state.best for seed in seeds for state in winner.states[seed]]
        return final.of(chosen, winner.plan, data, classes, networks)
    everything = np.arange(len(loaded.examples) - len(loaded.copies), dtype=np.int32)
    parts = Parts((everything,), (everything,), np.zeros(0, np.int32))
    whole = devices.to_devices(build.build_data(chosen, loaded.examples, parts, loaded.copies))
    shape, members = build.data_spec(loaded.examples), config.confirm.members
    place = folder / f"refit of {rng.seed(0, *map(str, sorted(winner.values.items())), str(config.confirm))}"
    plan, states = confirm.refit(chosen, shape, whole, members, place)
    return final.of(chosen, plan, whole, classes, [state.best for state in states])
