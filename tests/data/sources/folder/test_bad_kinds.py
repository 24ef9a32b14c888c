"""More than a hundred kinds of bad images and tables: each is named, and what is good beside it is read as it is."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.bad_images import BAD_IMAGES, PNG
from tests.helpers.bad_tables import BAD_TABLES, GOOD_TABLES, LABELS
from thalweg.data.examples import Examples
from thalweg.data.sources.folder import Folder
from thalweg.system.files import UserError

SOURCE = Folder(size=(10, 15), channels=1)


def write_folder(folder: Path) -> None:
    (folder / "images").mkdir()
    for name in ("a.png", "b.png"):
        (folder / "images" / name).write_bytes(PNG)
    (folder / "labels.csv").write_text(LABELS)


def read(folder: Path) -> tuple[Examples | None, list[str]]:
    """Return the examples, if any, and all messages."""
    try:
        reading = SOURCE.read_examples(folder, 0)
    except UserError as error:
        return None, [str(error)]
    return reading.examples, [*(f"{bad.where}: {bad.name}: {bad.reason}" for bad in reading.faults), *reading.warnings]


def test_there_are_a_hundred_kinds() -> None:
    assert len(BAD_IMAGES) + len(BAD_TABLES) >= 100


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_bad_image_is_named(kind: str, tmp_path: Path) -> None:
    name, content, message = BAD_IMAGES[kind]
    write_folder(tmp_path)
    alone = read(tmp_path)[0]
    (tmp_path / "images" / "b.png").unlink()
    (tmp_path / "images" / name).write_bytes(content)
    (tmp_path / "labels.csv").write_text(LABELS.replace("b.png", name))
    examples, messages = read(tmp_path)
    (line,) = [line for line in messages if message in line]
    assert alone is not None
    assert examples is not None
    is_used = not line.startswith("labels.csv:3: ")
    assert examples.names.tolist() == ["a.png", name][: 1 + is_used]
    np.testing.assert_array_equal(examples.images[0], alone.images[0])


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_bad_table_is_named(kind: str, tmp_path: Path) -> None:
    name, content, message = BAD_TABLES[kind]
    write_folder(tmp_path)
    (tmp_path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    examples, messages = read(tmp_path)
    assert [line for line in messages if message in line], messages
    counts = {} if examples is None else dict(zip(examples.names, examples.labels.get("count", ()), strict=False))
    assert counts.items() <= {"a.png": 1, "b.png": 2}.items()


@pytest.mark.parametrize("kind", GOOD_TABLES)
def test_odd_table_is_read(kind: str, tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "labels.csv").write_bytes(GOOD_TABLES[kind].encode())
    examples, messages = read(tmp_path)
    assert messages == []
    assert examples is not None
    assert dict(zip(examples.names, examples.labels["count"], strict=True)) == {"a.png": 1, "b.png": 2}
