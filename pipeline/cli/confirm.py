"""`thalweg confirm`: run the best settings of an Optuna study, and its default, on fresh seeds."""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna

from thalweg.cli.answers import format_answer
from thalweg.duel.objective import messages
from thalweg.duel.objective import study as stored
from thalweg.duel.objective.runs import Call, Outcome, run_calls
from thalweg.duel.objective.study import Candidate, StoredRun
from thalweg.duel.objective.verdict import Verdict, judge_candidates
from thalweg.system.files import UserError

OBJECTIVE = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*"
FEWEST_SEEDS = 2
Say = Callable[[str], None]


@dataclass(frozen=True)
class CandidateAnswer:
    """A candidate on fresh seeds: its mean with its 95 % interval, and on how many seeds it `failed`.

    `name`: winner, runner-up 1, …, or baseline for the default. `trial`: its first one; null: it is in no trial.
    """

    name: str
    trial: int | None
    params: dict[str, Any]
    mean: float | None
    low: float | None
    high: float | None
    failed: int


@dataclass(frozen=True)
class ConfirmAnswer:
    """The candidates of a study on fresh seeds, and winner - default with its 95 % interval.

    `verdict`: better, worse or open; `same setting`, the winner is the default; `no default`; `all failed`.
    `seeds_needed` would show an open difference with a chance of 80 % if it stayed as it is.
    """

    study: str
    objective: str
    minimize: bool
    seeds: list[int]
    verdict: str
    mean: float | None
    low: float | None
    high: float | None
    seeds_needed: int | None
    candidates: tuple[CandidateAnswer, ...]


def confirm_objective(arguments: argparse.Namespace) -> None:
    """Run what is not in the study yet, store it there, and print the verdict. Raises `UserError`."""
    given = _require_arguments(arguments)

    def say(text: str) -> None:
        print(text, file=sys.stderr if arguments.json else sys.stdout, flush=True)

    study = stored.open_study(arguments.optuna, arguments.study)
    best, default = stored.list_best(study, 1 + arguments.runners_up), stored.find_default(study, given)
    if not best:
        raise UserError(f"--study: '{study.study_name}' has no complete trial")
    seeds = stored.list_fresh_seeds(study, arguments.seeds)
    candidates = {each.key: each for each in (*best, *([default] if default else []))}
    runs = {(run.candidate.key, run.seed): run for run in _read_kept_runs(study, arguments)}
    missing = [Call(each, seed) for seed in seeds for each in candidates.values() if (each.key, seed) not in runs]
    sign = stored.read_sign(study)
    say(messages.describe_plan(study.study_name, sign, len(candidates), len(seeds), len(missing)))
    if default is None:
        say(messages.NO_DEFAULT)
    _run_missing(study, arguments, missing, runs, _name_candidates(best, default, runs), say)
    values = {key: np.array([_read_value(runs.get((key, seed))) for seed in seeds], np.float64) for key in candidates}
    verdict = judge_candidates(best, default, values, sign)
    names = _name_candidates(verdict.ranked, default, runs)
    stored.write_runs(study, arguments.optuna, _select_runs(runs, names), names)
    if arguments.json:
        print(format_answer(_build_answer(study, arguments.objective, seeds, default, verdict)))
    else:
        print(messages.describe_verdict(verdict, default))


def _require_arguments(arguments: argparse.Namespace) -> Mapping[str, Any] | None:
    """Return the default that is given. Raises `UserError` with every argument that is wrong."""
    problems, default = [], None
    if not re.fullmatch(OBJECTIVE, arguments.objective):
        advice = "; write the file without .py, and dots for folders" if ".py" in arguments.objective else ""
        problems.append(f"--objective: '{arguments.objective}' must be module:function, as train:objective{advice}")
    least = {"seeds": FEWEST_SEEDS, "runners_up": 0, "jobs": 1}
    for name, lowest in least.items():
        if getattr(arguments, name) < lowest:
            given = getattr(arguments, name)
            problems.append(f"--{name.replace('_', '-')}: must be at least {lowest}, not {given}")
    if arguments.timeout is not None and not (arguments.timeout > 0 and math.isfinite(arguments.timeout)):
        problems.append(f"--timeout: must be above 0, not {arguments.timeout:g}")
    if arguments.default is not None:
        try:
            default = json.loads(arguments.default)
        except ValueError:
            default = None
        if not isinstance(default, dict):
            problems.append(f"--default: '{arguments.default}' must be a JSON object, such as '{{\"lr\": 0.1}}'")
    if problems:
        raise UserError("\n".join(problems))
    return default


