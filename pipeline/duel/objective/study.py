"""The user's study in Optuna: its candidates, and the runs on fresh seeds that it keeps in an attribute."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from thalweg.system import files
from thalweg.system.files import UserError

RUNS = "thalweg:runs"
"""The study's attribute: a list with candidate, trial, params, seed and value of each run; a value of null failed."""
ALLOWED = "sqlite:///FILE.db, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or the path of a journal"
JOURNAL = "journal://"
FIRST_SEED = 1000
"""The first fresh seed: studies count theirs from 0."""


@dataclass(frozen=True)
class Candidate:
    """A setting to run: its first trial, None if it is in none, and its parameters."""

    trial: int | None
    params: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Two candidates with the same parameters are the same."""
        return json.dumps(dict(sorted(self.params.items())), default=str)

    @property
    def title(self) -> str:
        return "the default" if self.trial is None else f"trial {self.trial}"


@dataclass(frozen=True)
class StoredRun:
    """A run on a fresh seed: its candidate, and its value, None if it failed."""

    candidate: Candidate
    seed: int
    value: float | None


def open_study(url: str, name: str | None) -> optuna.Study:
    """Open a study that has one objective; without a name, the storage's only study. Raises `UserError`."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _explain_errors():
        storage = _open_storage(url)
        names = sorted(each.study_name for each in optuna.get_all_study_summaries(storage, include_best_trial=False))
        if not names:
            raise UserError("--optuna: there is no study")
        if name is None and len(names) > 1:
            raise UserError(f"--study: name one of {', '.join(names)}")
        if name is not None and name not in names:
            raise UserError(f"--study: there is no study '{name}'; there are {', '.join(names)}")
        study = optuna.load_study(study_name=name or names[0], storage=storage)
        if len(study.directions) > 1:
            raise UserError(f"--study: '{study.study_name}' has {len(study.directions)} objectives, and must have one")
        return study


def _open_storage(url: str) -> RDBStorage | JournalStorage:
    if "://" not in url or url.startswith(JOURNAL):
        text = url.removeprefix(JOURNAL)
        paths = [Path(text.removeprefix("/")), Path(text)] if url.startswith(JOURNAL) else [Path(text)]
        path = next((path for path in paths if files.path_exists(path)), None)
        if path is None:
            raise UserError(f"--optuna: {paths[0]}: no such file. Allowed: {ALLOWED}")
        return JournalStorage(JournalFileBackend(str(path)))
    parsed = make_url(url)
    has_file = bool(parsed.database) and files.path_exists(Path(str(parsed.database)))
    if parsed.get_backend_name() == "sqlite" and not has_file:
        raise UserError(f"--optuna: {url}: no such file. Allowed: {ALLOWED}")  # SQLite would make one
    # Optuna fills in a template; and another program's file must not get its tables
    return RDBStorage(url.replace("{", "{{").replace("}", "}}"), skip_table_creation=True)


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Turn errors of a storage into a `UserError`, without what may hold a password."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UserError(f"--optuna: no storage of Optuna's has this address. Allowed: {ALLOWED}") from error
    except (SQLAlchemyError, OSError, optuna.exceptions.OptunaError, RuntimeError, KeyError, ValueError) as error:
        cause = error.__cause__ or error
        driver_error = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
        reason = (str(driver_error).strip().splitlines() or [type(driver_error).__name__])[0]
        raise UserError(f"--optuna: the storage cannot be used: {reason}") from error


def list_best(study: optuna.Study, count: int) -> list[Candidate]:
    """List the `count` best settings: complete trials that break no limit; a repeated setting has its mean value."""
    trials = [
        trial for trial in study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]) if not _breaks_limit(trial)
    ]
    by_key = dict[str, list[FrozenTrial]]()
    for trial in trials:
        by_key.setdefault(Candidate(trial.number, trial.params).key, []).append(trial)
    sign = read_sign(study)
    costs = [(sign * sum(map(_read_value, same)) / len(same), same[0]) for same in by_key.values()]
    best = sorted(costs, key=lambda pair: (pair[0], pair[1].number))[:count]
    return [Candidate(trial.number, trial.params) for _, trial in best]


def read_sign(study: optuna.Study) -> int:
    """Return 1 if a smaller value is better, -1 if a larger one is."""
    return 1 if study.direction == optuna.study.StudyDirection.MINIMIZE else -1


def _read_value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _breaks_limit(trial: FrozenTrial) -> bool:
    limits = [*(trial.system_attrs.get("constraints") or ())]
    limits += [value for name, value in trial.system_attrs.items() if name.startswith("constraints:")]
    return any(limit > 0 for limit in limits)


def find_default(study: optuna.Study, given: Mapping[str, Any] | None) -> Candidate | None:
    """Find the default: the parameters that are given, or else those of the first enqueued trial; None without any."""
    trials = study.get_trials(deepcopy=False)
    if given is not None:
        same = (trial.number for trial in trials if trial.params == given)
        return Candidate(next(same, None), given)
    enqueued = ((trial, trial.system_attrs.get("fixed_params")) for trial in trials)
    return next((Candidate(trial.number, {**fixed, **trial.params}) for trial, fixed in enqueued if fixed), None)


def list_fresh_seeds(study: optuna.Study, count: int) -> list[int]:
    """List seeds that no trial says that it had, in its attribute `seed`. A larger count begins with the same seeds."""
    used = {trial.user_attrs.get("seed") for trial in study.get_trials(deepcopy=False)}
    return [seed for seed in range(FIRST_SEED, FIRST_SEED + count + len(used)) if seed not in used][:count]


def read_runs(study: optuna.Study) -> list[StoredRun]:
    """Read the runs of earlier calls. Raises `UserError` if the attribute has another form."""
    params = {trial.number: trial.params for trial in study.get_trials(deepcopy=False)}
    runs = list[StoredRun]()
    for row in study.user_attrs.get(RUNS, ()):
        try:
            trial, value = row["trial"], row["value"]
            candidate = Candidate(trial, row["params"] if "params" in row else params[trial])
            runs.append(StoredRun(candidate, int(row["seed"]), None if value is None else float(value)))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"the study's attribute `{RUNS}` has an entry that cannot be read: {row!r}") from error
    return runs


def write_runs(study: optuna.Study, runs: Iterable[StoredRun], names: Mapping[str, Sequence[str]]) -> None:
    """Write the runs into the study. `names` has what a candidate is called, by its key; it may have two names."""
    rows = [
        {
            "candidate": name,
            "trial": run.candidate.trial,
            "params": dict(run.candidate.params),
            "seed": run.seed,
            "value": run.value,
        }
        for run in runs
        for name in names[run.candidate.key]
    ]
    with _explain_errors():
        study.set_user_attr(RUNS, rows)
