"""`thalweg study`: run, resume or extend the study, without the other stages."""

from collections import Counter
from dataclasses import dataclass

from thalweg.artifacts import prepared
from thalweg.artifacts.inputs import watch_inputs
from thalweg.artifacts.summary import RankedTrial
from thalweg.cli import answers
from thalweg.config.experiment import Config
from thalweg.config.load import load_config, locate_own_faults
from thalweg.config.study import find_cohort_error
from thalweg.search.run import build_trials_table, run_study
from thalweg.search.trials import Trial, rank_trials
from thalweg.system import compiled, files, progress
from thalweg.system.paths import COPIES, MANIFEST, PARAMS
from thalweg.training import build

SHOWN_TRIALS = 10


@dataclass(frozen=True)
class StudyAnswer:
    """The trials by how they ended, and the complete ones, best first."""

    objective: str
    trials: int
    states: dict[str, int]
    ranked: tuple[RankedTrial, ...]


def extend_study(trials: int | None, *, as_json: bool) -> None:
    """Run the study of params.yaml, with another number of trials if one is given; print the best trials."""
    params = files.read_bytes(PARAMS)
    written = load_config(PARAMS, content=params)
    compiled.guard_compiled_programs()
    config = written if trials is None else _replace_trials(written, trials)
    if not files.path_exists(COPIES):
        raise files.UserError(f"{COPIES} does not exist: the data is not prepared yet. Run `thalweg run augment` first")
    if not prepared.is_prepared(config):
        made = f"{MANIFEST} and {COPIES}"
        raise files.UserError(f"{made}: the prepared data does not match {PARAMS}. Run `thalweg run augment` first")
    with locate_own_faults(PARAMS, params), progress.show_stage("study"), watch_inputs("study", params):
        examples = prepared.load_prepared_data()
        data = build.build_data(config, examples.examples, examples.splits, examples.copy_origins)
        finished = run_study(config, examples, data)[0].trials
    if as_json:
        print(answers.format_answer(_build_answer(config, finished)))
        return
    print(_format_best(config, rank_trials(config, finished)[:SHOWN_TRIALS]))
    if config.study.trials != written.study.trials:
        print(f"to confirm and report these trials, set study.trials: {trials} and run `thalweg run`")


def _replace_trials(config: Config, trials: int) -> Config:
    if trials < 1:
        raise files.UserError(f"--trials: must be at least {config.study.cohort}, not {trials}")
    if message := find_cohort_error(trials, config.study.cohort):
        raise files.UserError(f"--trials: {message}")
    return config.replace_values({"study.trials": trials})


def _build_answer(config: Config, trials: list[Trial]) -> StudyAnswer:
    outcomes = [trial.outcome for trial in rank_trials(config, trials)]
    states = Counter(trial.state for trial in trials)
    ranked = tuple(RankedTrial(outcome.number, dict(outcome.values), outcome.scores[0]) for outcome in outcomes)
    return StudyAnswer(config.study.objective, len(trials), dict(sorted(states.items())), ranked)


def _format_best(config: Config, ranked: list[Trial]) -> str:
    if not ranked:
        return "no trial is complete"
    table = build_trials_table(config, ranked).set_index("number").drop(columns="same_as")
    return str(table.to_string(float_format=lambda value: f"{value:.4g}", na_rep=""))
