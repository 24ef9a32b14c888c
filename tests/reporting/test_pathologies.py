"""What is planted in a study is what the report finds, and nothing else. Each is drawn several times: it is no luck."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest

from tests.reporting import planted
from tests.reporting.planted import MOMENTUM, RATE, World
from thalweg.reporting.advice import search_space
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections import found, result
from thalweg.reporting.tables import Tables

SEEDS = range(3)
HEALTHY = World(seed_noise=0.001, jitter=0.0005)
NOISE = World(rates=(0.05, 0.1), momentum=0.1, file=0.07, bend=0.0, seed_noise=0.02, floor=0.0)
WILD = World(rates=(0.004, 0.6), wild=0.2)
DEAD = World(rates=(0.004, 0.6), dead=0.2)

study = cache(planted.study)


def told(tables: Tables) -> list[Finding]:
    return [finding for section in found() for finding in section.findings(tables)]


def cautions(tables: Tables) -> list[str]:
    """Of all sections but the first: whether the winner was lucky is for its own tests."""
    sections = [section for section in found() if section is not result]
    return [one.verdict for section in sections for one in section.findings(tables) if one.tone == "caution"]


def find(tables: Tables, start: str) -> Finding:
    return next(finding for finding in told(tables) if finding.verdict.startswith(start))


def test_that_trials_are_no_more_than_noise_is_told_outright_of_most_studies_that_are() -> None:
    """Of a few seeds the noise is known so badly that now and then it cannot be told."""
    outright = [ALIKE in cautions(study(NOISE, seed, 48)) for seed in range(16)]
    assert sum(outright) > 8


@pytest.mark.parametrize("seed", range(8))
def test_a_healthy_study_raises_no_caution(seed: int) -> None:
    seen = told(study(HEALTHY, seed))
    assert [finding.verdict for finding in seen if finding.tone == "caution"] == []
    assert seen[0].verdict == "The winner beats the baseline beyond its noise."


@dataclass(frozen=True)
class Planted:
    """A world, or what is done to a healthy study; the ends of cautions that it must raise, and of those it may."""

    must: tuple[str, ...]
    world: World = field(default_factory=lambda: HEALTHY)
    done: Callable[[Tables, np.random.Generator], Tables] = lambda tables, _: tables
    may: tuple[str, ...] = ()
    trials: int = 48


def bad_group(tables: Tables, rng: np.random.Generator) -> Tables:
    return replace(tables, predictions=planted.predictions(rng, bad=4, times=6.0))


ABOVE = f"The best of `{RATE}` may lie above the range searched."
PAST = "The winner is past its best before training ends."
ALIKE = "The trials of the study differ no more than seeds alone would make them."
UNTOLD = "It cannot be told whether the trials of the study differ by more than seeds alone would make them."
SWING = "The best trials still swing when training ends."
HIGH, LOW = (f"Most trials train at a rate that is too {word}." for word in ("high", "low"))

PLANTED = {
    "rate too high": Planted(
        (HIGH,),
        World(rates=(0.5, 1.5), momentum=0.3, constant=1.0, best=1.0, bend=1.0, floor=2.0, swing=0.25),
        may=(SWING, ALIKE, UNTOLD),
    ),
    "rate too low": Planted(
        (LOW,),
        World(rates=(2e-5, 4e-4), file=2e-5, momentum=0.5, best=2e-4, bend=0.1, high=(30.0, 0.0), jitter=0.001),
        may=(ABOVE,),
    ),
    "overfitting": Planted(
        ("48 trials overfit.", PAST),
        World(rates=(0.05, 0.1), momentum=0.0, best=0.07, turns=4.0, rise=0.1),
        may=(ALIKE, UNTOLD),
    ),
    "optimum at a bound": Planted((ABOVE,), World(momentum=0.02, best=0.3, bend=1.0), trials=96),
    "noise only": Planted(("than seeds alone would make them.",), NOISE),
    "a third diverges": Planted(("trials diverged.",), WILD),
    "learns nothing": Planted(("trials learned nothing.",), DEAD),
    "a bad group": Planted(("Group place-04 stands out with large errors.",), done=bad_group),
    "too sure": Planted(("too sure of itself.",), done=lambda tables, rng: planted.classes(tables, rng, 2.0)),
    "not sure enough": Planted(
        ("less sure than it may be.",), done=lambda tables, rng: planted.classes(tables, rng, 0.5)
    ),
    "training too short": Planted(
        ("Training ends while the better trials are still improving.",),
        World(rates=(0.02, 0.1), momentum=0.2, constant=1.0, best=0.05, curved=(1.0, 0.02), high=(6.0, 3.0)),
        may=(ABOVE,),
    ),
    "training too long": Planted(
        ("Most trials are at their best in the first tenth of training.", "48 trials overfit.", PAST),
        World(epochs=20, rates=(0.3, 0.6), momentum=0.0, best=0.4, floor=0.02, turns=6.0, rise=0.02),
    ),
    "judged too early": Planted(
        ("Trials are judged too early: short runs do not foretell long ones.",),
        World(hidden=0.15, early=120.0, bend=0.1),
        done=lambda tables, rng: planted.pruned(tables, 2, 1.0, rng),
        may=("Early stopping lost a better trial.",),
    ),
    "swings to the end": Planted(
        (SWING,),
        World(rates=(0.05, 0.1), momentum=0.2, constant=1.0, best=0.07, swing=1.5, seen=0.25, bend=2.0),
        may=(HIGH, ALIKE, UNTOLD),
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name: str, seed: int) -> None:
    one = PLANTED[name]
    tables = one.done(study(one.world, seed, one.trials), np.random.default_rng(seed))
    seen = cautions(tables)
    for wanted in one.must:
        assert any(verdict.endswith(wanted) for verdict in seen), seen
    assert [verdict for verdict in seen if not verdict.endswith((*one.must, *one.may))] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_winner_of_noise_cannot_be_told_from_the_baseline(seed: int) -> None:
    told = result.findings(study(NOISE, seed))[0].verdict
    assert told in (
        "The winner cannot be told from the baseline.",
        "The baseline leads the winner on fresh seeds, within noise.",
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("world", "verdict"), [(WILD, "diverged."), (DEAD, "learned nothing.")])
def test_lost_trials_are_named_with_the_rate_from_which_on_they_are_lost(world: World, verdict: str, seed: int) -> None:
    tables = study(world, seed)
    pace = tables.trials[RATE] / (1 - tables.trials[MOMENTUM])
    lost = tables.trials.loc[pace > 0.2, "number"].tolist()
    (one,) = [finding for finding in told(tables) if finding.verdict.endswith(f"trials {verdict}")]
    assert one.verdict == f"{len(lost)} trials {verdict}"
    assert list(one.trials) == lost
    assert "They have high learning rate / (1 - momentum): above about" in one.evidence
    assert f"it is {len(lost)} of {len(lost)} (100 %), elsewhere 0 of {48 - len(lost)} (0 %)" in one.evidence
    told_at = float(one.evidence.split("above about ")[1].split(" ")[0])
    assert pace[pace <= 0.2].max() * 0.95 < told_at < pace[pace > 0.2].min() * 1.05


@pytest.mark.parametrize("seed", SEEDS)
def test_rates_that_are_too_low_are_told_with_where_they_end(seed: int) -> None:
    world = World(rates=(2e-5, 0.1), momentum=0.3, bend=0.3, high=(30.0, 0.0), jitter=0.001)
    tables = study(world, seed)
    one = find(tables, "The learning rate is too low where")
    low = tables.verdicts.loc[tables.verdicts["kind"] == "rate too low", "trial"]
    assert list(one.trials) == low.tolist()
    assert one.tone == ("caution" if len(low) >= 16 else "plain")
    told_at = float(one.verdict.rstrip(".").split("below about ")[1])
    (rate, _) = search_space.space(tables)
    assert rate["low"] >= told_at
    assert one.step == search_space.step(tables)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_overfits_is_named_trial_by_trial(seed: int) -> None:
    assert find(study(PLANTED["overfitting"].world, seed), "48 trials overfit").trials == tuple(range(48))


@pytest.mark.parametrize("seed", SEEDS)
def test_short_runs_that_do_not_foretell_long_ones_are_told(seed: int) -> None:
    tables = study(PLANTED["judged too early"].world, seed)
    assert "prune: null" in find(tables, "Short runs do not foretell long ones.").step
    assert cautions(tables) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_short_runs_that_foretell_long_ones_are_told_with_what_they_would_save(seed: int) -> None:
    tables = study(World(hidden=0.2, bend=0.1, seed_noise=0.01), seed)
    one = find(tables, "Short runs foretell long ones: stopping early would be safe.")
    assert "study.prune: {first: 4, eta: 2}" in one.step
    assert "288 of 768 (38 %) of these epochs would have been saved" in one.evidence
    late = find(planted.pruned(tables, 4, 1.0, np.random.default_rng(seed)), "Short runs")
    assert late.verdict == "Short runs foretell long ones: trials are judged late enough."


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_and_gaining_searches_are_told_apart(seed: int) -> None:
    gaining = study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), seed)
    assert find(study(World(), seed), "The search").verdict == "The search has flattened out."
    assert find(gaining, "The search").verdict == "The search was still gaining when it ended."


def test_noise_alone_raises_cautions_as_seldom_as_is_said() -> None:
    """Each finding may be false in 5 % of studies in which nothing matters; 7 kinds of them can be."""
    raised = [verdict for seed in range(100, 120) for verdict in cautions(study(NOISE, seed))]
    false = [verdict for verdict in raised if verdict not in (ALIKE, UNTOLD)]
    assert len(raised) - len(false) >= 18
    assert len(false) <= 3, false
