from typing import Any

import numpy as np
import pytest

from tests.helpers.closed_curves import RESTARTS, STAIRCASE, judge_losses, measure_way


def test_explosion_in_first_epoch() -> None:
    """A loss that is 2.3 before training and falls from 500 to 100 learns only to undo what its first steps did."""
    epoch = np.arange(1, 17)
    blown = 100 + 400 * np.exp(-epoch / 2)
    verdict = judge_losses(blown, blown, np.full(16, 0.1), first_loss=2.3)
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "explosion")
    assert [verdict.evidence.numbers[name] for name in ("start", "worst", "epoch")] == [2.3, blown[0], 1]
    assert judge_losses(blown, blown, RESTARTS, first_loss=2.3).evidence.rule == "explosion"
    assert judge_losses(blown, blown, np.full(16, 0.1)).kind != "rate too high"
    assert judge_losses(blown, blown, np.full(16, 0.1), first_loss=600.0).kind != "rate too high"


def test_explosion_that_was_not_made_good() -> None:
    """A loss that reaches 90 in the fifth epoch ends above what it had before, or below: then the rate did no harm."""
    loss = 0.5 + 1.5 * np.exp(-np.arange(1, 17) / 2)
    assert judge_losses(loss, loss, STAIRCASE, first_loss=2.3).kind != "rate too high"
    loss[4:] = [90.0, *np.linspace(9.0, 0.8, 11)]
    verdict = judge_losses(loss, loss, STAIRCASE, first_loss=2.3)
    assert (verdict.evidence.rule, verdict.evidence.numbers["epoch"]) == ("explosion", 5)
    loss[5:] = 0.4 + 0.4 * np.exp(-np.arange(11))
    assert judge_losses(loss, loss, STAIRCASE, first_loss=2.3).evidence.rule != "explosion"


def test_first_batch_is_no_explosion() -> None:
    """The first batch alone may be far from the mean: by less than four standard deviations of batches."""
    loss = np.linspace(4.0, 3.9, 16)
    first = {"first_loss": 1.5, "train_spread": np.full(16, 0.8)}
    assert judge_losses(loss, loss, np.full(16, 1e-5), **first).kind == "rate too low"
    assert (
        judge_losses(loss, loss, np.full(16, 1e-5), **first | {"train_spread": np.full(16, 0.1)}).kind
        == "rate too high"
    )


def test_plateau_needs_validation_to_fall() -> None:
    """Training loss waits for the rate to fall: the rate was too high, unless validation does not care."""
    train = np.array([1.2, 1.0, 1.02, 1.0, 0.99, 1.0, *np.linspace(0.5, 0.4, 10)])
    verdict = judge_losses(train, train, STAIRCASE, first_loss=1.6)
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "plateau")
    assert verdict.evidence.numbers["percent"] == pytest.approx(100 * 0.6 / 1.2, abs=2)
    steady = np.array([1.2, 1.0, 1.01, 1.0, 1.01, 1.0, *np.full(10, 0.98)])
    assert judge_losses(train, steady, STAIRCASE, first_loss=1.6).kind != "rate too high"
    assert judge_losses(steady, train, STAIRCASE, first_loss=1.6).kind != "rate too high"


def test_plateau_needs_a_rate_that_jumps() -> None:
    """The same losses, where the rate falls as a cosine: it passed each lower rate, and lost nothing but time."""
    train = np.array([1.2, 1.0, 1.02, 1.0, 0.99, 1.0, 1.0, 1.0, *np.linspace(0.9, 0.4, 8)])
    cosine, jump = np.cos(np.linspace(0, np.pi / 2, 16)) ** 2, np.repeat([1.0, 0.1], 8)
    assert judge_losses(train, train, jump, first_loss=1.6).evidence.rule == "plateau"
    assert judge_losses(train, train, cosine, first_loss=1.6).kind != "rate too high"


def test_fall_on_its_way_is_no_plateau() -> None:
    """The loss fell by 0.1 an epoch before the rate fell, and by 0.25 at once after: it was on its way."""
    loss = np.array([*np.linspace(1.5, 1.0, 6), *np.full(10, 0.75)])
    assert judge_losses(loss, loss, STAIRCASE, first_loss=1.6).evidence.rule != "plateau"
    loss[:6] = 1.1
    assert judge_losses(loss, loss, STAIRCASE, first_loss=1.6).evidence.rule == "plateau"


def test_plateau_counts_the_fall_from_before_training() -> None:
    """What comes once the rate falls is little beside what came in the first epoch."""
    loss = np.array([1.2, 1.0, 1.02, 1.0, 0.99, 1.0, *np.linspace(0.75, 0.7, 10)])
    assert judge_losses(loss, loss, STAIRCASE).kind == "rate too high"
    assert judge_losses(loss, loss, STAIRCASE, first_loss=9.0).kind != "rate too high"


