from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from tests.helpers.closed_curves import STAIRCASE, judge_decay, judge_losses
from thalweg.stats.monitor import diagnose_curves
from thalweg.stats.run_curves import CurveVerdict

SEEDS = range(12)


def run_descent(rate: Callable[..., Any], epochs: int, seed: int, size: int = 10, steps: int = 50) -> CurveVerdict:
    """SGD on the bowl sum(a w^2) / 2 + 1 / 2 with noise on its gradient, curvatures a from 0.1 to 1; its verdict."""
    draw = np.random.default_rng(seed)
    a, w, curves = np.linspace(0.1, 1, size), np.full(size, 3.0), []
    for epoch in range(epochs):
        losses = []
        for step in range(steps):
            speed = rate((epoch + step / steps) / epochs)
            losses.append((a * w * w).sum() / 2 + 0.5 * abs(1 + 0.1 * draw.normal()))
            w = w - speed * (a * w + draw.normal(size=size))
        curves.append((epoch + 1, np.mean(losses), (a * w * w).sum() / 2 + 0.5, speed, np.std(losses)))
    epoch, train, val, speed, spread = np.array(curves).T
    return diagnose_curves(epoch, train, val, np.sqrt(val), "min", speed, None, spread)


def list_verdict_kinds(rate: Any, epochs: int) -> Counter[str]:
    return Counter(run_descent(rate, epochs, seed).kind for seed in SEEDS)


def compute_half_cosine(done: float) -> float:
    result: float = 0.5 * (1 + np.cos(np.pi * done))
    return result


@pytest.mark.parametrize("epochs", [8, 12, 30])
def test_verdict_names_cause(epochs: int) -> None:
    min_count = 0.8 * len(SEEDS)
    assert list_verdict_kinds(lambda _: 1e-3 / epochs, epochs)["rate too low"] >= min_count
    assert (
        list_verdict_kinds(lambda done: 2e-3 / epochs * compute_half_cosine(done), epochs)["rate too low"] >= min_count
    )
    assert list_verdict_kinds(lambda _: 0.02 / epochs, epochs)["rate too low"] >= min_count
    assert list_verdict_kinds(lambda _: 0.08 / epochs, epochs)["improving"] >= min_count
    assert list_verdict_kinds(lambda _: 1.7, epochs)["rate too high"] >= min_count
    for right in (lambda _: 0.05, lambda done: 0.1 * compute_half_cosine(done)):
        kinds = list_verdict_kinds(right, epochs)
        assert kinds["converged"] + kinds["improving"] + kinds["came to rest with its rate"] == len(SEEDS)
        assert kinds["converged"] > kinds["improving"]


def test_converged_evidence_holds() -> None:
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        metric = 1 + 3 * np.exp(-np.arange(30.0)) + 0.05 * draw.normal(size=30)
        verdict = diagnose_curves(np.arange(1, 31), metric, metric, metric, "min", np.full(30, 0.1))
        if verdict.kind != "converged":
            continue
        numbers = verdict.evidence.numbers
        assert numbers["times"] == 3
        since, allowed, level = (numbers[name] for name in ("epoch", "allowed", "level"))
        means = np.convolve(metric, np.ones(3) / 3, "valid")[max(int(since) - 2, 0) :]
        assert since == verdict.since
        assert np.abs(means - level).max() < 1.1 * allowed


@pytest.mark.parametrize("epochs", [12, 30])
def test_late_fall_means_rate_too_high(epochs: int) -> None:
    verdicts = [run_descent(lambda done: 1.6 if done < 0.6 else 0.1, epochs, seed) for seed in SEEDS]
    high = [verdict for verdict in verdicts if verdict.kind == "rate too high"]
    assert len(high) >= 0.8 * len(SEEDS)
    assert any(round(verdict.evidence.numbers["low_rate"], 3) == 0.1 for verdict in high)


