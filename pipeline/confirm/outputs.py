"""The outputs of confirm: the comparison, predictions and pictures, simple references, and the final model."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts import trained_model
from thalweg.artifacts.inputs import read_loaded_params
from thalweg.artifacts.prepared import PreparedData
from thalweg.artifacts.summary import Confirmation, StudySummary, Summary, to_json
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.confirm import candidates, compare, questions
from thalweg.confirm.candidates import Candidate
from thalweg.confirm.judged import build_judged_winner
from thalweg.core import rng
from thalweg.data.examples import Examples
from thalweg.engine.devices import copy_to_devices
from thalweg.stats import intervals
from thalweg.system import files, paths, table_files
from thalweg.system.images import write_image
from thalweg.training import build, inference
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

MAX_PICTURES = 12  # of the worst examples
TYPICAL_QUANTILES = (1 / 8, 3 / 8, 5 / 8, 7 / 8)
"""Quantiles of the errors, each shown by one example: typical ones, which nobody chose to please."""


def write_outputs(
    config: Config,
    loaded: PreparedData,
    data: TrainingData,
    study: StudySummary,
    baseline: Candidate,
    others: list[Candidate],
    folder: Path,
) -> Confirmation:
    """Choose the winner, compare it with the baseline, and write all results; `data` is on the host."""
    data = copy_to_devices(data)
    ranked = candidates.rank_candidates(config, others) or [baseline]
    rows = candidates.select_judged_rows(loaded.splits)
    judged = loaded.examples.take_rows(rows)
    has_test = bool(len(loaded.splits.test))
    names = ["baseline", "winner", *(f"runner-up {i}" for i in range(1, len(ranked)))]
    named = zip(names, [baseline, *ranked], strict=True)
    runs = [build_runs_table(config, name, candidate, has_test) for name, candidate in named]
    table_files.write_table(paths.RUNS, pd.concat(runs, ignore_index=True))
    block, group_count = intervals.assign_blocks(judged.groups), len(np.unique(judged.groups))
    left_out, sizes = compare.measure_without_blocks(config, [*ranked, baseline], data, rows, block), np.bincount(block)
    record = build_judged_winner(config, loaded.splits, judged, ranked, left_out, sizes)
    files.write_json(paths.JUDGED, asdict(record))
    confirmation = compare.build_confirmation(config, ranked, baseline, left_out, sizes, group_count)
    answered = questions.compare_levels(config, ranked, left_out, sizes, group_count)
    rivals = compare.compare_runners_up(config, ranked, left_out, sizes, group_count)
    estimates = compare.estimate_runners_up(config, ranked, baseline, left_out, sizes, group_count)
    task_inputs = inference.read_task_inputs(ranked[0].plan, data, rows)
    answers = write_references(config, loaded, data, rows, task_inputs, ranked[0].plan, block)
    beside = compare.compare_answers(config, ranked, answers, left_out, sizes, group_count)
    test = {name: float(by_seed.mean()) for name, by_seed in ranked[0].scores.items()} if has_test else {}
    files.write_json(paths.SUMMARY, to_json(Summary(study, confirmation, test, answered, rivals, beside, estimates)))
    files.write_text(paths.WINNER_PARAMS, write.rewrite_params(read_loaded_params(), ranked[0].values))
    best_seeds = candidates.rank_winner_seeds(config, ranked[0])[: config.confirm.members]
    write_predictions(config, judged, task_inputs, ranked[0].predictions[best_seeds].mean(0))
    trained_model.save_trained_model(paths.MODEL, build_final_model(config, loaded, ranked[0], data, folder))
    return confirmation


def build_runs_table(config: Config, name: str, candidate: Candidate, has_test: bool) -> pd.DataFrame:
    """Return one row a seed: its best epoch, its metrics on the validation set, and on the test set if there is one."""
    table = pd.DataFrame({"candidate": name, "trial": candidate.trial, "seed": candidates.list_confirm_seeds(config)})
    table["best_epoch"] = [float(np.mean([state.best_epoch for state in folds])) for folds in candidate.states]
    table["diverged_step"] = pd.array([candidates.find_diverged_step(s) for s in candidate.states], dtype="Int64")
    # where validation is judged, its scores include mirrored predictions if the task asks for these
    from_weights = has_test or not config.task.mirror
    for metric, values in (candidate.validation_scores if from_weights else candidate.scores).items():
        table[f"validation_{metric}"] = values
    for metric, values in candidate.scores.items() if has_test else ():
        table[f"test_{metric}"] = values
    return table.astype({"trial": "Int64"})


def write_predictions(
    config: Config, judged: Examples, task_inputs: NDArray[np.float32], predictions: NDArray[np.float64]
) -> None:
    """Write the final model's prediction of every judged example, and pictures of the worst and of typical ones.

    Where the final model is trained again on these examples too, the predictions are of as many networks before that.
    """
    errors = config.task.compute_errors(predictions, judged)
    columns = {"image": judged.names, "group": judged.groups}
    if config.task.OUTPUT_KIND != "image":
        columns["truth"] = config.task.list_true_values(judged)
    columns |= config.task.build_prediction_columns(predictions, judged.classes)
    columns |= config.task.build_extra_columns(judged, task_inputs, predictions)
    table = pd.DataFrame(columns | {"error": errors})
    table_files.write_table(paths.PREDICTIONS, table)
    worst = np.argsort(-errors, kind="stable")[:MAX_PICTURES]
    typical = select_typical_examples(errors)
    shown = np.concatenate([worst, typical])
    names = [f"{index:02d}.png" for index in range(len(shown))]
    pictures = config.task.draw_pictures(judged.take_rows(shown), task_inputs[shown], predictions[shown])
    for file, picture in zip(names, pictures, strict=True):
        write_image(paths.PICTURES / file, picture)
    table_files.write_table(paths.WORST_EXAMPLES, table.iloc[worst].assign(file=names[: len(worst)]))
    table_files.write_table(paths.TYPICAL_EXAMPLES, table.iloc[typical].assign(file=names[len(worst) :]))


def select_typical_examples(errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the examples at TYPICAL_QUANTILES of the errors [n], the smallest first, each once."""
    order = np.argsort(errors, kind="stable")
    typical: NDArray[np.intp] = order[np.unique([int(share * len(order)) for share in TYPICAL_QUANTILES])]
    return typical


