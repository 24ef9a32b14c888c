"""Copies of a study in Optuna's storage, for optuna-dashboard and other tools."""

import json
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import optuna
from filelock import FileLock
from optuna.distributions import distribution_to_json
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.engine.state_folder import STATE_FOLDER
from thalweg.search.samplers import list_study_directions
from thalweg.search.trials import Outcome, Trial
from thalweg.system.files import UserError


def get_storage_url() -> str:
    """Return the URL of Optuna's storage: `THALWEG_STORAGE`, or an SQLite file in the state folder."""
    return os.environ.get("THALWEG_STORAGE") or f"sqlite:///{STATE_FOLDER / 'studies.db'}"


class Publisher:
    """A callback that adds each finished cohort to Optuna's storage, in its own thread, while the next one trains.

    It is a `thalweg.search.study.StudyCallback`; use it as a context. Nothing reads back what it writes. Where the
    storage cannot be written, the study stops at the next cohort, or at its end, with a `UserError`.
    """

    def __init__(self, config: Config, fingerprint: str) -> None:
        self._config = config
        self._name = f"{config.study.name} {fingerprint[:6]}"
        self._space = spaces.build_distributions(config)
        self._thread = ThreadPoolExecutor(1)
        self._study: tuple[RDBStorage, int] | None = None
        self._stored = 0
        self._last: Future[None] | None = None

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, _kind: object, error: object, _at: object) -> None:
        self._thread.submit(self._close_storage)
        self._thread.shutdown(wait=True)
        if error is None and self._last is not None:
            self._last.result()

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Do nothing: only finished cohorts are published."""

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """Publish the trials that the storage does not have yet."""
        if self._last is not None and self._last.done():
            self._last.result()
        self._last = self._thread.submit(self._publish_outcomes, [trial.outcome for trial in trials])

    def _publish_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        STATE_FOLDER.mkdir(exist_ok=True)
        try:
            with FileLock(STATE_FOLDER / "studies.lock"):
                storage, study = self._study = self._study or self._open_study(RDBStorage(get_storage_url()))
                # one transaction for all: `add_trials` makes one for each trial, and takes ten times as long
                with Session(storage.engine) as session, session.begin():
                    session.add_all([self._build_trial_model(study, outcome) for outcome in outcomes[self._stored :]])
                self._stored = max(self._stored, len(outcomes))
        except (ImportError, SQLAlchemyError, StorageInternalError) as error:
            reason = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"Optuna's storage (THALWEG_STORAGE, or {STATE_FOLDER / 'studies.db'}) cannot be written: {reason}. "
                "Repair it and start again: the study resumes where it stopped."
            ) from error

    def _close_storage(self) -> None:
        """Close the connection, in the thread that opened it."""
        if self._study is not None:
            self._study[0].remove_session()
            self._study[0].engine.dispose()

    def _open_study(self, storage: RDBStorage) -> tuple[RDBStorage, int]:
        """Open the storage and its study, and read how many trials it has."""
        study = optuna.create_study(
            storage=storage, study_name=self._name, directions=list_study_directions(self._config), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([self._config.study.objective, *self._config.study.also])
        number = storage.get_study_id_from_name(self._name)
        self._stored = storage.get_n_trials(number)
        return storage, number

    def _build_trial_model(self, study: int, outcome: Outcome) -> models.TrialModel:
        """Return a trial in Optuna's form."""
        complete, now, space = outcome.state == "complete", datetime.now(), self._space
        value, step_value = models.TrialValueModel, models.TrialIntermediateValueModel
        finite, step_finite = value.TrialValueType.FINITE, step_value.TrialIntermediateValueType.FINITE
        return models.TrialModel(
            study_id=study,
            number=outcome.number,
            state=TrialState.COMPLETE if complete else TrialState.PRUNED,
            datetime_start=now,
            datetime_complete=now,
            values=[
                value(objective=i, value=score, value_type=finite)
                for i, score in enumerate(outcome.scores if complete else ())
            ],
            params=[
                models.TrialParamModel(
                    param_name=name,
                    param_value=space[name].to_internal_repr(chosen),
                    distribution_json=distribution_to_json(space[name]),
                )
                for name, chosen in outcome.values.items()
            ],
            intermediate_values=[
                step_value(step=epoch, intermediate_value=score, intermediate_value_type=step_finite)
                for epoch, score in outcome.intermediate.items()
            ],
            user_attributes=[
                models.TrialUserAttributeModel(key="same_as", value_json=json.dumps(first))
                for first in (outcome.same_as,)
                if first is not None
            ],
            system_attributes=[
                models.TrialSystemAttributeModel(key=f"constraints:{name}", value_json=json.dumps(violation))
                for name, violation in outcome.violations.items()
            ],
        )
