"""Limits on metrics, and by how much a trial breaks them."""

from collections.abc import Mapping

from thalweg.config.experiment import Config

Limits = Mapping[str, tuple[float | None, float | None]]
"""What metrics must keep to: (low, high), None where there is no such limit."""


def constraint_violations(limits: Limits, found: Mapping[str, float]) -> dict[str, float]:
    """By how much each limit is broken by what was found of its metric; 0 or less: not at all."""

    def beyond(name: str, low: float | None, high: float | None) -> float:
        sides = [] if low is None else [low - found[name]]
        return max([*sides, *([] if high is None else [found[name] - high])])

    return {name: beyond(name, low, high) for name, (low, high) in limits.items()}


def limits_of(config: Config) -> Limits:
    return {name: (limit.low, limit.high) for name, limit in sorted(config.study.constraints.items())}
