"""Optuna's storage as a view of a study, for optuna-dashboard and other tools."""

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from pipeline.config import Config
from pipeline.io import UserError
from pipeline.search import spaces
from pipeline.search.samplers import directions
from pipeline.search.storage import FOLDER
from pipeline.search.trials import Outcome, Trial


def url() -> str:
    """Optuna's storage: `THALWEG_STORAGE`, or an SQLite file beside the state."""
    return os.environ.get("THALWEG_STORAGE") or f"sqlite:///{FOLDER / 'studies.db'}"


class Publisher:
    """Adds each finished cohort to Optuna's storage, in a thread of its own while the next one trains.

    A `pipeline.search.study.Listener`, used as a context; nothing is ever read back from what it writes. Where the
    storage cannot be written, the study stops at the next cohort, or at its end, with a `UserError`.
    """

    def __init__(self, config: Config, fingerprint: str) -> None:
        self._config = config
        self._name = f"{config.study.name} {fingerprint[:6]}"
        self._space = spaces.distributions(config)
        self._thread = ThreadPoolExecutor(1)
        self._storage: RDBStorage | None = None
        self._study: optuna.Study | None = None
        self._known = 0
        self._last: Future[None] | None = None

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)
        if error is None and self._last is not None:
            self._last.result()

    def segment(self, over: int, alive: int) -> None:
        """Nothing is published of cohorts that are not over."""

    def cohort(self, trials: Sequence[Trial]) -> None:
        """Publish what the storage does not have yet."""
        if self._last is not None and self._last.done():
            self._last.result()
        self._last = self._thread.submit(self._publish, [trial.outcome for trial in trials])

    def _publish(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self._add(outcomes)
        except (ImportError, SQLAlchemyError, StorageInternalError) as error:
            reason = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"Optuna's storage (THALWEG_STORAGE, or {FOLDER / 'studies.db'}) cannot be written: {reason}; "
                "mend it and start again: the study goes on where it was"
            ) from error

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        FOLDER.mkdir(exist_ok=True)
        with FileLock(FOLDER / "studies.lock"):
            if self._study is None:
                self._storage = RDBStorage(url())
                self._study = self._open(self._storage)
                self._known = len(self._study.get_trials(deepcopy=False))
            self._study.add_trials([self._frozen(outcome) for outcome in outcomes[self._known :]])
            self._known = max(self._known, len(outcomes))

    def _close(self) -> None:
        """Give the connection back, in the thread that it belongs to."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _open(self, storage: RDBStorage) -> optuna.Study:
        study = optuna.create_study(
            storage=storage, study_name=self._name, directions=directions(self._config), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([self._config.study.objective, *self._config.study.also])
        return study

    def _frozen(self, outcome: Outcome) -> FrozenTrial:
        """A trial in Optuna's form."""
        complete = outcome.state == "complete"
        return create_trial(
            state=TrialState.COMPLETE if complete else TrialState.PRUNED,
            values=list(outcome.scores) if complete else None,
            params=outcome.values,
            distributions={name: self._space[name] for name in outcome.values},
            intermediate_values=dict(outcome.intermediate),
            system_attrs={f"constraints:{name}": limit for name, limit in outcome.limits.items()},
        )
