"""Every stage with a task that finds boxes."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.helpers.small_study import build_params
from thalweg.artifacts import prepared
from thalweg.cli import predict
from thalweg.config.load import load_config
from thalweg.stages import STAGE_NAMES, prepare, runner
from thalweg.system import files, table_files
from thalweg.system.paths import BASELINE_METRICS, EXAMPLES, MANIFEST, MODEL, PARAMS, PREDICTIONS, REFERENCES, SUMMARY
from thalweg.tasks.detect import Detect

pytestmark = pytest.mark.slow  # tests/tasks/test_detect.py asks the same of the task alone
TREE = build_params(
    {
        "seed": 1,
        "data": {
            "path": "data",
            "source": {"kind": "scenes", "examples": 64, "size": [24, 32], "places": 8, "people": [0, 3]},
            "split": {"by": "group", "validation": 0.25, "test": 0.25},
        },
        "augment": {"offline": {"copies": 1, "shift": 0.2}, "online": {"flip": 0.5, "shift": 0.1}},
        "task": {"kind": "detect", "cell": 4, "threshold": 0.01},
        "model": {"kind": "cnn", "width": 4, "depth": 2},
        "loss.terms": {
            "missed": {"kind": "binary_focal"},
            "false_alarms": {"kind": "binary_cross_entropy"},
            "position": {"kind": "l1"},
            "size": {"kind": "l2"},
            "class": {"kind": "focal", "phases": {"late": {"start": 0.5, "weight": 2.0}}},
        },
        "optimizer": {"kind": "adam", "learning_rate": 0.01},
        "training.epochs": 2,
        "study": {
            "trials": 2,
            "cohort": 2,
            "objective": "ap50",
            "space": {"loss.terms.position.weight": {"low": 0.1, "high": 10.0, "log": True}},
        },
        "confirm": {"seeds": 2, "runners_up": 0, "members": 2},
        "diagnose": {"seeds": 0},
        "report": {"title": "Where are they?"},
    }
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    with contextlib.chdir(folder):
        with PARAMS.open("w") as file:
            YAML(typ="rt").dump(TREE, file)
        for name in STAGE_NAMES:
            runner.run_stage(name)
    return folder


@pytest.fixture(autouse=True)
def working_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def test_detections_are_scored() -> None:
    assert files.read_json(BASELINE_METRICS).keys() == Detect.METRIC_DIRECTIONS.keys()
    summary = files.read_json(SUMMARY)
    assert summary["test"].keys() == Detect.METRIC_DIRECTIONS.keys()
    table = table_files.read_table(PREDICTIONS)
    parts, examples = prepared.read_splits(), prepared.read_examples(EXAMPLES)
    assert table["truth"].tolist() == examples.labels["count"][parts.test].tolist()
    assert (table["error"] >= (table["prediction"] - table["truth"]).abs()).all()
    assert summary["test"]["mae"] >= 0
    assert table_files.read_table(REFERENCES)["answer"].tolist() == ["the average object of each cell"]


def test_grid_warnings_are_kept() -> None:
    crowded = Detect(cell=16)
    examples = prepared.read_examples(EXAMPLES)
    config = load_config(PARAMS).replace_values({"task.cell": 16})
    prepare.main(config)
    warnings = files.read_json(MANIFEST)["warnings"]
    prepare.main(load_config(PARAMS))
    assert crowded.find_data_warnings(examples)
    assert set(crowded.find_data_warnings(examples)) <= set(warnings)


def test_worst_pictures_are_explained() -> None:
    picture = np.asarray(Image.open(Path("artifacts/confirm/pictures/00.png")))
    assert picture.shape == (24 * 9, 32 * 9, 3)
    assert "true boxes in solid blue, detected boxes in dashed orange" in Path("reports/report.md").read_text()


def test_boxes_move_with_copies() -> None:
    loaded = prepared.load_prepared_data()
    boxes, there = loaded.examples.labels["boxes"], loaded.examples.labels["present"]
    copies = slice(len(loaded.examples) - len(loaded.copy_origins), None)
    assert not np.array_equal(boxes[copies], boxes[loaded.copy_origins])
    assert (boxes[there] >= 0).all()
    assert (boxes[there] <= [32, 24, 32, 24]).all()


def test_boxes_in_original_pixels(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 24), (120, 90, 60))
    picture.save(tmp_path / "a.png")
    picture.resize((64, 96)).save(tmp_path / "b.png")
    predict.predict_images(MODEL, [tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "out.csv")
    boxes, table = table_files.read_table(tmp_path / "out.boxes.csv"), table_files.read_table(tmp_path / "out.csv")
    assert list(boxes) == ["image", "x0", "y0", "x1", "y1", "confidence", "class"]
    assert set(boxes["class"]) <= {"adult", "child"}
    image_boxes = [boxes[boxes["image"] == image] for image in table["image"]]
    assert [len(table) for table in image_boxes] == table["prediction"].tolist()
    assert len(image_boxes[0]) > 0
    for side, times in (("x0", 2), ("x1", 2), ("y0", 4), ("y1", 4)):
        np.testing.assert_allclose(image_boxes[1][side], times * image_boxes[0][side], rtol=1e-4, atol=1e-3)
