"""A study whose journal or snapshot is damaged ends with the bytes of an undisturbed one."""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.damages import DAMAGES, damage_file
from tests.helpers.study_runs import format_csv
from tests.helpers.training_calls import count_steps
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import fleet
from thalweg.search import study
from thalweg.search.trials import Trial
from thalweg.training.plan import TrainingData

PRUNED = {
    "study.sampler": "tpe",
    "study.in_flight": 2,
    "study.trials": 16,
    "training.epochs": 4,
    "study.prune": {"first": 1, "eta": 2, "audit": 0.5, "brackets": 2},
}
FOLDER = Path(".thalweg", "one")
SEGMENTS = 5  # of training until the study was killed


class KilledError(Exception):
    """The study was killed."""


class KillAfter:
    """A callback that ends a study after some segments."""

    def __init__(self, segments: int) -> None:
        self.segments_left = segments

    def on_segment(self, *_: int) -> None:
        self.segments_left -= 1
        if not self.segments_left:
            raise KilledError

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        pass


Run = Callable[..., str]


@pytest.fixture(scope="module")
def run_study(
    config: Config, data_spec: DataSpec, splits: Splits, compose_data: Callable[[Config, Splits], TrainingData]
) -> Run:
    """Run a study in a folder; return its tables."""

    def run(folder: Path = FOLDER, segments: int = 0, **values: int) -> str:
        changed = config.replace_values(PRUNED | values)
        data = compose_data(changed, splits)
        trials = study.run_trials(changed, data_spec, data, folder, [KillAfter(segments)]).trials
        return format_csv(changed, trials)

    return run


@pytest.fixture(scope="module")
def killed_study(run_study: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a killed study and another one, and what the first gives undisturbed."""
    top = tmp_path_factory.mktemp("damage")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        patch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)
        patch.setattr(fleet, "SEGMENT_SECONDS", 1e-9)
        undisturbed = run_study(Path("undisturbed"))
        for folder, seed in ((FOLDER, 3), (FOLDER.with_name("other"), 4)):
            with pytest.raises(KilledError):
                run_study(folder, SEGMENTS, seed=seed)
    return top, undisturbed


@pytest.fixture
def expected_tables(killed_study: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go to a copy of the killed study; return what it should give."""
    shutil.copytree(killed_study[0] / ".thalweg", tmp_path / ".thalweg")
    monkeypatch.chdir(tmp_path)
    return killed_study[1]


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", ["journal.jsonl", pytest.param("snapshot.npz", marks=pytest.mark.slow)])
def test_damaged_study_gives_same_bytes(
    expected_tables: str, run_study: Run, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, draw = FOLDER / name, random.Random(f"{name} {kind}")
    is_changed = damage_file(file, kind, draw, FOLDER.with_name("other").joinpath(name).read_bytes())
    assert run_study() == expected_tables
    messages = capsys.readouterr().err.count("left out, and made anew")
    if name == "journal.jsonl":
        assert messages <= 1  # a cut between two lines looks like an earlier moment
    else:
        assert messages == (is_changed and kind != "removed")
    run_study()
    assert "left out" not in capsys.readouterr().err


def test_every_lost_line_gives_same_bytes(expected_tables: str, run_study: Run) -> None:
    lines = (FOLDER / "journal.jsonl").read_bytes().splitlines(keepends=True)
    draw = np.random.default_rng(0)
    for lost in draw.permutation(len(lines))[:6]:
        shutil.rmtree(FOLDER)
        FOLDER.mkdir()
        (FOLDER / "journal.jsonl").write_bytes(b"".join([*lines[:lost], *lines[lost + 1 :]]))
        assert run_study() == expected_tables


def test_whole_study_is_read_not_trained(expected_tables: str, run_study: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables above are worth something only if the undamaged state is used."""
    assert run_study() == expected_tables
    steps = count_steps(monkeypatch)
    assert run_study() == expected_tables
    assert steps == []
