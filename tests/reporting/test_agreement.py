"""No two steps of one report contradict each other, whatever the study, and no step is given twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import DEAD, HEALTHY, NOISE, PLANTED, WILD
from tests.helpers.planted_studies import World
from tests.helpers.random_studies import draw_random_study
from thalweg.reporting.advice import search_space
from thalweg.reporting.finding import Finding
from thalweg.reporting.page import markdown as paper
from thalweg.reporting.render import collect_shown_findings, render_markdown
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables

GAINING = World(hidden=0.8, seed_noise=0.004, jitter=0.001)
SLOW = World(rates=(2e-5, 0.1), momentum=0.3, bend=0.3, high=(30.0, 0.0), jitter=0.001)
EDGE = World(momentum=0.02, best=0.3, bend=1.0, wild=0.09)
WORLDS = {
    "healthy": HEALTHY,
    "noise": NOISE,
    "wild": WILD,
    "dead": DEAD,
    "gaining": GAINING,
    "slow": SLOW,
    "edge": EDGE,
    "short": World(epochs=6),
    "usual": World(),
}

SAYS = {
    "more trials": r"^Continue the search:|^Try .* in more trials",
    "no more trials": r"^More trials of the same kind are unlikely",
    "more epochs": r"^Train longer",
    "perhaps more epochs": r"^Try more than \d+ epochs",
    "fewer epochs": r"^Train for fewer epochs",
    "more seeds": r"`study\.seeds: \d+`: it halves|[Cc]onfirm on more seeds|^Raise .*`diagnose\.seeds`|would show it"
    r"|^Set `confirm\.seeds",
    "no more seeds": r"[Ss]eeds (will not settle|alone will hardly settle|would hardly show)|with any number of seeds",
    "wider ranges": r"^Search wider ranges",
    "a range": r"^(Next|Once the search stops improving), (search|fix) `|^Lower both ends of `|^Search `\S+` above",
}
"""What a step may say of trials, epochs, seeds and ranges, by the words that it says it in."""
TOPICS = r"\b(trials|epochs|longer|shorter|seeds|ranges?)\b|study\.space"
OTHER = r"study\.prune|^To save |^Average the predictions|^(Compare|Look at) the curves"
"""Steps that touch on these and take no side."""
AGAINST = [
    {"more trials", "no more trials"},
    {"more epochs", "fewer epochs"},
    {"perhaps more epochs", "fewer epochs"},
    {"more epochs", "perhaps more epochs"},
]


def draw_study(kind: str, seed: int) -> StudyTables:
    if kind in WORLDS:
        return planted.draw_study(WORLDS[kind], seed)
    if kind == "pruned":
        return planted.prune_study(planted.draw_study(DEAD, seed), 4, 0.3, np.random.default_rng(seed))
    cause = PLANTED[kind]
    return cause.change(planted.draw_study(cause.world, seed, cause.trials), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def list_titled_steps(studies_by_case: dict[str, StudyTables]) -> Callable[[str], list[tuple[str, str]]]:
    """The steps of a report, as the page shows them, each with its section's title, by what is planted or a case."""

    @cache
    def list_kind_steps(kind: str) -> list[tuple[str, str]]:
        tables = studies_by_case[kind.removeprefix(CASE)] if kind.startswith(CASE) else draw_study(kind, 0)
        chosen = select_sections(tables)
        sections = collect_shown_findings(tables, chosen).values()
        pairs = zip(chosen, sections, strict=True)
        return [
            (each.TITLE, finding.next_step) for each, findings in pairs for finding in findings if finding.next_step
        ]

    return list_kind_steps


@pytest.fixture(scope="module")
def list_steps(list_titled_steps: Callable[[str], list[tuple[str, str]]]) -> Callable[[str], list[str]]:
    return lambda kind: [step for _, step in list_titled_steps(kind)]