def test_two_validations_are_no_plateau() -> None:
    """A loss that falls at each validation: two at a high rate show no trend, so they show no plateau either."""
    epoch, rate = np.arange(1, 9), np.array([0.9, 1.0, 0.8, 0.55, 0.2, 0.15, 0.1, 0.02])
    loss = np.array([3.61, 2.7, 2.53, 2.46, 2.3, 2.2, 2.07, 2.03])
    assert diagnose_curves(epoch, loss, loss, loss, "min", rate).kind != "rate too high"
    loss, rate = np.insert(loss, 4, [2.5, 2.48, 2.5]), np.insert(rate, 4, [0.55, 0.55, 0.55])
    assert diagnose_curves(np.arange(1, 12), loss, loss, loss, "min", rate).kind == "rate too high"


def draw_curves(seed: int, rise: float, noise: float, length: int = 30) -> dict[str, Any]:
    """Training loss that falls throughout; validation loss that rises from epoch 10 on, `rise` in 20 epochs."""
    draw, epoch = np.random.default_rng(seed), np.arange(1, length + 1)
    train = 1.5 * np.exp(-epoch / 8) + noise / 2 * draw.normal(size=length)
    val = 0.4 + 1.3 * np.exp(-epoch / 4) + rise / 20 * np.maximum(epoch - 10, 0) + noise * draw.normal(size=length)
    return {"epoch": epoch, "train_loss": train, "val_loss": val, "learning_rate": np.full(length, 0.01)}


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.02])
def test_overfitting_differs_from_noise(noise: float) -> None:
    for seed in SEEDS:
        run = draw_curves(seed, rise=0.4, noise=noise)
        verdict = diagnose_curves(**run, metric=run["val_loss"], direction="min")
        assert verdict.kind == "overfitting"
        assert verdict.since is not None
        assert 9 <= verdict.since <= 16
    level: Counter[str] = Counter()
    for seed in SEEDS:
        run = draw_curves(seed, rise=0.0, noise=noise)
        level[diagnose_curves(**run, metric=run["val_loss"], direction="min").kind] += 1
    assert level["converged"] >= len(SEEDS) - 1


def test_val_rising_with_train_is_no_overfitting() -> None:
    run = draw_curves(0, rise=1.0, noise=0.003)
    run["train_loss"] = run["val_loss"]
    assert diagnose_curves(**run, metric=run["val_loss"], direction="min").kind != "overfitting"


def test_val_loss_below_train_is_no_overfitting() -> None:
    run = draw_curves(0, rise=0.4, noise=0.003)
    assert diagnose_curves(**run, metric=run["val_loss"], direction="min").kind == "overfitting"
    # as with augmentation or dropout, which training alone has
    run["train_loss"] = run["train_loss"] + 3.0
    assert diagnose_curves(**run, metric=run["val_loss"], direction="min").kind != "overfitting"


def test_noisy_but_falling_is_not_rate_too_high() -> None:
    fall, swing = np.linspace(16.4, 9.2, 10), np.array([0, 2, -2, 1, -1, 2, -1, 1, -2, 0]) * 0.9
    verdict = diagnose_curves(np.arange(1, 11), fall, fall + swing, fall + swing, "min", np.full(10, 0.1))
    assert verdict.kind != "rate too high"
    flat = np.array([9, 12, 5, 13, 6, 12, 7, 13, 5, 12.0])
    verdict = diagnose_curves(np.arange(1, 11), flat, flat, flat, "min", np.full(10, 0.1))
    assert verdict.kind == "rate too high"
    assert verdict.evidence.rule == "swings"
    assert [verdict.evidence.numbers[name] for name in ("first_epoch", "first", "last_epoch", "last")] == [
        6,
        12,
        10,
        12,
    ]


@pytest.mark.parametrize(("direction", "sign"), [("min", 1.0), ("max", -1.0), ("zero", -1.0)])
def test_metric_direction_is_respected(direction: Literal["min", "max", "zero"], sign: float) -> None:
    epoch = np.arange(1, 13)
    run: dict[str, Any] = {
        "epoch": epoch,
        "train_loss": 1 / epoch,
        "val_loss": 1 / epoch,
        "learning_rate": np.full(12, 0.1),
    }
    better = sign * (13.0 - epoch)
    assert diagnose_curves(**run, metric=better, direction=direction).kind == "improving"
    assert diagnose_curves(**run, metric=better[::-1], direction=direction).kind == "converged"