def test_plateau_must_differ_from_noise() -> None:
    """Two late losses of 0.8 lie within the swings of those before, from 0.8 to 1.6."""
    swinging = np.array([1.6, 0.8, 1.6, 0.8, 1.6, 0.8, *np.full(10, 0.8)])
    assert judge_losses(swinging, swinging, STAIRCASE, first_loss=1.8).evidence.rule != "plateau"
    level = np.where(np.arange(16) < 6, 1.2, 0.8)
    assert judge_losses(level, level, STAIRCASE, first_loss=1.8).evidence.rule == "plateau"


def test_rise_at_high_rate() -> None:
    """After a warm-up validation loss is 0.6; at the peak rate it is 1.3, and at the end no better than at first."""
    rate = np.array([0.3, 1, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.52, 0.4, 0.3, 0.22, 0.15, 0.1, 0.03, 0.01])
    val = np.array([0.6, *np.tile([1.2, 1.4], 4), *np.linspace(1.0, 0.73, 7)])
    train = np.array([0.9, *np.linspace(1.5, 0.8, 8), *np.linspace(0.75, 0.45, 7)])
    verdict = judge_losses(train, val, rate, first_loss=1.6)
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "rise")
    assert judge_losses(train, np.where(np.arange(16) < 1, 1.5, val), rate, first_loss=1.6).evidence.rule != "rise"
    made_good = np.where(np.arange(16) < 9, val, val - 0.3)
    assert judge_losses(train, made_good, rate, first_loss=1.6).kind != "rate too high"


@pytest.mark.parametrize("rate", [np.ones(16), STAIRCASE, RESTARTS, np.cos(np.linspace(0, np.pi / 2, 16)) ** 2])
@pytest.mark.parametrize("level", [0.0, 1.0, 100.0])
def test_steady_fall_means_rate_too_low(rate: Any, level: float) -> None:
    """Of exp(-1.5 * way) a fifth is left. Whether the loss has a floor does not matter."""
    middle, end = measure_way(rate)
    train, val = level + np.exp(-1.5 * middle), level + np.exp(-1.5 * end)
    assert judge_losses(train, val, rate, first_loss=level + 1).kind == "rate too low"
    train, val = level + np.exp(-6 * middle), level + np.exp(-6 * end)
    assert judge_losses(train, val, rate, first_loss=level + 1).kind != "rate too low"


def test_straight_fall_may_be_noisy() -> None:
    kinds = []
    for seed in range(12):
        loss = np.linspace(4.0, 3.0, 16) + 0.06 * np.random.default_rng(seed).normal(size=16)
        kinds.append(judge_losses(loss, loss, np.full(16, 1e-3), first_loss=4.1).kind)
    assert kinds.count("rate too low") >= 10


def test_noise_that_falls_with_the_rate_is_no_low_rate() -> None:
    """A loss of 0.3 and half of the rate falls at the end of the way, where the rate does."""
    rate = np.cos(np.linspace(0, np.pi / 2, 40)) ** 2 + 1e-3
    train = 0.3 + 0.5 * rate + 0.6 * np.exp(-np.arange(40))
    assert judge_losses(train, 0.4 + 0.02 * rate, rate, first_loss=1.6).kind != "rate too low"


def test_swings_are_compared_with_the_fall_from_before_training() -> None:
    """Swings of 0.1 are wide beside a fall from 0.3 to 0.2, but not beside one from 2."""
    val = np.array([0.3, 0.25, *np.tile([0.15, 0.25], 7)])
    verdict = judge_losses(val, val, np.full(16, 0.1))
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "swings")
    assert "initial" not in verdict.evidence.numbers
    assert judge_losses(val, val, np.full(16, 0.1), first_loss=2.0).kind == "converged"


def test_rise_from_first_validation() -> None:
    """Validation loss is best after the first epoch: a little worse later is no sign of a rate that is too high."""
    train, val = np.full(16, 0.5), 0.44 + 0.01 * (np.arange(16) > 3)
    assert judge_losses(train, val, np.full(16, 0.1), first_loss=1.6).kind == "converged"
    verdict = judge_losses(train, 0.44 + 0.3 * (np.arange(16) > 3), np.full(16, 0.1), first_loss=1.6)
    assert (verdict.kind, verdict.evidence.rule) == ("rate too high", "swings")
    assert verdict.evidence.numbers["initial"] == 0.44


def test_swings_do_not_contradict_their_numbers() -> None:
    """Where the evidence says that swings explain a fall, it is no more than twice the error of a difference."""
    found = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        val = 1 + np.exp(-np.arange(16) / 8 * draw.uniform(0, 2)) + draw.uniform(0, 0.5) * draw.normal(size=16)
        verdict = judge_losses(val, val, np.full(16, 0.1), first_loss=2.0)
        if verdict.evidence.rule == "swings":
            found += 1
            numbers = verdict.evidence.numbers
            assert numbers["first"] - numbers["last"] <= 2 * np.sqrt(2) * numbers["swing"]
    assert found > 20
