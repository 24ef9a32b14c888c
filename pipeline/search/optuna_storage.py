"""Copies of a study in Optuna's storage, for optuna-dashboard and other tools."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from thalweg.config import settings
from thalweg.config.experiment import Config
from thalweg.search import database
from thalweg.search.distributions import build_distributions
from thalweg.search.samplers import list_study_directions
from thalweg.search.trials import Outcome
from thalweg.system.files import UserError

OWNER = "thalweg:fingerprint"
"""The study's attribute that says whose it is. Only a study with our fingerprint is ever written."""

Row = dict[str, Any]
"""Values of a row of a table, by column."""


@dataclass(frozen=True)
class StoredStudy:
    """A study in a database: its row there, and the fingerprint that it must have."""

    engine: Engine
    number: int
    fingerprint: str


def open_study(config: Config, fingerprint: str) -> StoredStudy:
    """Find or create the study in Optuna's storage. Raises `UserError` where it cannot be written.

    Where another study has its name, it gets a longer name. With more seeds a setting, values differ: it is another
    study.
    """
    seeds = settings.count_trial_seeds(config)
    if seeds != config.study.seeds:
        fingerprint = hashlib.sha256(f"{fingerprint} {seeds} seeds".encode()).hexdigest()[: len(fingerprint)]
    engine = database.open_storage(create=True).engine
    short, *longer = (f"{config.study.name} {fingerprint[:length]}" for length in (6, len(fingerprint)))
    names = (short, *longer, *(f"{longer[-1]} ({i})" for i in range(2, 100)))
    with database.explain_errors():
        for name in names:
            number = _claim_study(engine, config, name, fingerprint)
            if number is not None:
                if name != short:
                    message = f'Optuna\'s storage has another study "{short}". This one is stored as "{name}".'
                    print(message, file=sys.stderr, flush=True)
                return StoredStudy(engine, number, fingerprint)
    raise UserError(f'{database.describe_place()} has other studies of all names like "{short}"')


def _claim_study(engine: Engine, config: Config, name: str, fingerprint: str) -> int | None:
    """Return the row of our study of this name, created if there is none; None if the name is another study's."""
    metrics = [config.study.objective, *config.study.also]
    # another process may create it first: then the unique name is refused here
    with suppress(IntegrityError), Session(engine) as session, session.begin():
        if models.StudyModel.find_by_name(name, session) is None:
            study = models.StudyModel(
                study_name=name,
                directions=[
                    models.StudyDirectionModel(objective=i, direction=direction)
                    for i, direction in enumerate(list_study_directions(config))
                ],
                user_attributes=[models.StudyUserAttributeModel(key=OWNER, value_json=json.dumps(fingerprint))],
                system_attributes=[
                    models.StudySystemAttributeModel(key="study:metric_names", value_json=json.dumps(metrics))
                ],
            )
            session.add(study)
    with Session(engine) as session:
        row = models.StudyModel.find_by_name(name, session)
        owners = [item.value_json for item in row.user_attributes if item.key == OWNER] if row else []
        return row.study_id if row and owners == [json.dumps(fingerprint)] else None


def add_trials(study: StoredStudy, config: Config, outcomes: Sequence[Outcome]) -> None:
    """Add the trials that the study does not have yet, in one transaction. Raises `UserError` where that fails."""
    owner, trial = models.StudyUserAttributeModel, models.TrialModel
    with database.explain_errors(), Session(study.engine) as session, session.begin():
        # The write comes first. It locks the row, or SQLite's file, so no other process can add the same trials.
        lock = (
            update(owner)
            .where(owner.study_id == study.number, owner.key == OWNER)
            .where(owner.value_json == json.dumps(study.fingerprint))
            .values(value_json=owner.value_json)
        )
        if session.execute(lock, execution_options={"synchronize_session": False}).rowcount != 1:
            raise UserError(f"{database.describe_place()}: the study was deleted")
        first = min((outcome.number for outcome in outcomes), default=0)
        numbers = set(
            session.scalars(select(trial.number).where(trial.study_id == study.number, trial.number >= first))
        )
        missing = [outcome for outcome in outcomes if outcome.number not in numbers]
        trials = _build_trial_models(study.number, missing)
        session.add_all(trials)
        session.flush()  # gives each trial its row
        rows = {row.trial_id: outcome for row, outcome in zip(trials, missing, strict=True)}
        for model, values in _build_part_rows(config, rows).items():
            if values:  # one statement a table: an object for each row takes ten times as long
                session.execute(insert(model), values)


def _build_trial_models(study: int, outcomes: Sequence[Outcome]) -> list[models.TrialModel]:
    """Return trials in Optuna's form, without what belongs to them."""
    now = datetime.now()
    return [
        models.TrialModel(
            study_id=study,
            number=outcome.number,
            state=TrialState.COMPLETE if outcome.state == "complete" else TrialState.PRUNED,
            datetime_start=now,
            datetime_complete=now,
        )
        for outcome in outcomes
    ]


def _build_part_rows(config: Config, outcomes: Mapping[int, Outcome]) -> dict[type[models.BaseModel], list[Row]]:
    """Return what belongs to trials, by table, in Optuna's form; `outcomes` are by the trial's row."""
    space = build_distributions(config)
    distributions = {name: distribution_to_json(distribution) for name, distribution in space.items()}
    finite = models.TrialValueModel.TrialValueType.FINITE
    step_finite = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
    return {
        models.TrialValueModel: [
            {"trial_id": row, "objective": i, "value": score, "value_type": finite}
            for row, outcome in outcomes.items()
            for i, score in enumerate(outcome.scores if outcome.state == "complete" else ())
        ],
        models.TrialParamModel: [
            {
                "trial_id": row,
                "param_name": name,
                "param_value": space[name].to_internal_repr(chosen),
                "distribution_json": distributions[name],
            }
            for row, outcome in outcomes.items()
            for name, chosen in outcome.values.items()
        ],
        models.TrialIntermediateValueModel: [
            {"trial_id": row, "step": epoch, "intermediate_value": score, "intermediate_value_type": step_finite}
            for row, outcome in outcomes.items()
            for epoch, score in outcome.intermediate.items()
        ],
        models.TrialUserAttributeModel: [
            {"trial_id": row, "key": "same_as", "value_json": json.dumps(outcome.same_as)}
            for row, outcome in outcomes.items()
            if outcome.same_as is not None
        ],
        models.TrialSystemAttributeModel: [
            {"trial_id": row, "key": f"constraints:{name}", "value_json": json.dumps(violation)}
            for row, outcome in outcomes.items()
            for name, violation in outcome.violations.items()
        ],
    }
