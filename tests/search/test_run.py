"""A project's study: its messages at the start."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.small_study import build_training_data
from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.search import run, study
from thalweg.search.study import StudyResult
from thalweg.system import files, machine, runtime
from thalweg.system.paths import EXAMPLES, MANIFEST


@pytest.fixture
def prepared_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config, examples: Examples, splits: Splits
) -> prepared.PreparedData:
    """Prepared data on disk, and studies that only begin a journal."""

    def begin_journal(_config: Config, _spec: object, _data: object, folder: Path, _callbacks: object) -> StudyResult:
        files.write_text(folder / "journal.jsonl", "a line\n")
        return StudyResult([], None)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "run_trials", begin_journal)
    monkeypatch.setattr(runtime, "JAX_ALREADY_LOADED", False)
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_copies(examples, [], np.zeros(0, np.int64), "")
    prepared.write_splits(splits)
    files.write_json(MANIFEST, prepared.build_manifest(config, examples, splits, (), ()))
    return prepared.load_prepared_data()


def test_fresh_start_says_what_differs(
    prepared_data: prepared.PreparedData,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = build_training_data(config, prepared_data)
    _, first = run.run_study(config, prepared_data, data)
    run.run_study(config.replace_values({"study.trials": 12}), prepared_data, data)
    assert "starts from nothing" not in capsys.readouterr().out
    wider = config.model_dump()["study"]["space"]
    wider["optimizer.learning_rate"]["high"] = 0.5
    run.run_study(config.replace_values({"study.space": wider}), prepared_data, data)
    difference = "study.space.optimizer.learning_rate.high (0.1, now 0.5)"
    line = f"This study starts from nothing. The one in .thalweg/{first} differs in {difference}."
    assert line in capsys.readouterr().out.splitlines()
    monkeypatch.setattr(machine, "list_versions", lambda: {"jax": "1"})
    monkeypatch.setattr("thalweg.artifacts.fingerprint.describe_processor", lambda: "another")
    run.run_study(config, prepared_data, data)
    assert "differs in the processor (" in capsys.readouterr().out