def list_sides(steps: list[str]) -> set[str]:
    return {side for side, words in SAYS.items() if any(re.search(words, step) for step in steps)}


def list_moved_ranges(steps: list[str]) -> dict[str, set[tuple[float, ...]]]:
    """What steps make of each range, by its name: low and high, then what they were."""
    pattern = r"`([\w.]+)` from (\S+) to (\S+) \(so far (\S+) to (\S+)\)"
    moves: dict[str, set[tuple[float, ...]]] = {}
    for parameter, *ends in re.findall(pattern, " ".join(steps)):
        moves.setdefault(parameter, set()).add(tuple(float(end.replace("−", "-").replace(",", "")) for end in ends))
    return moves


def find_disagreements(steps: list[str]) -> list[str]:
    """List contradictions: both sides of one question, two values of one range, and repeated steps."""
    sides, ranges = list_sides(steps), list_moved_ranges(steps)
    disagreements = [" and ".join(sorted(pair)) for pair in AGAINST if pair <= sides]
    disagreements += [f"{parameter}: {moves}" for parameter, moves in ranges.items() if len(moves) > 1]
    inner = [name for name, moves in ranges.items() for low, high, *was in moves if low > was[0] or high < was[1]]
    disagreements += [f"wider, and {name} narrower" for name in inner if "wider ranges" in sides]
    if any(step.startswith("Continue the search") for step in steps) and any(
        step.startswith("Next, ") for step in steps
    ):
        disagreements.append("go on in this space, and search another")
    return disagreements + sorted({step for step in steps if steps.count(step) > 1})


CASE = "case: "
CASES = ["usual", "no trials", "one trial", "all diverged", "all pruned", "single parameter", "no test", "classes",
         "several terms", "images"]  # fmt: skip
KINDS = [*PLANTED, *WORLDS, "pruned", *(CASE + case for case in CASES)]


@pytest.mark.parametrize("kind", KINDS)
def test_steps_do_not_contradict(list_steps: Callable[[str], list[str]], kind: str) -> None:
    steps = list_steps(kind)
    assert find_disagreements(steps) == []
    # who keeps the baseline must know what `predict` uses
    kept = [step for step in steps if step.startswith("Keep the baseline")]
    assert all("`thalweg predict` still uses the winner" in step for step in kept)
    # whatever speaks of these is known to the test: a new step cannot pass it by
    silent = [
        step for step in steps if re.search(TOPICS, step) and not list_sides([step]) and not re.search(OTHER, step)
    ]
    assert silent == []


@pytest.mark.parametrize(
    "steps",
    [
        ["Continue the search: `thalweg study --trials 96`.", "More trials of the same kind are unlikely to help."],
        ["Train longer than 16 epochs (`training.epochs`).", "Train for fewer epochs, or regularize."],
        [f"Next, search `rate` from 0.1 to {high} (so far 0.1 to 2)." for high in (1, 9)],
        ["Continue the search: `thalweg study --trials 96`.", "Next, search `rate` from 0.1 to 1 (so far 0.1 to 2)."],
        ["Search wider ranges.", "Next, search `rate` from 0.1 to 1 (so far 0.1 to 2)."],
        ["Look at them.", "Look at them."],
    ],
)
def test_contradictions_are_detected(steps: list[str]) -> None:
    assert find_disagreements(steps)


