"""The candidates ranked on fresh seeds, and the winner beside the default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.duel.objective.study import Candidate
from thalweg.stats.candidates import build_pair_interval, choose_by_other_seeds
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import VarianceSource, compare_with_zero, judge_together, t_interval
from thalweg.stats.samples import count_seeds_needed

Values = Mapping[str, NDArray[np.float64]]
"""By a candidate's key, its value on each seed [seeds]; NaN where it failed."""
POWER = 0.8
"""The chance with which the seeds that are named show a difference as large as the measured one."""
MAX_SEEDS = 1000

Kind = Literal["better", "worse", "open", "same setting", "no default", "all failed"]


@dataclass(frozen=True)
class Verdict:
    """The candidates, the best on fresh seeds first, and how the winner compares with the default.

    - `difference`: winner - default over the seeds on which both have a value, without the luck of having been chosen
      on these seeds. None without a default, or with fewer than two such seeds.
    - `beside`: by key, the difference of each runner-up from the winner; the intervals hold together.
    - `failures`: by key, on how many seeds a candidate failed. `seeds_needed`: so many would show an open difference.
    """

    kind: Kind
    ranked: tuple[Candidate, ...]
    difference: Interval | None
    levels: Mapping[str, Interval]
    beside: Mapping[str, Interval]
    failures: Mapping[str, int]
    seeds_needed: int | None = None


def judge_candidates(best: Sequence[Candidate], default: Candidate | None, values: Values, sign: int) -> Verdict:
    """Rank the candidates and judge the winner, by the rules of `thalweg.confirm.compare`; sign 1: less is better.

    A candidate that failed on a seed comes after all that did not. The same seeds choose the winner and judge it, so
    its difference takes at each seed the candidate that the other seeds would choose, with an interval that includes
    the winner's own.
    """
    ranked = tuple(sorted(best, key=lambda each: _compute_rank_key(values[each.key], sign)))
    everyone = {each.key: each for each in (*ranked, *([default] if default else []))}
    failures = {key: int(np.isnan(values[key]).sum()) for key in everyone}
    levels = {key: level for key in everyone if (level := t_interval(values[key])) is not None}
    winner = values[ranked[0].key]
    beside = _compare_runners_up([values[each.key] for each in ranked], [each.key for each in ranked])
    kind: Kind = "no default"
    difference, needed = None, None
    if np.isnan(winner).all():
        kind = "all failed"
    elif default is not None and default.key == ranked[0].key:
        kind = "same setting"
    elif default is not None:
        kind, difference, needed = _compare_with_default(ranked, values, values[default.key], sign)
    return Verdict(kind, ranked, difference, levels, beside, failures, needed)


def _compute_rank_key(values: NDArray[np.float64], sign: int) -> tuple[int, float]:
    failed = np.isnan(values)
    return int(failed.sum()), float(sign * values[~failed].mean()) if not failed.all() else np.inf


def _compare_with_default(
    ranked: Sequence[Candidate], values: Values, default: NDArray[np.float64], sign: int
) -> tuple[Kind, Interval | None, int | None]:
    plain = values[ranked[0].key] - default
    contenders = [each for each in (values[candidate.key] for candidate in ranked) if not np.isnan(each).any()]
    chosen = choose_by_other_seeds(np.stack(contenders), sign) if contenders else values[ranked[0].key]
    own, fair = t_interval(plain), t_interval(chosen - default)
    if own is None or fair is None:
        return "open", None, None
    difference = fair.span_both(own)
    kind = compare_with_zero(difference, sign)
    if kind != "same":
        return kind, difference, None
    spread = float(np.nanstd(plain, ddof=1))
    needed = count_seeds_needed(fair.mean, spread, VarianceSource(0.0, 1), POWER, MAX_SEEDS) if fair.mean else None
    return "open", difference, needed


def _compare_runners_up(values: Sequence[NDArray[np.float64]], keys: Sequence[str]) -> dict[str, Interval]:
    """Compare each runner-up with the winner; each step counts all pairs of the candidates that are left."""
    differences = {key: each - values[0] for key, each in zip(keys[1:], values[1:], strict=True)}
    build = {key: partial(build_pair_interval, by_seed) for key, by_seed in differences.items() if _has_two(by_seed)}
    return judge_together(build)


def _has_two(values: NDArray[np.float64]) -> bool:
    return int(np.isfinite(values).sum()) > 1
