"""Words that several sections share."""

import ast

import pytest

from tests.helpers.paths import ROOT
from thalweg.reporting.sentences import CURVE_EVIDENCE, describe_evidence
from thalweg.stats.monitor import Evidence


@pytest.mark.parametrize(
    ("rule", "numbers", "words"),
    [
        ("diverged", {"step": 2943}, "the loss was no longer finite at step 2,943"),
        (
            "diverged",
            {"epoch": 4, "rate": 0.3, "last_loss": 7.0},
            "the loss was no longer finite in epoch 4 at a learning rate of 0.3; the last finite training loss was 7",
        ),
        ("too short", {"validations": 3}, "3 validations; at least 8 are needed to see a trend"),
        (
            "level",
            {"epoch": 7, "allowed": 0.171, "level": 1.534, "times": 3},
            "from epoch 7 on, the metric averaged over 3 validations stays within 0.17 (3 times its fluctuation "
            "between validations) of its last level, 1.53",
        ),
        (
            "level",
            {"epoch": 7, "allowed": 0.02, "level": 1.0, "percent": 2},
            "from epoch 7 on, the metric averaged over 3 validations stays within 0.02 (2 % of its range) of its last "
            "level, 1",
        ),
        (
            "plateau",
            {
                "first_epoch": 5,
                "last_epoch": 8,
                "plateau": 2.05,
                "high_rate": 0.0591,
                "end": 1.212,
                "low_rate": 0.018,
                "percent": 24.8,
            },
            "training loss averaged 2.05 over epochs 5 to 8, without a clear trend, at a learning rate of 0.0591 or "
            "more; it fell to 1.21 at 0.018 or less: 25 % of its whole fall came only then",
        ),
        (
            "swings",
            {"swing": 3.6, "mean": 10, "first_epoch": 6, "first": 12, "last_epoch": 10, "last": 12, "rate": 0.1},
            "validation loss swings by 3.6 around 10 between validations, at a learning rate of 0.1; from epoch 6 (12) "
            "to epoch 10 (12) it falls by no more than such swings explain",
        ),
        (
            "same answer",
            {"value": 4.9134, "others": 9},
            "error ends at 4.91, as in 9 other trials: the network gives every example the same answer",
        ),
    ],
)
def test_evidence_reads_as_sentence(rule: str, numbers: dict[str, float], words: str) -> None:
    assert describe_evidence(Evidence(rule, numbers), "error") == words


def test_every_rule_has_words() -> None:
    files = (ROOT / "pipeline/stats/monitor.py", ROOT / "pipeline/reporting/analysis/constant_trials.py")
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    rules = {ast.literal_eval(call.args[0]) for call in calls if getattr(call.func, "id", "") == "Evidence"}
    assert rules == CURVE_EVIDENCE.keys()
