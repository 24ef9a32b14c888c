"""Run a project's study: lock its state, show its progress, publish its trials, and build its tables."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from thalweg.artifacts import prepared
from thalweg.artifacts.fingerprint import describe_study, study_fingerprint
from thalweg.artifacts.fresh_start import explain_fresh_start
from thalweg.artifacts.sources import digest_sources, list_sources
from thalweg.artifacts.state_card import open_state
from thalweg.artifacts.summary import Provenance, RankedTrial, StudyRecord, StudySummary
from thalweg.config import notes, spaces
from thalweg.config.experiment import Config
from thalweg.config.study import NULL
from thalweg.search import study
from thalweg.search.progress_bar import StudyProgress, describe_trials
from thalweg.search.publisher import Publisher
from thalweg.search.study import StudyResult
from thalweg.search.trials import Trial, build_scorer, find_front_trials, merge_repeats, rank_trials
from thalweg.system import files, machine, progress, runtime
from thalweg.system.compiled import guard_compiled_programs
from thalweg.system.paths import COPIES, EXAMPLES, SPLITS
from thalweg.training import build
from thalweg.training.plan import TrainingData


def run_study(config: Config, loaded: prepared.PreparedData, data: TrainingData) -> tuple[StudyResult, str]:
    """Run every trial of the study, resumed where it stopped; return the result and the study's fingerprint."""
    if runtime.JAX_ALREADY_LOADED:
        run_in_subprocess(config)  # afterwards every result is on disk, and nothing is left to train
    if missing := notes.describe_missing_points(config):
        progress.print_line(f"note: the study {missing}")
    digest = files.hash_files([EXAMPLES, SPLITS, COPIES])
    fingerprint = study_fingerprint(config, digest, study)
    with open_state("study", config, fingerprint) as folder:
        code = {name: digest_sources({name: file}) for name, file in list_sources(config, study).items()}
        if note := explain_fresh_start(folder, describe_study(config, digest, study) | {"code": code}):
            progress.print_line(note)
        with Publisher(config, fingerprint) as publisher, progress.show_part("training") as part:
            callbacks = StudyProgress(config, len(data.train_rows), part), publisher
            spec = build.build_data_spec(loaded.examples)
            return study.run_trials(config, spec, data, folder, callbacks), fingerprint


def run_in_subprocess(config: Config) -> None:
    """Run the study to its end in a process where JAX is not loaded yet, so that it can be configured.

    Raises `UserError` where that process ends in an error; it has printed the reason.
    """
    command = [sys.executable, "-c", f"from {__name__} import main_in_subprocess as main; main()"]
    if subprocess.run(command, input=json.dumps(config.dump_written()), text=True, check=False).returncode:
        raise files.UserError("the study's process stopped with an error; its message is above")


def main_in_subprocess() -> None:
    """Run the study of the experiment on standard input, as `run_in_subprocess` asks."""
    config = Config.model_validate_json(sys.stdin.read())
    guard_compiled_programs()
    loaded = prepared.load_prepared_data()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    try:
        with progress.show_stage("study"):
            result = run_study(config, loaded, data)[0]
        progress.print_line(f"study: {describe_trials(config, result.trials)}")
    except files.UserError as error:
        sys.exit(str(error))


def build_trials_table(config: Config, trials: Sequence[Trial]) -> pd.DataFrame:
    """Return one row a trial: number, state, value, each searched parameter, epochs, diverged_step.

    The cell of a parameter that the trial does not use is empty; `null` is a value.

    Each further objective follows. Where trials are pruned, `pruned_at` (the epoch) and `audit` follow: the value of a
    pruned trial that trained on, if it is within all limits. `same_as` is last: the first trial with the same setting.
    """
    names = [name for name, _ in spaces.sort_parameters(config)]
    pruning = ["pruned_at", "audit"] if config.study.prune else []
    rows = [
        {
            "number": trial.outcome.number,
            "state": trial.state,
            "value": trial.outcome.value,
            **{name: NULL if value is None else value for name, value in trial.outcome.values.items()},
            "epochs": trial.epochs,
            "diverged_step": trial.diverged_step,
            **dict(zip(config.study.also, trial.outcome.scores[1:], strict=False)),
            "pruned_at": trial.pruned_at,
            "audit": trial.audit,
            "same_as": trial.outcome.same_as,
        }
        for trial in trials
    ]
    columns = ["number", "state", "value", *names, "epochs", "diverged_step", *config.study.also, *pruning, "same_as"]
    integer_columns = {name: "Int64" for name in ("diverged_step", "pruned_at", "same_as") if name in columns}
    return pd.DataFrame(rows, columns=columns).astype(integer_columns)


def build_study_record(config: Config, result: StudyResult, data: TrainingData, fingerprint: str) -> StudyRecord:
    """Return the provenance, the summary, and the complete trials of a study, best first."""
    trials, settings = result.trials, merge_repeats(result.trials)
    states = Counter(trial.state for trial in settings)
    best = (trial.outcome for trial in rank_trials(config, trials))
    rows = tuple(RankedTrial(outcome.number, outcome.values, outcome.scores[0]) for outcome in best)
    summary = StudySummary(
        trials=len(trials),
        cohorts=len(trials) // config.study.cohort,
        complete=states["complete"],
        pruned=states["pruned"],
        diverged=states["diverged"],
        best=rows[0] if rows else None,
        epochs=sum(trial.epochs_spent for trial in trials),
        settings=len(settings) if len(settings) < len(trials) else None,
        infeasible=states["infeasible"] if config.study.constraints else None,
        front=find_front_trials(build_scorer(config, data.validation_weights.sum(-1)), trials)
        if config.study.also
        else None,
        stop=result.stop_reason,
    )
    return StudyRecord(Provenance(fingerprint, machine.list_versions(), machine.describe_processor()), summary, rows)
