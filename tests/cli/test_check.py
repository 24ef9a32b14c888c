"""What `thalweg check` says of data before it is read; `prepare` says the same."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.image_folder import build_gray_image
from tests.helpers.small_study import build_params
from tests.helpers.tiny_pipeline import run_stages, write_params
from thalweg import cli

UNMARKED = "data.split.by is column, but the data marks no example as validation or test; both sets are drawn by group"
ALONE = "no two examples share a group, so data.split.by: group splits single examples"
DRAWN = "the data marks 8 examples as train or validation, but data.split.by: group draws these sets itself"
ALIKE = "the classes 'Cat', 'cat' look alike; are they one class?"


def write_study(images: Iterable[str], split: dict[str, Any], table: str = "") -> None:
    """Write a study of images in this folder: of a table, or of folders that name the classes."""
    for shade, name in enumerate(images):
        file = Path("data", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        build_gray_image(10 * shade).save(file)
    if table:
        Path("data/labels.csv").write_text(table)
    source = {"kind": "folder" if table else "imagefolder", "size": [8, 6], "channels": 1}
    of_classes = {
        "task.kind": "classify",
        "loss.terms": {"label": {"kind": "cross_entropy"}},
        "study.objective": "accuracy",
    }
    data = {
        "data": {"path": "data", "source": source, "split": split},
        "training.batch_size": 2,
        "diagnose": {},
        "report": {},
    }
    write_params(build_params(data | ({} if table else of_classes)))


def list_notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Check the study, and list what is said of its data: the same as `prepare` says."""
    assert cli.main(["check"]) == 0, capsys.readouterr().err
    marked = [line.removeprefix("note: ") for line in capsys.readouterr().out.splitlines() if "note: " in line]
    run_stages("prepare")
    lines = capsys.readouterr()
    said = [line.split("warning: ")[1] for line in (lines.out + lines.err).splitlines() if "warning: " in line]
    assert said == [note for note in marked if note in said]
    return said


@pytest.mark.usefixtures("empty_folder")
def test_columns_without_marks_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_study((f"{name}/{n}.png" for name in ("cat", "dog") for n in range(8)), {"by": "column"})
    assert list_notes(capsys) == [UNMARKED]


@pytest.mark.usefixtures("empty_folder")
def test_table_without_marks_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"images/{n}.png" for n in range(12)]
    rows = "".join(f"{n}.png,{n},g{n // 2}\n" for n in range(12))
    write_study(names, {"by": "column"}, f"image,count,group\n{rows}")
    assert list_notes(capsys) == [UNMARKED]
    rows = "".join(f"{n}.png,{n},g{n // 2},{('train', 'train', 'validation')[n // 4]}\n" for n in range(12))
    write_study(names, {"by": "column"}, f"image,count,group,split\n{rows}")
    assert list_notes(capsys) == []


@pytest.mark.usefixtures("empty_folder")
def test_marks_that_the_split_ignores_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{split}/{name}/{n}.png" for split in ("train", "val", "test") for name in ("cat", "dog") for n in "01"]
    write_study(names, {"by": "group", "test": 0})
    assert [note[: len(DRAWN)] for note in list_notes(capsys)] == [DRAWN, ALONE]


@pytest.mark.usefixtures("empty_folder")
def test_odd_groups_and_classes_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_study((f"{name}/{n}.png" for name in ("cat", "Cat") for n in range(8)), {"by": "group"})
    assert list_notes(capsys) == [ALONE, ALIKE]
