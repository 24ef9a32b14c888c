"""The survey is kept in the state folder; a damaged copy is measured again."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.helpers.damages import DAMAGES, damage_file
from thalweg.diagnose import landscape

TABLES = {"path": pd.DataFrame({"epoch": [1, 2], "a": [0.1, 1 / 3]}), "facts": pd.DataFrame({"examples": [3]})}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("tables", [TABLES, None], ids=["tables", "diverged"])
def test_damaged_survey_is_measured_again(
    kind: str, tables: dict[str, pd.DataFrame] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveys: list[Any] = []

    def survey(*arguments: Any) -> dict[str, pd.DataFrame] | None:
        surveys.append(arguments)
        return tables

    def write(target: str) -> dict[str, bytes]:
        landscape.write_landscape(tmp_path / target, file, *[None] * 4)  # type: ignore[arg-type]
        return {file.name: file.read_bytes() for file in (tmp_path / target).glob("*")}

    monkeypatch.setattr(landscape, "survey_landscape", survey)
    file = tmp_path / "state" / "landscape.json"
    first = write("first")
    assert sorted(first) == sorted(f"{name}.csv" for name in tables or ())
    assert write("second") == first
    assert len(surveys) == 1
    is_changed = damage_file(file, kind, random.Random(kind), b'{"path": "epoch\\n9\\n"}')
    assert write("third") == first
    assert len(surveys) == 1 + is_changed
