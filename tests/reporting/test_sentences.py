"""Words that several sections share."""

import ast
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.paths import ROOT
from thalweg.reporting.sentences import CURVE_EVIDENCE, describe_evidence, refer_to_fresh_seeds
from thalweg.reporting.tables import StudyTables
from thalweg.stats.run_curves import Evidence


@pytest.mark.parametrize(
    ("trials", "words"),
    [
        (
            [3.0, 5.0, np.nan],
            " The search gave each trial 1 seed; the section Result compares the retrained trials on ",
        ),
        ([3.0, 3.0, np.nan], " The search gave each trial 1 seed; the section Result has the one retrained trial on "),
        ([np.nan, np.nan, np.nan], ""),
        ([], ""),
    ],
)
def test_reader_is_led_to_fresh_seeds(counting_study: StudyTables, trials: list[float], words: str) -> None:
    runs = pd.DataFrame({"trial": trials, "seed": range(len(trials))})
    sentence = refer_to_fresh_seeds(replace(counting_study, runs=runs))
    assert sentence == (f"{words}3 fresh seeds." if words else "")


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
            "from epoch 7 on, error, averaged over 3 validations, stays within 0.17 (3 times its fluctuation "
            "between validations) of its last level, 1.53",
        ),
        (
            "level",
            {"epoch": 7, "allowed": 0.02, "level": 1.0, "percent": 2},
            "from epoch 7 on, error, averaged over 3 validations, stays within 0.02 (2 % of its range) of its last "
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
            "training loss averaged 2.05 over epochs 5 to 8, at a learning rate of 0.0591 or more; it fell to 1.21 at "
            "0.018 or less: 25 % of its whole fall came only then",
        ),
        (
            "swings",
            {"swing": 3.6, "mean": 10, "first_epoch": 6, "first": 12, "last_epoch": 10, "last": 12, "rate": 0.1},
            "validation loss swings by 3.6 around 10 between validations, at a learning rate of 0.1; from epoch 6 (12) "
            "to epoch 10 (12) it falls by no more than such swings explain",
        ),
        (
            "swings",
            {"swing": 3.6, "mean": 10, "first_epoch": 6, "first": 9, "last_epoch": 10, "last": 12, "rate": 0.1}
            | {"initial": 1.5},
            "validation loss swings by 3.6 around 10 between validations, at a learning rate of 0.1; from epoch 6 (9) "
            "to epoch 10 (12) it falls by no more than such swings explain; at the first validation it was 1.5",
        ),
        (
            "explosion",
            {"start": 2.3, "worst": 541.0, "epoch": 3, "end": 111.0, "rate": 0.3},
            "training loss was 2.3 before training, reached 541 in epoch 3 and ended at 111, at a learning rate up to "
            "0.3",
        ),
        (
            "rebounds",
            {"percent": 31.6, "rate": 0.3, "first": 0.84, "first_epoch": 4, "last": 0.89, "last_epoch": 16},
            "each restart of the schedule, to a learning rate up to 0.3, undoes 32 % or more of the fall of training "
            "loss so far; from the end of the first cycle (epoch 4) to that of the last (epoch 16), validation loss "
            "goes from 0.84 to 0.89",
        ),
        (
            "lost cycles",
            {"best": 0.3, "epoch": 8, "end": 0.6, "train_at_best": 0.25, "train_end": 0.5, "rate": 0.1},
            "at the ends of the schedule's cycles, validation loss was best (0.3) in epoch 8 and ended at 0.6; "
            "training loss rose, too, from 0.25 to 0.5, at a learning rate up to 0.1",
        ),
        (
            "overfitting cycles",
            {"best": 0.3, "epoch": 8, "end": 0.6, "train_at_best": 0.25, "train_end": 0.2},
            "at the ends of the schedule's cycles, validation loss was best (0.3) in epoch 8 and rose to 0.6; training "
            "loss fell further, from 0.25 to 0.2",
        ),
        (
            "rise",
            {
                "first": 0.604,
                "mean": 1.3,
                "first_epoch": 5,
                "last_epoch": 9,
                "high_rate": 0.2,
                "end": 0.726,
                "low_rate": 0.01,
            },
            "validation loss was 0.604 at the first validation, and averaged 1.3 over epochs 5 to 9, at a learning "
            "rate of 0.2 or more; it fell to 0.726 at 0.01 or less",
        ),
        (
            "cycles",
            {"before": 0.23, "before_epoch": 12, "last": 0.0819, "last_epoch": 16, "allowed": 0.01},
            "error was 0.23 at the end of one cycle of the schedule (epoch 12) and 0.0819 at the end of the next "
            "(epoch 16); a gain within 0.01 counts as none",
        ),
        (
            "rest",
            {"third": 2.6, "fourth": 2.4, "last": 2.2, "high_rate": 0.1, "low_rate": 0.001},
            "the mean of error was 2.6 in the third fifth of the way (the sum of learning rates), 2.4 in the fourth, "
            "and 2.2 at the end; there the learning rate is down from 0.1 to 0.001",
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
    names = ("monitor", "cycle_rules", "rate_rules")
    files = [ROOT / f"pipeline/stats/{name}.py" for name in names]
    files.append(ROOT / "pipeline/reporting/analysis/constant_trials.py")
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    rules = {ast.literal_eval(call.args[0]) for call in calls if getattr(call.func, "id", "") == "Evidence"}
    assert rules == CURVE_EVIDENCE.keys()
