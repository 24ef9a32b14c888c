"""A finished study: its tables and findings as data, its model and its report."""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.api.commands import run_thalweg
from thalweg.api.experiment import list_differences
from thalweg.api.image_arrays import convert_images
from thalweg.api.report import Report
from thalweg.config.params_file import parse_params
from thalweg.config.tree import flatten_tree
from thalweg.reporting.finding import Finding, read_finding
from thalweg.system import files, images, table_files
from thalweg.system.counts import format_count, join_first
from thalweg.system.files import UserError
from thalweg.system.paths import FINDINGS, MODEL, PARAMS, REPORTS, RUNS, STUDY_RECORD, SUMMARY, TRIALS

LOCK = Path("dvc.lock")
REPORT = REPORTS / "report.html"
WHOLE_NUMBERS = ("diverged_step", "pruned_at", "same_as")
"""Columns of the trials with places that may be empty."""


@dataclass(frozen=True)
class Best:
    """The winner: the trial that is best on fresh seeds. The baseline stands in if no trial could be confirmed.

    - `trial`: its number; None for the baseline.
    - `settings`: its value of each searched setting, by dotted path.
    - `metric`, `value`, `low`, `high`: the objective, its mean on fresh seeds, and the ends of its 95 % interval. It is
      of the test set, or without one of the validation set.

    ```python
    print(study.best.settings, study.best.value)
    ```
    """

    trial: int | None
    settings: dict[str, Any]
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Study:
    """A finished study.

    - `folder`: the project that it lies in; every command of Thalweg works there.
    - `trials`: the [table of trials](results.md#in-reports), one row a trial.
    - `best`: the winner; None if nothing could be confirmed.
    - `findings`: what the report concludes, in its order.
    - `summary`: the content of [reports/summary.json](results.md#in-reportssummaryjson).

    ```python
    study.trials.sort_values("value").head()
    ```
    """

    folder: Path
    trials: pd.DataFrame
    best: Best | None
    findings: list[Finding]
    summary: dict[str, Any]

    def predict(self, images: Any) -> pd.DataFrame | NDArray[np.uint8]:
        """Predict images [N, H, W] or [N, H, W, C], uint8 (0 to 255) or floats (0 to 1), with the winner's networks.

        The numbers are those of `thalweg predict`. A table has one row an image, with its index in the column `image`.
        Where the task finds objects, it has one row an object. Where it makes images, they are returned as an array.

        ```python
        from sklearn.datasets import load_digits

        predictions = study.predict(load_digits().images[:10] / 16)
        ```
        """
        return _predict_images(self.folder, images)

    def report(self) -> Report:
        """Return the report, which a notebook shows.

        ```python
        study.report()
        ```
        """
        return Report(self.folder / REPORT)

    def __repr__(self) -> str:
        return f"Study of {format_count(len(self.trials), 'trial')} in {self.folder}: {self._describe_result()}"

    def _repr_html_(self) -> str:
        place = f"{format_count(len(self.trials), 'trial')} in {self.folder}"
        return f"<p><b>{html.escape(self._describe_result())}</b><br>{html.escape(place)}</p>"

    def _describe_result(self) -> str:
        return self.findings[0].verdict if self.findings else "no findings"


def load(folder: str | Path) -> Study:
    """Read a finished study from its folder. Nothing runs.

    Raises `UserError` if there is none, or if its params.yaml changed after it ran.

    ```python
    study = thalweg.load(study.folder)  # later, or in another notebook
    ```
    """
    place = files.resolve_user_path(Path(folder))
    needed = (PARAMS, TRIALS, SUMMARY, FINDINGS, RUNS, STUDY_RECORD)
    if missing := [str(file) for file in needed if not files.path_exists(place / file)]:
        raise UserError(f"{place}: no finished study; it has no {missing[0]}")
    params = parse_params(place / PARAMS, files.read_bytes(place / PARAMS))[0]
    _require_same_params(place, params)
    summary = files.read_json(place / SUMMARY)
    findings = [read_finding(row) for row in files.read_json(place / FINDINGS)]
    return Study(place, _read_trials(place, params), _find_best(place, params, summary), findings, summary)


def _require_same_params(place: Path, params: dict[str, Any]) -> None:
    """Raise `UserError` if the report is of other params than the file holds now."""
    if not files.path_exists(place / LOCK):
        return
    stages = parse_params(place / LOCK, files.read_bytes(place / LOCK))[0].get("stages", {})
    used: dict[str, Any] = {}
    for stage in ("prepare", "report"):
        used |= stages.get(stage, {}).get("params", {}).get(str(PARAMS), {})
    if differences := list_differences(used, {name: params.get(name) for name in used}):
        raise UserError(f"{place / PARAMS}: changed after the study ran: {join_first(differences)}. Run it again")


def _read_trials(place: Path, params: dict[str, Any]) -> pd.DataFrame:
    choices = {path: values["choices"] for path, values in params["study"]["space"].items() if values.get("choices")}
    texts = [path for path, values in choices.items() if all(isinstance(value, str) for value in values)]
    trials = table_files.read_table(place / TRIALS, dtype=dict.fromkeys(texts, str))
    return trials.astype({name: "Int64" for name in WHOLE_NUMBERS if name in trials})


def _find_best(place: Path, params: dict[str, Any], summary: dict[str, Any]) -> Best | None:
    """Return the confirmed winner, with its values as the study tried them."""
    confirmed = summary.get("confirm")
    if confirmed is None:
        return None
    runs = table_files.read_table(place / RUNS)
    numbers = runs.loc[runs["candidate"] == "winner", "trial"].dropna()
    trial = int(numbers.iloc[0]) if len(numbers) else None
    ranked = {row["number"]: row["params"] for row in files.read_json(place / STUDY_RECORD)["ranked"]}
    written = dict(flatten_tree(params))
    own = {path: written[path] for path in params["study"]["space"] if path in written}
    settings = own if trial is None else ranked[trial]
    winner = confirmed["winner"]
    return Best(trial, settings, params["study"]["objective"], winner["mean"], winner["low"], winner["high"])


def _predict_images(folder: Path, given: Any) -> pd.DataFrame | NDArray[np.uint8]:
    pixels, faults = convert_images(given)
    if faults:
        raise UserError("\n".join(faults))
    with files.open_temporary_folder() as temporary:
        names = [f"{index:08}.bmp" for index in range(len(pixels))]
        for name, image in zip(names, pixels, strict=True):
            images.write_bitmap(temporary / "images" / name, image)
        output = temporary / "predictions.csv"
        run_thalweg(folder, "predict", str(temporary / "images"), "--out", str(output))
        pictures = output.with_suffix("")
        if files.is_folder(pictures):
            shape = files.read_json(folder / MODEL / "model.json")["network"]["outputs"]
            size, channels = tuple(shape[:2]), shape[2]
            read = [images.read_pixels(pictures / f"{name}.png", size, channels).pixels for name in names]
            return np.stack(read)
        objects = output.with_suffix(".boxes.csv")
        table = table_files.read_table(objects if files.path_exists(objects) else output, dtype={"class": str})
    table["image"] = table["image"].map({name: index for index, name in enumerate(names)})
    return table
