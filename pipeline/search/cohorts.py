"""Who trains, how far, and who stops: a study as a pure state machine. No JAX, no disk, no clock.

Trials are asked for in cohorts. At each rung of its bracket a cohort keeps the best share 1 / eta of its trials and
stops the rest (successive halving: Jamieson and Talwalkar 2016; brackets that begin to judge ever later: Hyperband, Li
et al. 2018), all of them at once, so that the order in which results come in means nothing. Cohort c is asked for when
the first c + 1 - `in_flight` cohorts are over, and knows these and no others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from thalweg.core import rng
from thalweg.stats import pareto


@dataclass(frozen=True)
class Score:
    """How good a trial is so far: its objectives, turned so that less is better, and by how much it breaks limits."""

    values: tuple[float, ...]
    violation: float = 0.0


@dataclass(frozen=True)
class Rules:
    """What does not change: `brackets` are the epochs at which trials are judged, ascending, the last one the end."""

    trial_count: int
    cohort_size: int
    brackets: tuple[tuple[int, ...], ...]
    eta: int = 3
    audit: float = 0.0
    in_flight: int = 1
    seed: int = 0

    @property
    def cohort_count(self) -> int:
        return self.trial_count // self.cohort_size


@dataclass(frozen=True)
class Cohort:
    """Trials in training: those still `alive`, and those that train on only to see what stopping costs.

    `stopped` says at which epoch a trial lost, `rungs` where trials are still to be judged.
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
    """How many cohorts have begun, whether more may, and those that are not over, by number."""

    begun_count: int = 0
    open_cohorts: tuple[Cohort, ...] = ()


def can_begin_cohort(rules: Rules, state: SearchState) -> bool:
    """Whether the next cohort can be asked for: there is one, and all that it may know is known."""
    oldest = state.open_cohorts[0].number if state.open_cohorts else state.begun_count
    return state.begun_count < rules.cohort_count and state.begun_count - oldest < rules.in_flight


def begin_cohort(rules: Rules, state: SearchState) -> SearchState:
    """The next cohort begins, on the bracket that is its turn."""
    number = state.begun_count
    trials = range(number * rules.cohort_size, (number + 1) * rules.cohort_size)
    cohort = Cohort(number, rules.brackets[number % len(rules.brackets)], tuple(trials))
    return SearchState(number + 1, (*state.open_cohorts, cohort))


def judge_cohort(rules: Rules, cohort: Cohort, scores: Mapping[int, Score | None]) -> Cohort:
    """A cohort all of whose trials have reached their rung: who goes on.

    `scores` are of the trials alive, None for one that diverged. At the end of training no one is stopped.
    """
    rung, *later = cohort.rungs
    if not later:
        return replace(cohort, rungs=())
    kept = select_survivors({trial: scores[trial] for trial in cohort.alive}, rules.eta)
    lost = [trial for trial in cohort.alive if trial not in kept and scores[trial] is not None]
    watched = [trial for trial in lost if is_audited(rules, trial)]
    return replace(
        cohort,
        rungs=tuple(later) if kept or watched or cohort.audited else (),
        alive=kept,
        audited=(*cohort.audited, *watched),
        stopped={**cohort.stopped, **dict.fromkeys(lost, rung)},
    )


def replace_cohort(state: SearchState, cohort: Cohort) -> SearchState:
    """The state with a cohort as it is now."""
    return replace(
        state, open_cohorts=tuple(cohort if one.number == cohort.number else one for one in state.open_cohorts)
    )


def close_oldest_cohort(state: SearchState) -> SearchState:
    """The state without its oldest cohort, which is over."""
    return replace(state, open_cohorts=state.open_cohorts[1:])


def select_survivors(scores: Mapping[int, Score | None], eta: int) -> tuple[int, ...]:
    """The best ceil(n / eta) of n trials, in order of number: by `ranks`, ties by number, the diverged never."""
    good = {trial: score for trial, score in scores.items() if score is not None}
    rank = rank_fronts(good)
    best = sorted(good, key=lambda trial: (rank[trial], trial))
    return tuple(sorted(best[: math.ceil(len(scores) / eta)]))


def rank_fronts(scores: Mapping[int, Score]) -> dict[int, int]:
    """The Pareto front that each trial lies on, 0 the best (Deb et al. 2002, section III A).

    Of two trials the one that breaks less of its limits is before; with one objective a front is all of one value.
    """
    left, rank, place = dict(scores), dict[int, int](), 0
    while left:
        for trial in find_front(left):
            rank[trial] = place
            del left[trial]
        place += 1
    return rank


def find_front(scores: Mapping[int, Score]) -> list[int]:
    """The trials that no other dominates: of those that break least of their limits."""
    least = min((score.violation for score in scores.values()), default=0.0)
    among = [trial for trial, score in scores.items() if score.violation == least]
    return [
        trial
        for trial, best in zip(among, pareto.pareto_front([scores[one].values for one in among]), strict=True)
        if best
    ]


def is_audited(rules: Rules, trial: int) -> bool:
    """Whether a trial, if it is stopped, trains on all the same: a share `audit` of them, drawn by the seed."""
    return rng.derive_seed(rules.seed, "audit", trial) < rules.audit * 2**31


def build_brackets(
    epochs: int, validate_every: int, eta: int, first_rung: int, count: int, restart_epochs: Sequence[int] = ()
) -> tuple[tuple[int, ...], ...]:
    """The rungs of each bracket: epochs `first_rung`, `first_rung` eta, `first_rung` eta^2 … and the end.

    Each is a validation's epoch (a multiple of `validate_every`). The second bracket leaves out the first rung, the third the
    first two, and so on, so that what starts slowly has its chance. `restart_epochs` are the epochs at which a schedule with
    restarts has come down: trials are then judged at the last of them before the rung, never just after a restart.
    """
    rungs: list[int] = []
    epoch = first_rung
    while epoch < epochs:
        low = max([end for end in restart_epochs if end <= epoch], default=min(restart_epochs, default=epoch))
        # between validations: the one before where a cycle ends, for the one after is past the restart
        rung = max(
            validate_every,
            (low // validate_every if restart_epochs else math.ceil(low / validate_every)) * validate_every,
        )
        if rung < epochs and rung not in rungs:
            rungs.append(rung)
        epoch *= eta
    return tuple((*rungs[number:], epochs) for number in range(min(count, len(rungs) + 1)))
