"""Run a study and return what it found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thalweg.api.commands import run_pipeline
from thalweg.api.data import Data
from thalweg.api.experiment import read_experiment
from thalweg.api.places import open_place
from thalweg.api.study import Study, load


def run(
    params: str | Path | Mapping[str, Any],
    changes: Mapping[str, Any] | None = None,
    *,
    data: Data | None = None,
    folder: str | Path | None = None,
) -> Study:
    """Run a study and return what it found. Stages that are finished do not run again, so a second call is quick.

    - `params`: a params file, the name of a preset such as `digits`, or the content of a file as nested dicts.
    - `changes`: other values, by dotted path.
    - `data`: arrays in place of `data.path` and `data.source`.
    - `folder`: where the study is to lie; an empty or new folder, or one that holds this very study.

    Without `folder`, the unchanged params.yaml of a project runs in that project, as `thalweg run` does. Everything
    else gets a folder in `studies/`, beside the project's dvc.yaml, or else beside the params file or in the current
    folder. Its name ends with a hash of params and data: other values are another study, and no study replaces another.
    Studies in one `studies/` share their caches, so one with more trials goes on where the shorter one ended.

    The stages run in processes of their own, as on the command line, and give the same bytes, whatever this process has
    imported. Each line that they print is shown: in a notebook in one place, else one below the other. Ctrl-C, or the
    end of this process, ends them; the same call goes on from there.

    Raises `UserError` for a mistake in the params, all of them at once, in the data, or in own code.

    ```python
    import thalweg

    study = thalweg.run("digits", {"study.trials": 8, "training.epochs": 6})
    print(study)
    ```
    """
    place = open_place(read_experiment(params, changes), data, folder)
    run_pipeline(place)
    return load(place)
