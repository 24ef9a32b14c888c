"""What confirm leaves: the comparison, predictions and pictures, simple answers, and the final model."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts import trained_model
from thalweg.artifacts.prepared import PreparedData
from thalweg.artifacts.summary import StudySummary, Summary, to_json
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.confirm import candidates, compare
from thalweg.confirm.candidates import Candidate
from thalweg.core import rng
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.engine.workers import copy_to_devices
from thalweg.system import files
from thalweg.system.paths import (
    MODEL,
    PARAMS,
    PICTURES,
    PREDICTIONS,
    REFERENCES,
    RUNS,
    SUMMARY,
    WINNER_PARAMS,
    WORST_EXAMPLES,
)
from thalweg.training import build, inference
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

MAX_PICTURES = 12


def write_outputs(
    config: Config,
    loaded: PreparedData,
    data: TrainingData,
    study: StudySummary,
    baseline: Candidate,
    others: list[Candidate],
    folder: Path,
) -> None:
    """Choose the winner, compare it with the baseline, and write all that is known of them."""
    order = candidates.rank_candidates(config, others) or [baseline]
    rows = candidates.select_judged_rows(loaded.splits)
    judged = loaded.examples.take_rows(rows)
    tested = bool(len(loaded.splits.test))
    names = ["baseline", "winner", *(f"runner-up {i}" for i in range(1, len(order)))]
    runs = [build_runs_table(config, name, one, tested) for name, one in zip(names, [baseline, *order], strict=True)]
    files.write_table(RUNS, pd.concat(runs, ignore_index=True))
    confirm = compare.compare_candidates(config, order, baseline, data, rows, judged.groups)
    test = {name: float(by_seed.mean()) for name, by_seed in order[0].scores.items()} if tested else {}
    files.write_json(SUMMARY, to_json(Summary(study, confirm, test)))
    files.write_text(WINNER_PARAMS, write.rewrite_params(PARAMS, order[0].values))
    chosen = candidates.rank_winner_seeds(config, order[0])[: config.confirm.members]
    given = inference.read_task_inputs(order[0].plan, data, rows)
    write_predictions(config, judged, given, order[0].predictions[chosen].mean(0))
    write_references(config, loaded, data, rows, given, order[0].plan)
    trained_model.save_trained_model(MODEL, build_final_model(config, loaded, order[0], data, folder))


def build_runs_table(config: Config, name: str, candidate: Candidate, has_test: bool) -> pd.DataFrame:
    """One row a seed: when it was best, its metrics on validation, and on test where there is one."""
    table = pd.DataFrame({"candidate": name, "trial": candidate.trial, "seed": candidates.list_confirm_seeds(config)})
    table["best_epoch"] = [float(np.mean([state.best_epoch for state in folds])) for folds in candidate.states]
    table["diverged_step"] = pd.array([candidates.diverged_step(folds) for folds in candidate.states], dtype="Int64")
    # where validation is what is judged, it is so in the mirror, too, if the task asks for that
    for metric, values in (
        candidate.validation_scores if has_test or not config.task.mirror else candidate.scores
    ).items():
        table[f"validation_{metric}"] = values
    for metric, values in candidate.scores.items() if has_test else ():
        table[f"test_{metric}"] = values
    return table.astype({"trial": "Int64"})


def write_predictions(
    config: Config, judged: Examples, task_inputs: NDArray[np.float32], predictions: NDArray[np.float64]
) -> None:
    """Every judged example with what the final model's networks say of it, and the worst of them as pictures.

    Where the final model is trained once more, on these examples too, it is what as many networks said before.
    """
    errors = config.task.compute_errors(predictions, judged)
    told = {"image": judged.names, "group": judged.groups}
    if config.task.OUTPUT_KIND != "image":
        told["truth"] = config.task.list_true_values(judged)
    more = config.task.build_prediction_columns(predictions, judged.classes) | config.task.build_extra_columns(
        judged, task_inputs, predictions
    )
    table = pd.DataFrame(told | more | {"error": errors})
    files.write_table(PREDICTIONS, table)
    worst = np.argsort(-errors, kind="stable")[:MAX_PICTURES]
    names = [f"{place:02d}.png" for place in range(len(worst))]
    pictures = config.task.draw_pictures(judged.take_rows(worst), task_inputs[worst], predictions[worst])
    for file, picture in zip(names, pictures, strict=True):
        files.write_image(PICTURES / file, picture)
    files.write_table(WORST_EXAMPLES, table.iloc[worst].assign(file=names))


def write_references(
    config: Config,
    loaded: PreparedData,
    data: TrainingData,
    rows: NDArray[np.int32],
    task_inputs: NDArray[np.float32],
    plan: NetworkProgram,
) -> None:
    """What simple answers reach on the judged examples: one row an answer, the trivial one first."""
    known = loaded.examples.take_rows(np.unique(np.concatenate(loaded.splits.train)))
    found = [
        {"answer": name} | inference.scores(plan, one, data, rows)
        for name, one in config.task.compute_references(known, task_inputs).items()
    ]
    files.write_table(REFERENCES, pd.DataFrame(found, columns=["answer", *config.task.METRIC_DIRECTIONS]))


def build_final_model(
    config: Config, loaded: PreparedData, winner: Candidate, data: TrainingData, folder: Path
) -> TrainedModel:
    """The model that `predict` uses: the winner's best seeds with all their folds, or networks trained on all."""
    chosen = candidates.apply_trial_values(config, winner.values)
    classes = loaded.examples.classes
    if config.confirm.refit == "none":
        seeds = candidates.rank_winner_seeds(config, winner)[: config.confirm.members]
        networks = [state.best_weights for seed in seeds for state in winner.states[seed]]
        return trained_model.build_trained_model(chosen, winner.plan, data, classes, networks)
    everything = np.arange(len(loaded.examples) - len(loaded.copy_origins), dtype=np.int32)
    parts = Splits((everything,), (everything,), np.zeros(0, np.int32))
    whole = copy_to_devices(build.build_data(chosen, loaded.examples, parts, loaded.copy_origins))
    shape, members = build.build_data_spec(loaded.examples), config.confirm.members
    place = folder / f"refit of {rng.derive_seed(0, *map(str, sorted(winner.values.items())), str(config.confirm))}"
    plan, states = candidates.refit_winner(chosen, shape, whole, members, place)
    return trained_model.build_trained_model(chosen, plan, whole, classes, [state.best_weights for state in states])
