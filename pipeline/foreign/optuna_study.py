"""Reading a study from one of Optuna's storages, which is never written."""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection, StudySummary
from optuna.trial import FrozenTrial, TrialState

from thalweg.config.study import NULL
from thalweg.foreign.conditions import find_conditions
from thalweg.foreign.optuna_place import open_storage
from thalweg.foreign.study import (
    ForeignRun,
    ForeignStudy,
    ForeignTrial,
    Objective,
    State,
    read_curve,
    read_value,
    read_values,
)
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.text import choice_key, join_items
from thalweg.system.files import UserError

RUNS = "thalweg:runs"
"""The study's attribute that has its candidates' runs on fresh seeds."""
SEED = "seed"
"""The trial's attribute that has its seed."""
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def read_study(url: str, name: str | None) -> ForeignStudy:
    """Read a study; without a name, the storage's only one. Raises `UserError`, which lists the studies there are."""
    with _silence_optuna(), open_storage(url) as (storage, place):
        found = _find_study(storage, place, name)
        trials = storage.get_all_trials(found._study_id, deepcopy=False)
        names = storage.get_study_system_attrs(found._study_id).get("study:metric_names")
        return _build_study(found, place, trials, _name_objectives(found, names or ()))


@contextmanager
def _silence_optuna() -> Iterator[None]:
    """Keep Optuna from printing what it does, and what it would rather have found in a study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _find_study(storage: BaseStorage, place: str, name: str | None) -> StudySummary:
    studies = {study.study_name: study for study in optuna.get_all_study_summaries(storage, include_best_trial=False)}
    if not studies:
        raise UserError(f"{place} has no study")
    if name is None and len(studies) == 1:
        return next(iter(studies.values()))
    listed = join_items([repr(each) for each in sorted(studies)], 20)
    if name is None:
        raise UserError(f"{place} has {len(studies)} studies: name one with --study. There are {listed}")
    if name not in studies:
        raise UserError(f"{place} has no study {name!r}. There {'is' if len(studies) == 1 else 'are'} {listed}")
    return studies[name]


def _build_study(
    found: StudySummary, place: str, trials: Sequence[FrozenTrial], objectives: tuple[Objective, ...]
) -> ForeignStudy:
    space = _merge_distributions(trials)
    name_choice = partial(_name_choice, _name_none(space))
    parameters = [_build_parameter(name, each, trials, name_choice) for name, each in space.items()]
    read = tuple(_build_trial(trial, name_choice) for trial in sorted(trials, key=lambda trial: trial.number))
    return ForeignStudy(
        name=found.study_name,
        source=f"Optuna's storage {place}",
        objectives=objectives,
        space=find_conditions(parameters, read),
        trials=read,
        runs=tuple(_read_runs(found.user_attrs.get(RUNS))),
    )


def _name_objectives(found: StudySummary, named: Sequence[Any]) -> tuple[Objective, ...]:
    """Name the objectives as the study does, or as Optuna's own table does: `value`, or `values_0`, `values_1`, …"""
    names, count = [str(name) for name in named], len(found.directions)
    if len(set(names)) != count:
        names = ["value"] if count == 1 else [f"values_{index}" for index in range(count)]
    return tuple(
        Objective(name, "max" if direction == StudyDirection.MAXIMIZE else "min")
        for name, direction in zip(names, found.directions, strict=True)
    )


def _build_trial(trial: FrozenTrial, name_choice: Callable[[Any], Any]) -> ForeignTrial:
    values, state = read_values(trial.values or ()), STATES[trial.state]
    if state == "complete":
        state = "failed" if not values else "infeasible" if _breaks_limit(trial) else "complete"
    return ForeignTrial(
        number=trial.number,
        state=state,
        values=values,
        params={name: name_choice(value) for name, value in trial.params.items()},
        seed=trial.user_attrs.get(SEED),
        curve=read_curve(trial.intermediate_values),
    )


def _breaks_limit(trial: FrozenTrial) -> bool:
    """Return whether a trial breaks a constraint: Optuna keeps all in one attribute, or each in one of its own."""
    attributes = trial.system_attrs
    limits = [*(attributes.get("constraints") or ())]
    limits += [value for name, value in attributes.items() if name.startswith("constraints:")]
    return any(limit > 0 for limit in limits)


def _merge_distributions(trials: Iterable[FrozenTrial]) -> dict[str, list[BaseDistribution]]:
    """Return the different distributions of each parameter, in the order in which trials first use it."""
    space: dict[str, list[BaseDistribution]] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            known = space.setdefault(name, [])
            if distribution not in known:
                known.append(distribution)
    return space


def _build_parameter(
    name: str, kinds: Sequence[BaseDistribution], trials: Sequence[FrozenTrial], name_choice: Callable[[Any], Any]
) -> SearchedParameter:
    """Build a parameter: the range that covers all of its ranges, or its choices."""
    ranges = [each for each in kinds if isinstance(each, FloatDistribution | IntDistribution)]
    if len(ranges) < len(kinds):  # of two kinds, the values that trials had count as choices
        values = [choice for each in kinds if isinstance(each, CategoricalDistribution) for choice in each.choices]
        values += [trial.params[name] for trial in trials if name in trial.params] if ranges else []
        choices = {choice_key(choice): choice for choice in map(name_choice, values)}
        literals = {name_choice(value): str(value) for value in values if not _is_scalar(value)}
        return SearchedParameter(name, choices=tuple(choices.values()), literals=literals)
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    if low == high:
        return SearchedParameter(name, choices=(low,))
    is_whole = all(isinstance(each, IntDistribution) for each in ranges)
    step = _find_step(ranges)
    return SearchedParameter(name, low, high, log=all(each.log for each in ranges), whole=is_whole, step=step)


def _find_step(ranges: Sequence[FloatDistribution | IntDistribution]) -> float | None:
    """Return the distance of the values of ranges that begin alike; None if it differs, or is that of all integers."""
    steps = {(each.low, each.step) for each in ranges}
    step = next(iter(steps))[1] if len(steps) == 1 else None
    return None if step == 1 and isinstance(ranges[0], IntDistribution) else step


def _name_none(space: Mapping[str, Sequence[BaseDistribution]]) -> str:
    """Return the name of the choice None in tables; another one where the study has the text `None`, too."""
    kinds = [each for kinds in space.values() for each in kinds if isinstance(each, CategoricalDistribution)]
    return NULL if any(choice == str(None) for kind in kinds for choice in kind.choices) else str(None)


def _name_choice(none: str, value: Any) -> Any:
    """Return a choice as tables have it: None by its name, and what is no scalar as text."""
    return none if value is None else value if _is_scalar(value) else str(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _read_runs(attribute: Any) -> Iterator[ForeignRun]:
    """Read the runs on fresh seeds. Raises `UserError` if the attribute has another form."""
    rows = json.loads(attribute) if isinstance(attribute, str) else attribute
    for row in rows or ():
        try:
            value = None if row["value"] is None else read_value(float(row["value"]))
            trial = None if row["trial"] is None else int(row["trial"])
            yield ForeignRun(str(row["candidate"]), trial, int(row["seed"]), value)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"the study's attribute `{RUNS}` has an entry that cannot be read, {row!r}: it needs candidate, trial, "
                "seed and value"
            ) from error
