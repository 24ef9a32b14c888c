"""The report finds the faults planted in a study, and no others. Each study is drawn several times, to exclude luck."""

from functools import cache

import numpy as np
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import ALIKE, DEAD, HEALTHY, NOISE, PLANTED, UNTOLD, WILD
from tests.helpers.planted_studies import MOMENTUM, RATE, World
from thalweg.reporting.advice import next_space, search_space
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections import find_sections, get_section_name, result
from thalweg.reporting.tables import StudyTables

SEEDS = range(3)
NOISES = range(100, 120)


def build_study(world: World, seed: int, trials: int = 48) -> StudyTables:
    return _study(world, seed, trials)


_study = cache(planted.draw_study)


@cache
def group_findings(tables: StudyTables) -> dict[str, list[Finding]]:
    return {get_section_name(section): section.build_findings(tables) for section in find_sections()}


def list_findings(tables: StudyTables) -> list[Finding]:
    return [finding for findings in group_findings(tables).values() for finding in findings]


def list_cautions(tables: StudyTables) -> list[str]:
    """Of all sections but the first: whether the winner was lucky is for its own tests."""
    sections = group_findings(tables).items()
    return [
        finding.verdict
        for name, findings in sections
        if name != get_section_name(result)
        for finding in findings
        if finding.tone == "caution"
    ]


def find_finding(tables: StudyTables, start: str) -> Finding:
    return next(finding for finding in list_findings(tables) if finding.verdict.startswith(start))


@pytest.mark.slow
def test_noise_is_usually_recognized() -> None:
    """A few seeds estimate noise so badly that the verdict is sometimes unclear."""
    outright = [ALIKE in list_cautions(build_study(NOISE, seed)) for seed in NOISES]
    assert sum(outright) > len(NOISES) / 2


@pytest.mark.parametrize("seed", range(8))
def test_healthy_study_is_clean(seed: int) -> None:
    findings = list_findings(build_study(HEALTHY, seed))
    assert [finding.verdict for finding in findings if finding.tone == "caution"] == []
    assert findings[0].verdict == "The winner is clearly better than the baseline."


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", PLANTED)
def test_only_planted_faults_are_found(kind: str, seed: int) -> None:
    cause = PLANTED[kind]
    tables = cause.change(build_study(cause.world, seed, cause.trials), np.random.default_rng(seed))
    cautions = list_cautions(tables)
    for wanted in cause.must:
        assert any(verdict.endswith(wanted) for verdict in cautions), cautions
    assert [verdict for verdict in cautions if not verdict.endswith((*cause.must, *cause.may))] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_has_no_winner(seed: int) -> None:
    verdict = result.build_findings(build_study(NOISE, seed))[0].verdict
    assert verdict in (
        "No clear difference between the winner and the baseline.",
        "The baseline is ahead of the winner on fresh seeds, within noise.",
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("world", "verdict"), [(WILD, "diverged."), (DEAD, "learned nothing.")])
def test_lost_trials_name_their_rate(world: World, verdict: str, seed: int) -> None:
    tables = build_study(world, seed)
    pace = tables.trials[RATE] / (1 - tables.trials[MOMENTUM])
    numbers = tables.trials.loc[pace > 0.2, "number"].tolist()
    (finding,) = [finding for finding in list_findings(tables) if finding.verdict.endswith(f"trials {verdict}")]
    assert finding.verdict == f"{len(numbers)} trials {verdict}"
    assert list(finding.trials) == numbers
    assert "They lie where learning rate / (1 - momentum) is high: above" in finding.evidence
    assert (
        f", all {len(numbers)} trials {verdict.rstrip('.')}; below, 0 of {48 - len(numbers)} (0 %)." in finding.evidence
    )
    told_at = float(finding.evidence.split("above about ")[1].split(",")[0])
    assert pace[pace <= 0.2].max() * 0.95 < told_at < pace[pace > 0.2].min() * 1.05


@pytest.mark.parametrize("seed", SEEDS)
def test_low_rates_name_their_end(seed: int) -> None:
    world = World(rates=(2e-5, 0.1), momentum=0.3, bend=0.3, high=(30.0, 0.0), jitter=0.001)
    tables = build_study(world, seed)
    finding = find_finding(tables, "The learning rate is too low below about")
    low = tables.verdicts.loc[tables.verdicts["kind"] == "rate too low", "trial"]
    assert list(finding.trials) == low.tolist()
    assert finding.tone == ("caution" if len(low) >= 16 else "plain")
    bound = float(finding.verdict.rstrip(".").split("below about ")[1])
    (rate, _) = next_space.build_next_space(tables)
    assert rate.searched.low >= bound
    assert finding.next_step == search_space.advise_search(tables)


@pytest.mark.parametrize("seed", SEEDS)
def test_overfitting_names_trials(seed: int) -> None:
    assert find_finding(build_study(PLANTED["overfitting"].world, seed), "48 trials overfit").trials == tuple(range(48))


@pytest.mark.parametrize("seed", SEEDS)
def test_misleading_short_runs_are_named(seed: int) -> None:
    tables = build_study(PLANTED["judged too early"].world, seed)
    assert "prune: null" in find_finding(tables, "Short runs do not predict long ones.").next_step
    assert list_cautions(tables) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_no_early_epoch_is_late_enough(seed: int) -> None:
    world = World(epochs=4, early=120.0, bend=0.0, high=(0.0, 0.0), jitter=0.3)
    tables = planted.prune_study(build_study(world, seed), 1, 1.0, np.random.default_rng(seed))
    assert find_finding(tables, "Trials are judged too early").next_step == "Set `study.prune: null`."


@pytest.mark.parametrize("seed", SEEDS)
def test_predictive_short_runs_are_named(seed: int) -> None:
    tables = build_study(World(hidden=0.2, bend=0.1, seed_noise=0.01), seed)
    finding = find_finding(tables, "Short runs predict long ones: stopping early would lose nothing")
    assert "study.prune: {first: 4, eta: 2}" in finding.next_step
    assert "at epochs 4 and 8. The best would be trial" in finding.evidence
    assert "This would save 352 of 768 epochs (46 %)" in finding.evidence
    late = find_finding(planted.prune_study(tables, 4, 1.0, np.random.default_rng(seed)), "Short runs")
    assert late.verdict == "Short runs predict long ones: trials are judged late enough."


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_and_gaining_searches_differ(seed: int) -> None:
    gaining = build_study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), seed)
    assert (
        find_finding(build_study(World(), seed), "The search").verdict
        == "The search has flattened out within this space."
    )
    assert find_finding(gaining, "The search").verdict == "The search was still gaining when it ended."


@pytest.mark.slow
def test_caution_false_positive_rate() -> None:
    """Each finding may be false in 5 % of studies in which nothing matters; 7 kinds of them can be."""
    raised = [verdict for seed in NOISES for verdict in list_cautions(build_study(NOISE, seed))]
    false = [verdict for verdict in raised if verdict not in (ALIKE, UNTOLD)]
    assert len(raised) - len(false) >= 18
    assert len(false) <= 3, false