def write_references(
    config: Config,
    loaded: PreparedData,
    data: TrainingData,
    rows: NDArray[np.int32],
    task_inputs: NDArray[np.float32],
    plan: NetworkProgram,
    block: NDArray[np.intp],
) -> dict[str, tuple[float, NDArray[np.float64]]]:
    """Write the metrics of simple references on the judged examples: one row each, the trivial one first.

    Return the objective of each, and the same without each block of examples [blocks].
    """
    examples = loaded.examples if config.task.OUTPUT_KIND == "image" else loaded.examples.drop_images()
    train = examples.take_rows(np.unique(np.concatenate(loaded.splits.train)))
    predicted = config.task.compute_references(train, task_inputs)
    table = {name: inference.score_rows(plan, predictions, data, rows) for name, predictions in predicted.items()}
    listed = pd.DataFrame(
        [{"answer": name} | scores for name, scores in table.items()],
        columns=["answer", *config.task.metric_directions],
    )
    table_files.write_table(paths.REFERENCES, listed)
    objective, weights = config.study.objective, intervals.leave_one_out_weights(block)
    return {
        name: (
            table[name][objective],
            np.asarray(inference.score_predictions(plan, predictions, data, rows, weights)[objective], np.float64),
        )
        for name, predictions in predicted.items()
    }


def build_final_model(
    config: Config, loaded: PreparedData, winner: Candidate, data: TrainingData, folder: Path
) -> TrainedModel:
    """Build the model for `predict`: the winner's best seeds with all folds, or networks trained on all examples."""
    winner_config = candidates.apply_trial_values(config, winner.values)
    if config.confirm.refit == "none":
        seeds = candidates.rank_winner_seeds(config, winner)[: config.confirm.members]
        networks = [state.best_weights for seed in seeds for state in winner.states[seed]]
        return trained_model.build_trained_model(winner_config, winner.plan, data, loaded.examples, networks)
    all_data = candidates.build_refit_data(winner_config, loaded)
    spec, members = build.build_data_spec(loaded.examples), config.confirm.members
    refit_seed = rng.derive_seed(0, *map(str, sorted(winner.values.items())), str(config.confirm))
    refit_folder = folder / f"refit of {refit_seed}"
    plan, states = candidates.refit_winner(winner_config, spec, all_data, members, refit_folder)
    networks = [state.best_weights for state in states]
    return trained_model.build_trained_model(winner_config, plan, all_data, loaded.examples, networks)
