"""The own code that docs/own-code.md shows: each example runs, all in one project."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.helpers.doc_examples import list_examples
from tests.helpers.small_study import build_params
from tests.helpers.tiny_pipeline import run_stages, write_params
from thalweg.artifacts import prepared
from thalweg.artifacts.sources import list_sources
from thalweg.cli import preflight
from thalweg.cli.predict import predict_images
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError
from thalweg.search import study
from thalweg.system import files, paths
from thalweg.system.images import write_image
from thalweg.system.members import list_dotted_members

EXAMPLES = {example.marks["own"]: example.text for example in list_examples() if "own" in example.marks}
WRITTEN: dict[str, Any] = YAML(typ="safe").load(EXAMPLES.pop("params.yaml"))
STUDY = WRITTEN.pop("study")
TREE = build_params(
    {
        **WRITTEN,
        **{f"study.{name}": value for name, value in STUDY.items()},
        "training": {"epochs": 2, "batch_size": 16},
        "study.trials": 4,
        "study.cohort": 2,
        "confirm.seeds": 2,
        "diagnose": {"seeds": 2, "shares": [], "gradients": True},
    }
)
MODULES = {name.removesuffix(".py").replace("/", ".") for name in EXAMPLES}


@pytest.fixture
def project(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(empty_folder))
    for name, text in EXAMPLES.items():
        files.write_text(Path(name), text)
    write_params(TREE)
    yield empty_folder
    for name in [name for name in sys.modules if name in MODULES or name.partition(".")[0] == "my_report"]:
        del sys.modules[name]


def list_check_lines() -> list[str]:
    try:
        load_config(paths.PARAMS, preflight.find_data_problems)
    except ParamsError as error:
        return str(error).splitlines()[:-1]
    return []


def test_page_shows_every_kind_of_own_code() -> None:
    tree = {**WRITTEN, "study": STUDY}
    named = {path.rpartition(".")[0] for path in list_dotted_members(tree).values()}
    assert named | {"test_my_losses"} == {*MODULES} - {"my_report.spread"} | {"my_report"}


@pytest.mark.usefixtures("project")
def test_check_traces_every_example() -> None:
    assert list_check_lines() == []
    exec(compile(EXAMPLES["test_my_losses.py"], "test_my_losses.py", "exec"), {})
    config = load_config(paths.PARAMS)
    own = {name for name in list_sources(config, study) if not name.startswith("thalweg")}
    read_or_reported = {"my_sources", "my_report.spread", "test_my_losses"}
    assert own == MODULES - read_or_reported  # the code that a result follows from


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("my_losses.py", "jnp.maximum(share * error, (share - 1) * error)", "error.mean()", "loss.terms.number.kind: "),
        ("my_metrics.py", "0.0).max()", "0.0)", "task.metrics.0: `my_metrics.worst` returns an array of shape [24]"),
        ("my_augmentations.py", "1.0 - image, image)", "1, 0)", "augment.online.my_augmentations.invert: "),
        ("my_schedules.py", "1.0 /", "1.0 > 0 *", "schedule.kind: `my_schedules.root` returns values of type bool"),
        (
            "my_optimizers.py",
            "optax.chain(",
            "dict(a=1) if 1 else (",
            "optimizer.kind: `my_optimizers.sign_descent` re",
        ),
        ("my_samplers.py", "RandomSampler(seed=seed)", "seed", "study.sampler: `my_samplers.draw` returns a value of"),
        ("my_report/spread.py", "ORDER = 15", "", "report.sections.0: `my_report.spread` needs a `TITLE`"),
        ("my_sources.py", "def read_examples", "def read", "data.source.kind: `my_sources.Bright` lacks `read_exam"),
        ("my_tasks.py", "return outputs[:, 0]", "return outputs.missing", "task.kind: "),
    ],
)
def test_check_names_the_line_of_a_fault(file: str, old: str, new: str, line: str) -> None:
    text = EXAMPLES[file]
    assert text.count(old) == 1
    files.write_text(Path(file), text.replace(old, new))
    (found,) = list_check_lines()
    place, _, message = found.partition(": ")
    assert message.startswith(line)
    assert int(place.partition(":")[2]) > 0


@pytest.mark.slow
def test_own_code_runs_in_every_stage(project: Path) -> None:
    run_stages("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report")
    trials = pd.read_csv(paths.TRIALS)
    assert set(trials["loss.terms.number.kind"]) <= {"l1", "my_losses.quantile"}
    assert set(trials["state"]) == {"complete"}
    assert pd.read_csv(paths.CURVES)["worst"].notna().all()
    assert set(pd.read_csv(paths.GRADIENTS)["verdict"]) <= {"right", "kink"}
    assert "The trials lie" in Path("reports/report.md").read_text()
    examples = prepared.read_examples(paths.EXAMPLES)
    write_image(project / "new.png", np.repeat(examples.images[0], 3, -1))
    assert predict_images(paths.MODEL, [Path("new.png")], Path("out.csv")).count == 1
    files.write_text(paths.PARAMS, "{}")
    with pytest.raises(files.UserError, match=r"runs code, my_models\.Flat and my_tasks\.Tally, which params"):
        predict_images(paths.MODEL, [Path("new.png")], Path("out.csv"))