def test_non_finite_loss_has_diverged() -> None:
    loss = np.array([1.0, 0.5, 7.0, np.nan, np.nan, np.nan])
    rate = np.array([0.3, 0.3, 0.3, 0.3, np.nan, np.nan])
    verdict = diagnose_curves(np.arange(1, 7), loss, loss, loss, "min", rate, diverged_step=173)
    assert (verdict.kind, verdict.since) == ("diverged", 4)
    assert verdict.evidence.numbers == {"step": 173, "rate": 0.3, "last_loss": 7.0}
    assert diagnose_curves(np.arange(1, 7), loss, loss, loss, "min", rate).kind == "diverged"
    blown = np.array([1.0, 1e20, 1e50, 1e200])
    assert diagnose_curves(np.arange(1, 5), blown, blown, blown, "min", np.ones(4)).since == 3


def test_diverged_before_validation() -> None:
    nothing = np.full(5, np.nan)
    verdict = diagnose_curves(np.arange(1, 6), nothing, nothing, nothing, "min", nothing, diverged_step=2)
    assert (verdict.kind, verdict.since) == ("diverged", None)
    assert verdict.evidence.numbers == {"step": 2}


@pytest.mark.parametrize("reached", [0, 1, 7])
def test_short_curve_has_no_verdict(reached: int) -> None:
    rate = np.where(np.arange(10) < reached, 0.1, np.nan)
    loss = np.where(np.arange(10) < reached, 1.0, np.nan)
    verdict = diagnose_curves(np.arange(1, 11), loss, loss, loss, "min", rate)
    assert verdict.kind == "too short to tell"
    assert verdict.evidence.numbers == {"validations": reached}


def test_epochs_not_reached_are_ignored() -> None:
    run = draw_curves(0, rise=0.0, noise=0.003)
    verdict = diagnose_curves(**run, metric=run["val_loss"], direction="min")
    longer: dict[str, Any] = {name: np.append(curve, np.full(9, np.nan)) for name, curve in run.items()}
    assert diagnose_curves(**longer, metric=longer["val_loss"], direction="min") == verdict


@pytest.mark.parametrize("level", [0.0, 1.0, -3.0])
def test_flat_curve_has_converged(level: float) -> None:
    flat = np.full(8, level)
    verdict = diagnose_curves(np.arange(1, 9), flat, flat, flat, "min", np.full(8, 0.1))
    assert (verdict.kind, verdict.since) == ("converged", 1)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_loss_scale_does_not_matter(unit: float) -> None:
    run = draw_curves(1, rise=0.4, noise=0.01)
    scaled = run | {"train_loss": unit * run["train_loss"], "val_loss": unit * run["val_loss"]}
    first, second = (diagnose_curves(**r, metric=r["val_loss"], direction="min") for r in (run, scaled))
    assert (first.kind, first.since) == (second.kind, second.since)


def test_warm_up_is_no_cycle() -> None:
    """A warm-up to the peak, then a schedule that begins low and rises, has one end of a cycle: the last."""
    rate = np.array([1.0, 0.25, 0.7, 1.0, 1.0, 0.9, 0.7, 0.5, 0.3, 0.15, 0.04, 1e-5])
    loss = np.array([1.6, 1.6, 1.4, 1.3, 1.22, 1.2, 1.18, 1.16, 1.15, 1.15, 1.15, 1.15])
    assert judge_losses(loss, loss, rate).evidence.rule != "cycles"


def test_rest_is_not_convergence() -> None:
    """A staircase ends where its rate does. What it lacks, exp(-speed), decides whether it has arrived."""
    verdict = judge_decay(4.0, STAIRCASE)
    assert (verdict.kind, verdict.evidence.rule) == ("came to rest with its rate", "rest")
    assert verdict.evidence.numbers["low_rate"] == 0.01
    assert judge_decay(15.0, STAIRCASE).kind == "converged"
    assert judge_decay(4.0, np.ones(16)).kind == "improving"
    assert judge_decay(15.0, np.ones(16)).kind == "converged"


def test_rest_needs_a_rate_that_fell() -> None:
    """The metric gained on the last fifths of the way, then stayed: at a constant rate it has converged."""
    train, val = 1 + np.exp(-np.arange(16.0)), np.array([*np.full(6, 1.0), 0.8, 0.8, 0.8, 0.6, *np.full(6, 0.2)])
    assert judge_losses(train, val, np.ones(16)).kind == "converged"
