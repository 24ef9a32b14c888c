"""Retrain the best trials and the baseline on fresh seeds, choose by validation, compare by test, keep a model."""

import pandas as pd

from thalweg.artifacts import prepared
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.artifacts.state_card import open_state
from thalweg.artifacts.summary import Confirmation, read_study_record
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.confirm.outputs import write_outputs
from thalweg.confirm.selection import select_trials
from thalweg.stats.intervals import compare_with_zero
from thalweg.system import files, table_files
from thalweg.system.counts import format_count
from thalweg.system.paths import COPIES, EXAMPLES, REFERENCES, SPLITS
from thalweg.training import build


def main(config: Config) -> str:
    loaded, record = prepared.load_prepared_data(), read_study_record()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    chosen = select_trials(config, record.ranked)
    trials = [(None, {}), *((trial.number, trial.params) for trial in chosen)]
    options = [config.confirm.seeds, config.confirm.epochs]
    examples = files.hash_files([EXAMPLES, SPLITS, COPIES])
    with open_state("confirm", config, study_fingerprint(config, examples, candidates, trials, options)) as folder:
        spec = build.build_data_spec(loaded.examples)
        baseline, *others = candidates.train_candidates(
            config, spec, loaded.splits, data, trials, folder / "candidates"
        )
        confirmation = write_outputs(config, loaded, data, record.study, baseline, others, folder)
    split = "test" if len(loaded.splits.test) else "validation"
    line = describe_confirmation(config, confirmation, split)
    return f"{describe_weak_baseline(config, confirmation, table_files.read_table(REFERENCES))}{line}"


def describe_weak_baseline(config: Config, confirmation: Confirmation, references: pd.DataFrame) -> str:
    """Say that the baseline is no better than the trivial answer, so that beating it is no success; '' otherwise."""
    objective, baseline = config.study.objective, confirmation.baseline.mean
    if references.empty or config.task.cost_sign(objective) * (baseline - references[objective].iloc[0]) < 0:
        return ""
    return f"the baseline is no better than {references['answer'].iloc[0]} ({references[objective].iloc[0]:.4g}); "


def describe_confirmation(config: Config, confirmation: Confirmation, split: str) -> str:
    """Describe whether the winner beats the baseline on the set that judges, with the interval of the difference."""
    objective, difference = config.study.objective, confirmation.decisive_difference
    if confirmation.winner == confirmation.baseline:
        return f"the baseline wins: {objective} {confirmation.baseline.mean:.4g} on the {split} set"
    verdict = {
        "better": "the winner beats the baseline",
        "worse": "the winner is worse than the baseline",
        "same": "the winner may be no better than the baseline",
    }[compare_with_zero(difference.interval, config.task.cost_sign(objective))]
    values = f"{objective} {confirmation.winner.mean:.4g} against {confirmation.baseline.mean:.4g}"
    size, plain = f"{difference.mean:+.3g}", f"{confirmation.difference.mean:+.3g}"
    name = "difference" if size == plain else "difference corrected for the choice"
    interval = f"{name} {size}, 95 % interval {difference.low:+.3g} to {difference.high:+.3g}"
    return f"{verdict} on the {split} set: {values}; {interval}, {format_count(difference.seeds, 'seed')}"
