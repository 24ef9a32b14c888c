"""The user's study in Optuna: its candidates, and the runs on fresh seeds that it keeps in an attribute."""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from thalweg.system import database_url, files
from thalweg.system.files import UserError

RUNS = "thalweg:runs"
"""The study's attribute: a list with candidate, trial, params, seed and value of each run; a value of null failed."""
ALLOWED = "sqlite:///FILE.db, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or the path of a journal"
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
    warnings.filterwarnings("ignore", module="optuna")  # on lists as choices of any study there
    with _explain_errors(url):
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


def _open_storage(text: str) -> RDBStorage | JournalStorage:
    """Open a storage that is there. No table is made in another program's file."""
    if database_url.is_journal(text):
        return JournalStorage(JournalFileBackend(str(database_url.find_journal(text, "--optuna", ALLOWED))))
    url = database_url.parse_url(text, "--optuna", ALLOWED)
    if url.get_backend_name() == "sqlite" and not files.path_exists(file := database_url.find_file(url)):
        raise UserError(f"--optuna: {file}: no such file. Allowed: {ALLOWED}")  # SQLite would make one
    options = {"connect_args": database_url.choose_patience(url)}
    return RDBStorage(database_url.render_template(url), options, skip_table_creation=True)


@contextmanager
def _explain_errors(text: str) -> Iterator[None]:
    """Turn the errors of a storage into a `UserError`, without its password."""
    kinds = (SQLAlchemyError, OSError, optuna.exceptions.OptunaError, RuntimeError, KeyError, ValueError)
    url = URL.create("journal") if database_url.is_journal(text) else database_url.parse_url(text, "--optuna", ALLOWED)
    place = text if database_url.is_journal(text) else database_url.describe_url(url)
    with database_url.explain_errors(f"--optuna: {place} cannot be used", url, kinds):
        yield


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


def write_runs(study: optuna.Study, url: str, runs: Iterable[StoredRun], names: Mapping[str, Sequence[str]]) -> None:
    """Write the runs into the study of a storage. `names` has the names of a candidate, one or two, by its key."""
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
    with _explain_errors(url):
        study.set_user_attr(RUNS, rows)
