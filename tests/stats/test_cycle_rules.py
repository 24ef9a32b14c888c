import numpy as np
import pytest

from tests.helpers.closed_curves import RESTARTS, judge_losses


def test_ends_of_cycles_are_compared() -> None:
    """Within each cycle the loss rises and falls; from end to end it goes from 0.4 to 0.08, or stays."""
    falling = np.repeat([0.4, 0.2, 0.12, 0.08], 4) + np.tile([0.3, 0.2, 0.05, 0.0], 4)
    verdict = judge_losses(falling, falling, RESTARTS)
    assert (verdict.kind, verdict.evidence.rule) == ("improving", "cycles")
    assert [verdict.evidence.numbers[name] for name in ("before", "last")] == pytest.approx([0.12, 0.08])
    level = np.tile([0.4, 0.3, 0.15, 0.1], 4)
    verdict = judge_losses(level, level, RESTARTS)
    assert (verdict.kind, verdict.evidence.rule, verdict.since) == ("converged", "cycles", 12)


def test_swings_within_cycles_do_not_count() -> None:
    """Ends of cycles fall by 0.1 or 0.2 each, but one: swings of 0.5 within a cycle do not hide that."""
    loss = np.repeat([1.0, 0.9, 0.8, 0.7, 0.6, 0.6, 0.4, 0.2], 4) + np.tile([0.1, 0.5, 0.05, 0.0], 8)
    verdict = judge_losses(loss + 0.5, loss, np.tile(RESTARTS, 2), first_loss=2.0)
    assert (verdict.kind, verdict.evidence.rule) == ("improving", "cycles")


def test_cycle_that_was_cut_short_is_left_out() -> None:
    rate, loss = np.append(RESTARTS, [0.85, 0.5]), np.append(np.tile([0.4, 0.3, 0.15, 0.1], 4), [0.4, 0.3])
    verdict = judge_losses(loss, loss, rate)
    assert (verdict.kind, verdict.evidence.numbers["last_epoch"]) == ("converged", 16)


def test_restarts_that_undo_the_fall() -> None:
    """Each restart throws training back by half of its fall, and cycles end no lower: the rate is too high."""
    train = np.tile([1.1, 0.9, 0.6, 0.45], 4)
    val = np.tile([1.1, 1.0, 0.8, 0.65], 4)
    verdict = judge_losses(train, val, RESTARTS, first_loss=1.6)
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "rebounds")
    assert verdict.evidence.numbers["percent"] == pytest.approx(100 * 0.55 / 1.15)
    assert [verdict.evidence.numbers[name] for name in ("first_epoch", "last_epoch")] == [4, 16]
    lower = np.repeat([0.0, 0.05, 0.1, 0.15], 4)
    assert judge_losses(train - lower, val - lower, RESTARTS, first_loss=1.6).kind == "improving"


def test_cycles_that_end_higher() -> None:
    """From end to end validation loss goes from 0.3 to 0.6: training loss says if that is the rate or overfitting."""
    within, val = np.tile([0.5, 0.3, 0.05, 0.0], 4), np.repeat([0.4, 0.3, 0.45, 0.6], 4)
    lost = judge_losses(within + np.repeat([0.4, 0.25, 0.4, 0.5], 4), within + val, RESTARTS, first_loss=9.0)
    assert (lost.kind, lost.since, lost.evidence.rule) == ("rate too high", 8, "lost cycles")
    learnt = judge_losses(within + np.repeat([0.4, 0.25, 0.24, 0.23], 4), within + val, RESTARTS, first_loss=9.0)
    assert (learnt.kind, learnt.since) == ("overfitting", 8)
    rises_little = within + np.repeat([0.4, 0.25, 0.26, 0.29], 4)
    assert judge_losses(rises_little, within + val, RESTARTS, first_loss=9.0).kind == "converged"
    val_rises_little = within + np.repeat([0.4, 0.3, 0.31, 0.32], 4)
    falls = within + np.repeat([0.4, 0.25, 0.24, 0.23], 4)
    assert judge_losses(falls, val_rises_little, RESTARTS, first_loss=9.0).kind == "converged"
    level = within + np.repeat([0.4, 0.3, 0.29, 0.3], 4)
    assert judge_losses(level, level, RESTARTS, first_loss=9.0).kind == "converged"