ALIKE = r"^The trials of the study do not differ by more than seed noise"
FLAT = r"change something that is not searched yet"
MATTERED = r"`{name}` mattered(\.| most|, but)|`{name}`, the only searched setting, mattered|more than `{name}`\.$"
PAIRS = {
    "nothing explains the best trials, and a narrower range": (
        r"^No searched setting clearly explains which trials",
        r"^narrower: ",
    ),
    "nothing else helps, and more trials": (FLAT, r"[Rr]aise `study\.trials`|^Continue the search"),
    "nothing else helps, and a wider range": (FLAT, r"may lie (above|below) the searched range"),
    "it is not clear whether a setting matters, and its range is narrower": (
        r"(too few to|does not) show whether .*`{name}`",
        r"^narrower: {name}$",
    ),
    "a setting matters, and is fixed": (MATTERED, r"fix (.* and )?`{name}` at"),
    "trials are alike, and a setting matters": (ALIKE, rf"{MATTERED}|` matters:"),
    "trials are alike, and the winner beats a trial": (ALIKE, r"^The winner, .*a trial: The winner is clearly better"),
    "trials are alike, and their order is foretold": (ALIKE, r"^Short runs predict long ones"),
    "longer training, and shorter": (
        r"^Train longer|^Try more than \d+ epochs|still improving when training ends",
        r"^Train for fewer epochs|past its best before training ends",
    ),
    "the winner learns, and that is asked": (r"^The winner learns:", r"^Check whether the winner learns"),
    "the winner learns, and does not": (r"winner learns \(Health\)", r"^The winner does not clearly learn"),
    "images do harm, and more of them are advised": (r"better with fewer images", r"\bmore images\b(?! would)"),
    "augmentation does harm, and more of it is advised": (r"better without augmentation", r"more augmentation"),
    "a setting makes a difference, and makes none": (
        r"^`{name}` mattered(?! little)",
        r"^`{name}` makes no difference",
    ),
    "trials fail at an end of a range that mattered little": (
        r"^fails: {name}$",
        r"`{name}` (and `\S+` )?mattered little",
    ),
    "the order of the best trials may be luck, and one of them is ahead": (
        r"^The order of the \d+ best trials in the search may be luck",
        r"^In the search, no other trial came within noise of trial",
    ),
    "the baseline stays, and is replaced": (r"^Keep the baseline", r"^Make the winner the next baseline"),
}
"""Sentences that no report may hold together: what the audit of 320 studies found and what rests on best epochs, simple
answers and runs with less data. `{name}` is any one searched setting."""


def list_sentences(tables: StudyTables, findings: list[Finding]) -> list[str]:
    """List the verdicts and steps of a report; ranges that steps narrow are sentences of their own."""
    steps = [finding.next_step for finding in findings]
    sentences = [*steps, *(finding.verdict for finding in findings)]
    for name, moves in list_moved_ranges(steps).items():
        sentences += [f"narrower: {name}" for low, high, *was in moves if low > was[0] or high < was[1]]
    places = re.findall(r"They lie where `([\w.]+)` is", " ".join(finding.evidence for finding in findings))
    sentences += [f"fails: {name}" for name in places]
    if tables.baseline_trial is not None:
        sentences += [f"The winner, beside a trial: {sentence}" for sentence in sentences]
    return sentences


def list_left_out_thirds(findings: list[Finding]) -> list[str]:
    """List the ranges whose third with the best mean lies outside the range to search next."""
    moves = list_moved_ranges([finding.next_step for finding in findings])
    pattern = r"`([\w.]+)`: from worst \([^)]+\) to best \(([\d.,e−-]+) to ([\d.,e−-]+)\)"
    left_out = []
    for name, *ends in re.findall(pattern, " ".join(finding.evidence for finding in findings)):
        least, most = (float(end.replace("−", "-").replace(",", "")) for end in ends)
        left_out += [name for low, high, *_ in moves.get(name, ()) if low >= most or high <= least]
    return left_out


def test_left_out_third_is_detected() -> None:
    effect = "`rate`: from worst (0.001 to 0.0046) to best (0.0046 to 0.022) 0.54 (0.39 to 0.70)."
    steps = {0.022: ["rate"], 0.02: []}
    for low, left_out in steps.items():
        step = f"Next, search `rate` from {low} to 0.1 (so far 0.001 to 0.1)."
        assert list_left_out_thirds([Finding("`rate` mattered most.", effect, step)]) == left_out


