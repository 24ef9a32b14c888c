"""The search as a pure state machine: which trials train, how far, and which stop. No JAX, no disk, no clock.

Trials begin in cohorts. At each rung of its bracket, a cohort keeps the best 1 / eta of its trials and stops the
others (successive halving: Jamieson and Talwalkar 2016). Later brackets begin to judge later (Hyperband: Li et al.
2018). A cohort is judged as a whole, so the order of results does not matter. Cohort c begins when the first
c + 1 - `in_flight` cohorts are over; its proposals use the results of these and of no others.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from thalweg.core import rng
from thalweg.stats import pareto


@dataclass(frozen=True)
class Score:
    """A trial's objectives so far, turned so that less is better, and the amount by which it breaks limits."""

    values: tuple[float, ...]
    violation: float = 0.0


@dataclass(frozen=True)
class Rules:
    """Constants of a search. `brackets` are the epochs at which trials are judged, ascending; the last is the end.

    `groups` has the group of each trial: a rung compares trials of one group, also with those of earlier cohorts. If it
    is empty, a rung compares the trials of a cohort.
    """

    trial_count: int
    cohort_size: int
    brackets: tuple[tuple[int, ...], ...]
    eta: int = 3
    audit: float = 0.0
    in_flight: int = 1
    seed: int = 0
    groups: tuple[int, ...] = ()

    @property
    def cohort_count(self) -> int:
        return self.trial_count // self.cohort_size


@dataclass(frozen=True)
class Cohort:
    """Trials in training: those `alive`, and those `audited`, which train on to measure what stopping costs.

    `stopped` maps a trial to the epoch at which it lost. `rungs` are the epochs at which trials will still be judged.
    """

    number: int
    rungs: tuple[int, ...]
    alive: tuple[int, ...]
    audited: tuple[int, ...] = ()
    stopped: Mapping[int, int] = field(default_factory=dict)

    @property
    def training_trials(self) -> tuple[int, ...]:
        """The trials that train to the next rung."""
        return tuple(sorted((*self.alive, *self.audited)))


@dataclass(frozen=True)
class SearchState:
    """The number of cohorts begun, the cohorts that are not over, by number, and the scores at each rung, by trial."""

    begun_count: int = 0
    open_cohorts: tuple[Cohort, ...] = ()
    rung_scores: Mapping[int, Mapping[int, Score | None]] = field(default_factory=dict)


def can_begin_cohort(rules: Rules, state: SearchState) -> bool:
    """Return whether the next cohort may begin: it exists, and the cohorts that it learns from are over."""
    oldest = state.open_cohorts[0].number if state.open_cohorts else state.begun_count
    return state.begun_count < rules.cohort_count and state.begun_count - oldest < rules.in_flight


def begin_cohort(rules: Rules, state: SearchState, copies: Collection[int] = ()) -> SearchState:
    """Begin the next cohort, with the next bracket in turn. `copies` are trials that copy a result: none trains."""
    number = state.begun_count
    trials = range(number * rules.cohort_size, (number + 1) * rules.cohort_size)
    alive = tuple(trial for trial in trials if trial not in copies)
    cohort = Cohort(number, rules.brackets[number % len(rules.brackets)] if alive else (), alive)
    return replace(state, begun_count=number + 1, open_cohorts=(*state.open_cohorts, cohort))


def judge_cohort(
    rules: Rules, cohort: Cohort, scores: Mapping[int, Score | None], earlier: Mapping[int, Score | None] | None = None
) -> Cohort:
    """Decide which trials of a cohort go on, once all have reached their rung.

    `scores` are of the trials alive, None for one that diverged. `earlier` are the scores of earlier trials at this
    rung (`find_earlier_scores`). At the end of training no trial is stopped.
    """
    rung, *later = cohort.rungs
    if not later:
        return replace(cohort, rungs=())
    survivors = _select_group_survivors(rules, {trial: scores[trial] for trial in cohort.alive}, earlier or {})
    pruned = [trial for trial in cohort.alive if trial not in survivors and scores[trial] is not None]
    audited = [trial for trial in pruned if is_audited(rules, trial)]
    return replace(
        cohort,
        rungs=tuple(later) if survivors or audited or cohort.audited else (),
        alive=survivors,
        audited=(*cohort.audited, *audited),
        stopped={**cohort.stopped, **dict.fromkeys(pruned, rung)},
    )


