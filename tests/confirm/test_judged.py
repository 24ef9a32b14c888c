"""What the winner was judged on: when two sets of examples count as the same."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.small_study import draw_examples
from thalweg.confirm.judged import digest_examples
from thalweg.data.examples import Examples

NO_ROWS = np.zeros(0, np.int32)


def digest(examples: Examples) -> str:
    return digest_examples(examples, NO_ROWS)


def test_same_examples_have_one_digest() -> None:
    """However wide the texts of the whole data are, and whatever the files are called."""
    examples = draw_examples()
    wide = replace(examples, groups=examples.groups.astype("<U99"), names=np.char.add("photo ", examples.names))
    assert digest(wide) == digest(examples)
    rows = np.arange(12)
    assert digest(examples.take_rows(rows)) == digest(wide.take_rows(rows))


@pytest.mark.parametrize("part", ["images", "count", "groups", "classes", "order", "rows"])
def test_each_part_counts(part: str) -> None:
    examples = draw_examples()
    rows = NO_ROWS
    changed = examples
    match part:
        case "images":
            images = examples.images.copy()
            images[0, 0, 0] += 1
            changed = replace(examples, images=images)
        case "count":
            changed = replace(examples, labels={"count": examples.labels["count"] + 1})
        case "groups":
            changed = replace(examples, groups=np.roll(examples.groups, 1))
        case "classes":
            changed = replace(examples, classes=("a",))
        case "order":
            changed = examples.take_rows(np.arange(len(examples))[::-1])
        case "rows":
            rows = np.arange(len(examples), dtype=np.int32)
    assert digest_examples(changed, rows) != digest(examples)
