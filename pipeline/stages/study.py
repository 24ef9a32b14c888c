"""Search: train many trials, in as few compiled programs as possible."""

from thalweg.artifacts import prepared
from thalweg.artifacts.inputs import read_loaded_params
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.artifacts.summary import StudySummary, to_json
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.search.run import build_study_record, build_trials_table, run_study
from thalweg.search.trials import rank_trials
from thalweg.system import files, table_files
from thalweg.system.counts import format_count
from thalweg.system.paths import BEST_PARAMS, CURVES, STUDY_RECORD, TRIALS
from thalweg.training import build


def main(config: Config) -> str:
    loaded = prepared.load_prepared_data()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    result, fingerprint = run_study(config, loaded, data)
    trials = result.trials
    table_files.write_table(TRIALS, build_trials_table(config, trials))
    lanes = [(trial.outcome.number, *lane) for trial in trials if not trial.is_copy for lane in trial.lanes]
    table_files.write_table(CURVES, build_curves_table(config, lanes))
    best = rank_trials(config, trials)
    files.write_text(BEST_PARAMS, write.rewrite_params(read_loaded_params(), best[0].outcome.values if best else {}))
    record = build_study_record(config, result, data, fingerprint)
    files.write_json(STUDY_RECORD, to_json(record))
    return describe_study(config.study.objective, record.study)


def describe_study(objective: str, study: StudySummary) -> str:
    """Describe the best trial of a study, and how its trials ended."""
    endings = ("complete", "pruned", "diverged", "infeasible")
    counts = ", ".join(f"{count:,} {ending}" for ending in endings if (count := getattr(study, ending)))
    ended = f"{format_count(study.trials, 'trial')}: {counts}"
    if study.best is None:
        return f"no trial is complete; {ended}"
    values = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in study.best.params.items()
    ]
    chosen = f" with {', '.join(values)}" if values else ""
    return f"best {objective} {study.best.value:.4g}, by trial {study.best.number}{chosen}; {ended}"
