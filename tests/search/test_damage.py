"""A study whose journal or snapshot is damaged ends with the bytes of an undisturbed one."""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.damages import DAMAGES, damage_file
from tests.helpers.training_calls import count_steps
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import fleet
from thalweg.search import study
from thalweg.search.run import build_trials_table
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
        self.left = segments

    def on_segment(self, *_: int) -> None:
        self.left -= 1
        if not self.left:
            raise KilledError

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        pass


Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(
    config: Config, data_spec: DataSpec, splits: Splits, compose_data: Callable[[Config, Splits], TrainingData]
) -> Run:
    """Run a study in a folder; return its tables."""

    def run(folder: Path = FOLDER, segments: int = 0, **values: int) -> str:
        changed = config.replace_values(PRUNED | values)
        data = compose_data(changed, splits)
        trials = study.run_trials(changed, data_spec, data, folder, [KillAfter(segments)]).trials
        lanes = [(trial.outcome.number, *lane) for trial in trials for lane in trial.lanes]
        return build_trials_table(changed, trials).to_csv() + build_curves_table(changed, lanes).to_csv()

    return run


@pytest.fixture(scope="module")
def killed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a killed study and another one, and what the first gives undisturbed."""
    top = tmp_path_factory.mktemp("damage")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        patch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)
        patch.setattr(fleet, "SEGMENT_SECONDS", 1e-9)
        undisturbed = run(Path("undisturbed"))
        for folder, seed in ((FOLDER, 3), (FOLDER.with_name("other"), 4)):
            with pytest.raises(KilledError):
                run(folder, SEGMENTS, seed=seed)
    return top, undisturbed


@pytest.fixture
def inside(killed: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go to a copy of the killed study; return what it should give."""
    shutil.copytree(killed[0] / ".thalweg", tmp_path / ".thalweg")
    monkeypatch.chdir(tmp_path)
    return killed[1]


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", ["journal.jsonl", "snapshot.npz"])
def test_damaged_study_gives_same_bytes(
    inside: str, run: Run, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, draw = FOLDER / name, random.Random(f"{name} {kind}")
    is_changed = damage_file(file, kind, draw, FOLDER.with_name("other").joinpath(name).read_bytes())
    assert run() == inside
    messages = capsys.readouterr().err.count("left out, and made anew")
    if name == "journal.jsonl":
        assert messages <= 1  # a cut between two lines looks like an earlier moment
    else:
        assert messages == (is_changed and kind != "removed")
    run()
    assert "left out" not in capsys.readouterr().err


def test_every_lost_line_gives_same_bytes(inside: str, run: Run) -> None:
    lines = (FOLDER / "journal.jsonl").read_bytes().splitlines(keepends=True)
    draw = np.random.default_rng(0)
    for lost in draw.permutation(len(lines))[:6]:
        shutil.rmtree(FOLDER)
        FOLDER.mkdir()
        (FOLDER / "journal.jsonl").write_bytes(b"".join([*lines[:lost], *lines[lost + 1 :]]))
        assert run() == inside


def test_whole_study_is_read_not_trained(inside: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables above are worth something only if the undamaged state is used."""
    assert run() == inside
    steps = count_steps(monkeypatch)
    assert run() == inside
    assert steps == []
