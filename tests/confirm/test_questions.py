"""What the study asks about, on fresh seeds: what the comparison of the levels says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.confirm.test_compare import build_candidate, repeat_for_blocks
from thalweg.artifacts.summary import FailedLevel, Question
from thalweg.config.experiment import Config
from thalweg.confirm import questions
from thalweg.stats import intervals

RATE, KIND = "optimizer.learning_rate", "loss.terms.count.kind"
CHOICES = {"choices": ["l1", "l2", "huber"], "role": "scientific"}
SEEDS = 4


@pytest.fixture
def asking(config: Config) -> Config:
    space = {KIND: CHOICES, RATE: {"low": 0.001, "high": 1.0, "log": True}}
    return config.replace_values({"study.space": space, KIND: "l1", "confirm.seeds": SEEDS})


def compare(config: Config, *candidates: tuple[str, list[float]]) -> tuple[Question, ...]:
    """Compare candidates of a kind, with values by seed; the first is the best on the validation set."""
    ranked = [
        replace(build_candidate(number, values, values), values={KIND: kind, RATE: 0.1})
        for number, (kind, values) in enumerate(candidates)
    ]
    left_out = [repeat_for_blocks(candidate.scores["mae"]) for candidate in ranked]
    return questions.compare_levels(config, ranked, left_out, np.ones(3, int), 3)


BEST, NEXT, WORST = [1.0, 1.2, 0.9, 1.1], [1.3, 1.6, 1.1, 1.2], [3.0, 2.8, 3.1, 2.9]


def test_values_are_compared_with_the_leader(asking: Config) -> None:
    (question,) = compare(asking, ("l2", BEST), ("huber", NEXT), ("l2", WORST), ("l1", WORST))
    assert (question.parameter, question.level, question.trial) == (KIND, 1, 0)
    assert [(other.level, other.trial) for other in question.others] == [(0, 3), (2, 1)]
    difference = question.others[1].difference
    gaps = np.subtract(NEXT, BEST)
    assert difference.mean == pytest.approx(gaps.mean())
    # three values: Tukey's quantile for three
    reach = intervals._compute_quantile(3, SEEDS - 1, 1) * gaps.std(ddof=1) / np.sqrt(SEEDS)
    assert difference.high - difference.mean == pytest.approx(reach)
    # each alone, one-sided
    narrow = stats.t.interval(0.9, SEEDS - 1, gaps.mean(), stats.sem(gaps))
    assert (question.others[1].low_90, question.others[1].high_90) == pytest.approx(narrow)


def test_value_that_diverged_is_only_named(asking: Config) -> None:
    lost = [np.nan, 1.0, 1.0, 1.0]
    (question,) = compare(asking, ("l2", BEST), ("huber", NEXT), ("l1", lost))
    assert [other.level for other in question.others] == [2]
    assert question.failed == (FailedLevel(0, 2),)
    assert compare(asking, ("l2", BEST), ("l1", lost)) == (Question(KIND, 1, 0, (), (FailedLevel(0, 1),)),)
    (hopeless,) = compare(asking, ("l2", lost), ("l1", lost))
    assert hopeless == Question(KIND, None, None, (), (FailedLevel(0, 1), FailedLevel(1, 0)))
    assert compare(asking, ("l2", BEST)) == compare(asking) == ()
    assert compare(asking, ("l2", BEST), ("l2", NEXT)) == ()