def _select_group_survivors(
    rules: Rules, scores: Mapping[int, Score | None], earlier: Mapping[int, Score | None]
) -> tuple[int, ...]:
    """Return the trials that go on: each competes with all others, or with its group's and the earlier ones of it."""
    if not rules.groups:
        return select_survivors(scores, rules.eta)
    survivors: list[int] = []
    for group in dict.fromkeys(rules.groups[trial] for trial in scores):
        rivals = {trial: score for trial, score in {**earlier, **scores}.items() if rules.groups[trial] == group}
        survivors += [trial for trial in select_survivors(rivals, rules.eta) if trial in scores]
    return tuple(sorted(survivors))


def find_earlier_scores(rules: Rules, state: SearchState, cohort: Cohort) -> dict[int, Score | None]:
    """Return the scores at a cohort's next rung of the trials that its proposals could use; none without groups."""
    first_unknown = (cohort.number + 1 - rules.in_flight) * rules.cohort_size if rules.groups else 0
    return {
        trial: score for trial, score in state.rung_scores.get(cohort.rungs[0], {}).items() if trial < first_unknown
    }


def record_scores(state: SearchState, rung: int, scores: Mapping[int, Score | None]) -> SearchState:
    """Return the state with the scores of trials at a rung."""
    return replace(state, rung_scores={**state.rung_scores, rung: {**state.rung_scores.get(rung, {}), **scores}})


def replace_cohort(state: SearchState, cohort: Cohort) -> SearchState:
    """Return the state with `cohort` in place of the earlier one of its number."""
    updated = tuple(cohort if old.number == cohort.number else old for old in state.open_cohorts)
    return replace(state, open_cohorts=updated)


def close_oldest_cohort(state: SearchState) -> SearchState:
    """Return the state without its oldest cohort, which is over."""
    return replace(state, open_cohorts=state.open_cohorts[1:])


def select_survivors(scores: Mapping[int, Score | None], eta: int) -> tuple[int, ...]:
    """Return the best ceil(n / eta) of n trials by `rank_fronts`, ties by number, sorted; diverged trials never."""
    good = {trial: score for trial, score in scores.items() if score is not None}
    rank = rank_fronts(good)
    best = sorted(good, key=lambda trial: (rank[trial], trial))
    return tuple(sorted(best[: math.ceil(len(scores) / eta)]))


def rank_fronts(scores: Mapping[int, Score]) -> dict[int, int]:
    """Return the Pareto front of each trial, 0 the best (Deb et al. 2002, section III A).

    A trial that breaks less of its limits ranks before one that breaks more. With one objective, ties form a front.
    """
    if all(len(score.values) == 1 for score in scores.values()):  # a front at a time takes n^2 steps
        levels = {trial: (score.violation, score.values[0]) for trial, score in scores.items()}
        order = {level: front for front, level in enumerate(sorted(set(levels.values())))}
        return {trial: order[level] for trial, level in levels.items()}
    remaining, rank, front = dict(scores), dict[int, int](), 0
    while remaining:
        for trial in find_front(remaining):
            rank[trial] = front
            del remaining[trial]
        front += 1
    return rank


def find_front(scores: Mapping[int, Score]) -> list[int]:
    """Return the trials that no other dominates, among those that break least of their limits."""
    least_violation = min((score.violation for score in scores.values()), default=0.0)
    candidates = [trial for trial, score in scores.items() if score.violation == least_violation]
    on_front = pareto.pareto_front([scores[trial].values for trial in candidates])
    return [trial for trial, is_best in zip(candidates, on_front, strict=True) if is_best]


def is_audited(rules: Rules, trial: int) -> bool:
    """Return whether a trial trains on when it is stopped: the seed draws a share `audit` of all trials."""
    return rng.derive_seed(rules.seed, "audit", trial) < rules.audit * 2**31


def build_brackets(
    epochs: int, validate_every: int, eta: int, first_rung: int, count: int, restart_epochs: Sequence[int] = ()
) -> tuple[tuple[int, ...], ...]:
    """Return the rungs of each bracket: epochs `first_rung`, `first_rung` eta, `first_rung` eta^2 … and the end.

    Each rung is a validation's epoch, a multiple of `validate_every`. The second bracket omits the first rung, the
    third the first two, and so on, so that slow starters get a chance. `restart_epochs` are the epochs at which cycles
    of a schedule with restarts end. Trials are then judged at the last of these before the rung, never just after a
    restart.
    """
    rungs: list[int] = []
    epoch = first_rung
    while epoch < epochs:
        low = max([end for end in restart_epochs if end <= epoch], default=min(restart_epochs, default=epoch))
        # with cycles, round down to a validation: the next one is past the restart
        rung = max(
            validate_every,
            (low // validate_every if restart_epochs else math.ceil(low / validate_every)) * validate_every,
        )
        if rung < epochs and rung not in rungs:
            rungs.append(rung)
        epoch *= eta
    return tuple((*rungs[number:], epochs) for number in range(min(count, len(rungs) + 1)))
