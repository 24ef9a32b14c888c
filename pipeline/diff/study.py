"""One of the two studies: what its files say. A file that is not there leaves its part empty."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from thalweg.artifacts.distinct_trials import merge_repeated_rows
from thalweg.artifacts.judged import JudgedWinner, parse_judged
from thalweg.artifacts.own_code import name_record
from thalweg.artifacts.summary import StudyRecord, Summary
from thalweg.config.params_file import parse_params
from thalweg.config.study import ParameterConfig, sort_space
from thalweg.diff.place import Place
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.space import build_parameters, list_text_columns, restore_choices
from thalweg.schema.problem import ParamsTree
from thalweg.system import table_files
from thalweg.system.files import UserError
from thalweg.system.paths import CURVES, JUDGED, MANIFEST, PARAMS, RUNS, STUDY_RECORD, SUMMARY, TRIALS, WINNER_PARAMS

LOCK = Path("dvc.lock")
CODE = name_record("study")
"""The record of the user's own code that the study ran."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Study:
    """A study: its `name` is A or B; `params` are those that it ran with, `winner` those of its confirmed winner.

    `manifest` describes its data, `record` its versions, `code` its own code. `lacks`: the files that are not there.
    """

    name: Literal["A", "B"]
    place: Place
    params: ParamsTree
    winner: ParamsTree
    space: tuple[SearchedParameter, ...]
    trials: pd.DataFrame
    curves: pd.DataFrame
    runs: pd.DataFrame
    summary: Summary | None
    judged: JudgedWinner | None
    manifest: dict[str, Any]
    record: StudyRecord | None
    code: dict[str, Any]
    lacks: tuple[Path, ...]


def read_study(name: Literal["A", "B"], place: Place) -> Study:
    """Read a study. Raises `UserError` if its params.yaml is not there, or if a file cannot be understood."""
    lacks = list[Path]()

    def parse_file(path: Path, understand: Callable[[bytes], T], nothing: T) -> T:
        content = place.read(path)
        if content is None:
            lacks.append(path)
            return nothing
        try:
            return understand(content)
        except (UserError, ValidationError, ValueError) as error:
            reason = str(error).splitlines()[0].removeprefix(f"{path}: ")
            raise UserError(f"diff: {name}, {place.title}: {path}: {reason}") from None

    params = parse_file(PARAMS, lambda content: parse_params(PARAMS, content)[0], ParamsTree())
    if not params:
        raise UserError(f"diff: {name}, {place.title}: there is no {PARAMS}")
    params |= _read_lock(place.read(LOCK))
    space = read_space(params)  # it was valid when the study ran

    def parse_table(path: Path, **options: Any) -> pd.DataFrame:
        return parse_file(path, lambda content: table_files.parse_table(path, content, **options), pd.DataFrame())

    trials, curves = restore_choices(parse_table(TRIALS, dtype=list_text_columns(space)), space), parse_table(CURVES)
    settings = params.get("study", {})
    if len(curves):
        is_paired = settings.get("randomness", "paired") == "paired"
        trials, curves = merge_repeated_rows(trials, curves, settings.get("also", ()), is_paired)
    return Study(
        name=name,
        place=place,
        params=params,
        winner=parse_file(WINNER_PARAMS, lambda content: parse_params(WINNER_PARAMS, content)[0], ParamsTree()),
        space=space,
        trials=trials,
        curves=curves,
        runs=parse_table(RUNS),
        summary=parse_file(SUMMARY, TypeAdapter(Summary).validate_json, None),
        judged=parse_file(JUDGED, parse_judged, None),
        manifest=parse_file(MANIFEST, json.loads, {}),
        record=parse_file(STUDY_RECORD, TypeAdapter(StudyRecord).validate_json, None),
        code=parse_file(CODE, json.loads, {}),
        lacks=tuple(lacks),
    )


def _read_lock(content: bytes | None) -> ParamsTree:
    """Return the params that the last run had, as dvc.lock says: params.yaml may have been edited since."""
    if content is None:
        return {}
    stages = parse_params(LOCK, content)[0].get("stages", {})
    return dict(stages.get("report", {}).get("params", {}).get(PARAMS.name, {}))


def read_space(params: ParamsTree) -> tuple[SearchedParameter, ...]:
    """Return the search space of a params file. Raises `ValidationError`."""
    space = params.get("study", {}).get("space") or {}
    return tuple(build_parameters(sort_space({n: ParameterConfig.model_validate(each) for n, each in space.items()})))