def list_bad_numbers(findings: list[Finding]) -> list[str]:
    """List missing numbers, and percentages of a share above 100."""
    text = " ".join(f"{finding.verdict} {finding.evidence} {finding.next_step}" for finding in findings)
    shares = [share for share in re.findall(r"\(([\d,.]+) %\)", text) if float(share.replace(",", "")) > 100]
    return re.findall(r"\b(?:nan|inf|NaN|None)\b|−\d+ %", text) + shares


def match_pairs(sentences: list[str], names: list[str]) -> dict[str, set[str]]:
    """Return, for each of PAIRS, which of its sentences are there; both where they speak of the same setting."""
    said: dict[str, set[str]] = {}
    for title, pair in PAIRS.items():
        for name in names if "{name}" in "".join(pair) else [""]:
            present = {
                words
                for words in pair
                if any(re.search(words.replace("{name}", re.escape(name)), each) for each in sentences)
            }
            said[title] = max(said.get(title, set()), present, key=len)
    return said


@pytest.mark.parametrize(
    ("sentences", "title"),
    [
        (["`rate` mattered.", "Next, fix `rate` at 3."], "a setting matters, and is fixed"),
        (["48 trials are too few to show whether `a` and `b` matter.", "narrower: b"], "narrower"),
        (["The winner learns: its loss falls.", "Check whether the winner learns at all."], "that is asked"),
    ],
)
def test_pairs_are_detected(sentences: list[str], title: str) -> None:
    said = match_pairs(sentences, ["rate", "a", "b"])
    assert [len(present) for name, present in said.items() if name.endswith(title)] == [2]
    assert all(len(present) < 2 for present in match_pairs(sentences, ["c"]).values() if "{name}" in "".join(present))


@pytest.mark.parametrize(("first", "last"), [(0, 10), pytest.param(10, 300, marks=pytest.mark.slow)])
def test_random_studies_hold_no_contradiction(first: int, last: int) -> None:
    """Of ten random studies, and of 300, none says both sentences of a pair; of 300, each says each of them."""
    contradictions: dict[int, list[str]] = {}
    unsaid = {words for pair in PAIRS.values() for words in pair}
    for seed in range(first, last):
        tables = draw_random_study(seed)
        findings = [f for each in collect_shown_findings(tables, select_sections(tables)).values() for f in each]
        said = match_pairs(list_sentences(tables, findings), [parameter.name for parameter in tables.parameters])
        unsaid -= set().union(*said.values())
        if titles := [title for title, present in said.items() if present == set(PAIRS[title])]:
            contradictions[seed] = titles
        assert list_bad_numbers(findings) == list_left_out_thirds(findings) == []
    assert contradictions == {}
    assert last - first < 100 or unsaid == set()


ALONE = r"^(It|They|Them|These|Those|This|That|Its|Their)\b|^\w+ (it|them|its|their|those|these|such)\b"


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_self_contained(list_steps: Callable[[str], list[str]], kind: str) -> None:
    assert [step for step in list_steps(kind) if re.search(ALONE, step)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_steps_do_not_refer_to_own_section(
    list_titled_steps: Callable[[str], list[tuple[str, str]]], kind: str
) -> None:
    steps = list_titled_steps(kind)
    assert [step for title, step in steps if re.search(rf"(section|[Uu]nder|See|\() ?{title}\b", step)] == []


def test_reference_to_own_section_is_dropped() -> None:
    tables = planted.draw_study(WILD, 0)
    search, alone = (
        search_space.advise_search(tables),
        replace(tables, params={**tables.params, "report": {"sections": ["parameters"]}}),
    )
    assert search.endswith(" The section Parameters shows this space, ready to paste.")
    text, _ = render_markdown(alone, select_sections(alone))
    top, inside = text.split("\n## Parameters\n")
    assert "1. Next, in params.yaml, search this space:\n\n       # in params.yaml, in place of `space:`" in top
    assert paper.escape_text(search.partition(" The section ")[0]) in inside
    assert "The section Parameters" not in inside
