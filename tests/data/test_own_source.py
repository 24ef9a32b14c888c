"""What an own source may return, and the sentence about anything else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thalweg.config.experiment import DataConfig
from thalweg.data.examples import Examples, ReadResult
from thalweg.data.own_source import find_result_fault, read_source
from thalweg.system.members import MemberError

NAMES = np.array(["a", "b"])
GOOD = Examples(np.zeros((2, 3, 4, 1), np.uint8), NAMES, NAMES, np.full(2, ""), {"count": np.ones(2, np.float32)})


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (ReadResult(GOOD), ""),
        (None, "no `thalweg.data.examples.ReadResult` of `Examples`"),
        (GOOD, "no `thalweg.data.examples.ReadResult` of `Examples`"),
        (
            ReadResult(replace(GOOD, images=np.zeros((2, 3, 4)))),  # type: ignore[arg-type]
            "images of type float64 [2, 3, 4]; they must be uint8 [N, H, W, C]",
        ),
        (
            ReadResult(replace(GOOD, groups=np.arange(2))),  # type: ignore[arg-type]
            "`groups` of type int64 [2]; it must be text [2]",
        ),
        (ReadResult(replace(GOOD, names=NAMES[:1])), "`names` of type <U1 [1]; it must be text [2]"),
        (
            ReadResult(replace(GOOD, labels={"count": np.ones(2)})),
            "the label `count` of type float64 [2]; it must be float32 [2]",
        ),
        (
            ReadResult(replace(GOOD, labels={"points": np.ones((2, 2), np.float32)})),
            "the label `points` of type float32 [2, 2]; it must be float32 [2, P, 2]",
        ),
        (
            ReadResult(replace(GOOD, labels={"weight": np.ones(2)})),
            "the label `weight`; labels are count, label, points, boxes, kinds, present",
        ),
        (
            ReadResult(replace(GOOD, labels={"count": np.full(2, np.nan, np.float32)})),
            "the label `count` with values that are not finite",
        ),
    ],
)
def test_fault_of_what_a_source_returns(result: Any, fault: str) -> None:
    assert find_result_fault(result) == fault


SOURCE = """
from thalweg.data.examples import DataSource


class Broken(DataSource):
    def read_examples(self, path, seed):
        return {}["a"]


class Empty(DataSource):
    def read_examples(self, path, seed):
        return None


class Unfinished(DataSource):
    pass
"""


def test_own_source_fails_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_source_of_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    split = {"by": "fraction", "validation": 0.2, "test": 0.2}

    def read(name: str) -> ReadResult:
        data = DataConfig.model_validate(
            {"path": ".", "source": {"kind": f"own_source_of_test.{name}"}, "split": split}
        )
        return read_source(data.source, Path(), 0)

    with pytest.raises(MemberError, match=r"Broken` fails: KeyError: 'a' \(own_source_of_test\.py, line 7\)"):
        read("Broken")
    with pytest.raises(MemberError, match="Empty` returns no"):
        read("Empty")
    with pytest.raises(ValueError, match="Unfinished` lacks `read_examples`"):
        read("Unfinished")
