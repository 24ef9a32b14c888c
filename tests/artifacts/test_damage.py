"""Damaged files of earlier stages: one line that names the file and the cure, never another result."""

import random
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.helpers.damages import DAMAGES, damage_file
from tests.helpers.saved_models import build_model
from tests.helpers.small_study import CONFIG, draw_examples, split_examples
from thalweg.artifacts import prepared, summary, trained_model, weights
from thalweg.artifacts.damage import CURE
from thalweg.artifacts.summary import Provenance, RankedTrial, StudyRecord, StudySummary
from thalweg.system import files
from thalweg.system.paths import BASELINE_WEIGHTS, COPIES, EXAMPLES, MANIFEST, MODEL, SPLITS, STUDY_RECORD
from thalweg.tasks.classify import Classify
from thalweg.tasks.count import Count

DRAWS = 25  # of each kind of damage
COUNTER = build_model(Count(), (1,))
CLASSIFIER = build_model(Classify(), (3,), classes=("a", "b", "c"))


def write_all(counter: bool = True) -> None:
    """Write each file in one of two versions, each valid by itself."""
    examples, splits = draw_examples(), split_examples()
    if not counter:
        examples = examples.take_rows(np.arange(len(examples))[::-1])
    trained_model.save_trained_model(MODEL, COUNTER if counter else CLASSIFIER)
    files.write_bytes(BASELINE_WEIGHTS, weights.serialize_weights((COUNTER if counter else CLASSIFIER).members))
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_splits(splits if counter else type(splits)(splits.validation, splits.train, splits.test))
    files.write_json(MANIFEST, prepared.build_manifest(CONFIG, examples, splits, (), ()))
    prepared.write_copies(examples, [examples.take_rows(np.arange(2))], np.arange(2), "")
    study = StudySummary(1, 1, 1, 0, 0, RankedTrial(0, {}, 0.5), 3)
    record = StudyRecord(Provenance("0", {}, ""), study, (RankedTrial(0, {}, 0.5),))
    files.write_json(STUDY_RECORD, summary.to_json(record) if counter else {"another": ["shape"]})


def predict() -> bytes:
    return trained_model.load_trained_model(MODEL).predict(np.zeros((1, 8, 10, 3), np.uint8)).tobytes()


def read_prepared() -> bytes:
    loaded = prepared.load_prepared_data()
    arrays = (loaded.examples.images, loaded.examples.labels["count"], loaded.copy_origins, *loaded.splits.train)
    return b"".join(array.tobytes() for array in arrays)


def read_baseline() -> bytes:
    members = weights.read_weights(BASELINE_WEIGHTS, COUNTER.network)
    return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(members))


def find_error(read: Callable[[], object], undisturbed: object) -> str:
    """Read; return the error's message, or nothing where the result is that of undisturbed files."""
    try:
        assert read() == undisturbed
    except files.UserError as error:
        return str(error)
    return ""


READERS: dict[Path, Callable[[], bytes]] = {
    MODEL / "model.json": predict,
    MODEL / "weights.msgpack": predict,
    MODEL / "inputs.npz": predict,
    BASELINE_WEIGHTS: read_baseline,
    EXAMPLES: read_prepared,
    SPLITS: read_prepared,
    MANIFEST: read_prepared,
    COPIES: read_prepared,
    EXAMPLES.with_name(prepared.IMAGES): read_prepared,
    COPIES.with_name(prepared.IMAGES): read_prepared,
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("file", READERS, ids=str)
def test_damage_is_named_or_changes_nothing(
    file: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_all(counter=False)
    other = file.read_bytes()
    write_all()
    read, draw, content = READERS[file], random.Random(f"{file} {kind}"), file.read_bytes()
    undisturbed = read()
    for _ in range(DRAWS if kind in ("cut", "flipped", "zeroed", "garbage") else 1):
        file.write_bytes(content)
        damage_file(file, kind, draw, other)
        if message := find_error(read, undisturbed):
            assert file.name in message or "no model yet" in message
            assert CURE in message or "with `thalweg run`" in message
            assert "\n" not in message


@pytest.mark.parametrize("content", [b"{}", b"[]", b"3", b'{"made": 1}', b'{"made": {}, "study": {}, "ranked": []}'])
@pytest.mark.parametrize(("file", "read"), [(STUDY_RECORD, summary.read_study_record), (MANIFEST, read_prepared)])
def test_record_of_another_shape_is_named(
    file: Path, read: Callable[[], object], content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_all()
    read()
    files.write_bytes(file, content)
    assert find_error(read, None).startswith(f"{file}: damaged: ")