def _run_missing(
    study: optuna.Study,
    arguments: argparse.Namespace,
    missing: Sequence[Call],
    runs: dict[tuple[str, int], StoredRun],
    names: Mapping[str, Sequence[str]],
    say: Say,
) -> None:
    """Run what is missing, and keep each run in the study as it ends."""

    def store(outcome: Outcome) -> None:
        candidate, seed = outcome.call.candidate, outcome.call.seed
        runs[candidate.key, seed] = StoredRun(candidate, seed, outcome.value)
        stored.write_runs(study, arguments.optuna, _select_runs(runs, names), names)
        shown = f"{outcome.value:.6g}" if outcome.value is not None else f"failed: {outcome.failed}"
        say(f"{candidate.title}, seed {seed}: {shown}")

    has_worked = any(run.value is not None for run in runs.values())
    run_calls(arguments.objective, missing, arguments.jobs, arguments.timeout, store, has_worked=has_worked)


def _read_kept_runs(study: optuna.Study, arguments: argparse.Namespace) -> list[StoredRun]:
    """Read the runs of earlier calls that need not run again."""
    runs = [] if arguments.anew else stored.read_runs(study)
    return [run for run in runs if run.value is not None or not arguments.retry_failed]


def _read_value(run: StoredRun | None) -> float:
    return math.nan if run is None or run.value is None else run.value


def _name_candidates(
    ranked: Sequence[Candidate], default: Candidate | None, runs: Mapping[tuple[str, int], StoredRun]
) -> dict[str, list[str]]:
    """Name the candidates by rank; those of an earlier call come after them. The default may be one of them, too."""
    earlier = [run.candidate.key for run in runs.values() if run.candidate.trial is not None]
    others = (key for key in earlier if default is None or key != default.key)
    keys = dict.fromkeys([*(each.key for each in ranked), *others])
    names = {key: [f"runner-up {rank}" if rank else "winner"] for rank, key in enumerate(keys)}
    if default is not None:
        names.setdefault(default.key, []).append("baseline")
    return names


def _select_runs(runs: Mapping[tuple[str, int], StoredRun], names: Mapping[str, Sequence[str]]) -> list[StoredRun]:
    """Select the runs of candidates that have a name: another default than today's has none."""
    order = list(names)
    selected = [run for (key, _), run in runs.items() if key in names]
    return sorted(selected, key=lambda run: (order.index(run.candidate.key), run.seed))


def _build_answer(
    study: optuna.Study, objective: str, seeds: list[int], default: Candidate | None, verdict: Verdict
) -> ConfirmAnswer:
    difference = verdict.difference
    return ConfirmAnswer(
        study=study.study_name,
        objective=objective,
        minimize=stored.read_sign(study) > 0,
        seeds=seeds,
        verdict=verdict.kind,
        mean=difference.mean if difference else None,
        low=difference.low if difference else None,
        high=difference.high if difference else None,
        seeds_needed=verdict.seeds_needed,
        candidates=tuple(
            _build_candidate_answer(verdict, "baseline" if name == "default" else name, each)
            for name, each in messages.list_named(verdict, default)
        ),
    )


def _build_candidate_answer(verdict: Verdict, name: str, candidate: Candidate) -> CandidateAnswer:
    level = verdict.levels.get(candidate.key)
    return CandidateAnswer(
        name=name,
        trial=candidate.trial,
        params=dict(candidate.params),
        mean=level.mean if level else None,
        low=level.low if level else None,
        high=level.high if level else None,
        failed=verdict.failures[candidate.key],
    )
