"""The cached script bundle: a damaged one is bundled again."""

import random
from pathlib import Path

import pytest
import vl_convert

from tests.helpers.damages import DAMAGES, damage_file
from thalweg.reporting.page import html


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_bundle_is_made_anew(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[str] = []

    def bundle(code: str) -> str:
        calls.append(code)
        return f"bundled({code})"

    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    read = html.read_vega_bundle.__wrapped__
    text = read()
    assert read() == text
    assert len(calls) == 1
    (file,) = tmp_path.glob(".thalweg/vega-*.js")
    is_changed = damage_file(file, kind, random.Random(kind), b"other('bundle')")
    assert read() == text
    assert len(calls) == 1 + is_changed
