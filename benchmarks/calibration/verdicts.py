"""Whether verdicts on what was retrained are true: luck of the best trial, parts of a loss, runners-up, answers.

Each judgement draws a study whose truth is known, and asks the product's own code.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.calibration.outcome import Counts, Outcome
from benchmarks.calibration.simulate import build_config
from benchmarks.calibration.worlds import RATE
from thalweg.artifacts.summary import StudySummary, Summary
from thalweg.config.experiment import Config
from thalweg.confirm import compare
from thalweg.confirm.candidates import Candidate, rank_candidates
from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.analysis.confirmed import RetrainedBest
from thalweg.reporting.analysis.study_luck import judge_study_luck
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import compare_with_zero, t_interval

Floats = NDArray[np.float64]


@cache
def build_tables(confirm_seeds: int) -> StudyTables:
    """Return the tables of a study without any results."""
    nothing = pd.DataFrame()
    return StudyTables(
        params={"study": {"seeds": 1, "randomness": "paired"}, "confirm": {"seeds": confirm_seeds}, "training": {}},
        trials=nothing,
        curves=nothing,
        summary=Summary(StudySummary(0, 0, 0, 0, 0, None, 0), None, {}),
        runs=nothing,
        predictions=nothing,
        pictures=[],
        baseline_curves=nothing,
        verdicts=nothing,
        manifest={},
        provenance={},
        space=[],
        output_kind="number",
        objective="mae",
        direction="min",
    )


@cache
def build_confirm_config(seeds: int) -> Config:
    return build_config(0, {"confirm.seeds": seeds})


def is_held_up(
    seed: int, trials: int = 48, seeds: int = 8, shared: float = 0.0, spread: float = 0.0, candidates: int = 2
) -> bool:
    """Return whether it is said that the study's best value held up.

    A seed's standard deviation is 1; `shared` is the share of its variance that all trials have in common, as they
    share seeds. True values of trials have a standard deviation of `spread`; without one, every lead is luck.
    """
    draw = np.random.default_rng([seed, trials, seeds, candidates])
    own, common = np.sqrt(1 - shared), np.sqrt(shared)
    truth = spread * draw.standard_normal(trials)
    values = truth + own * draw.standard_normal(trials) + common * draw.standard_normal()
    best = np.argsort(values)[:candidates]
    effects = common * draw.standard_normal(seeds)
    fresh = truth[best, None] + own * draw.standard_normal((candidates, seeds)) + effects
    names = np.repeat(["winner", *(f"runner-up {i}" for i in range(1, candidates))], seeds)
    runs = pd.DataFrame(
        {
            "candidate": names,
            "trial": np.repeat(best, seeds),
            "seed": np.tile(np.arange(seeds), candidates),
            "validation_mae": fresh.ravel(),
        }
    )
    table = pd.DataFrame({"number": np.arange(trials), "state": "complete", "value": values})
    interval = t_interval(fresh[0])
    assert interval is not None
    retrained = RetrainedBest(int(best[0]), float(values[best[0]]), interval, pd.Series(fresh[0]))
    tables = replace(build_tables(seeds), trials=table, runs=runs)
    return judge_study_luck(tables, retrained).verdict == "held"


def is_part_named(seed: int, parts: int, seeds: int = 4) -> bool:
    """Return whether the winner is said to be better or worse without any part of a loss; none does anything.

    The full runs have seeds of their own. So nothing depends on how many candidates the winner was chosen from.
    """
    draw = np.random.default_rng([seed, parts, seeds])
    names = np.repeat(["images", *(f"term {i}" for i in range(parts))], seeds)
    values = draw.standard_normal(seeds) + draw.standard_normal((parts + 1, seeds))
    ablations = pd.DataFrame(
        {
            "what": names,
            "share": 1.0,
            "images": 100.0,
            "seed": np.tile(np.arange(seeds), parts + 1),
            "diverged_step": np.nan,
            "validation_mae": values.ravel(),
        }
    )
    effects = ablation_effects.compute_effects(replace(build_tables(8), ablations=ablations))
    return any(compare_with_zero(effect, 1) != "same" for effect in effects.values())


@dataclass(frozen=True)
class Cells:
    """Standard deviations, of a seed's network: 1; `lean`: of a candidate's own effect on a group of test examples.

    `hard`: of a group's effect on all; `cell`: of a group's effect on one network. `luck`: the correlation of a seed's
    effect in validation and test.
    """

    groups: int = 12
    lean: float = 1.5
    hard: float = 0.0
    cell: float = 1.0
    luck: float = 1.0
    seeds: int = 8


def draw_candidates(of: Cells, count: int, draw: np.random.Generator) -> tuple[list[Candidate], list[Floats], Floats]:
    """Draw equal candidates, the winner first; their values without each group; and the groups' effects on all."""
    apart = np.sqrt(1 - of.luck**2)
    luck = draw.standard_normal((2, count, of.seeds))
    test = of.luck * luck[0] + apart * luck[1]
    hard = of.hard * draw.standard_normal(of.groups)
    leans = of.lean * draw.standard_normal((count, 1, of.groups))
    cells = test[:, :, None] + hard + leans + of.cell * draw.standard_normal((count, of.seeds, of.groups))
    drawn = [
        Candidate(
            i,
            {RATE: 0.01 * (i + 1)},
            None,  # type: ignore[arg-type]
            (),
            np.zeros(0),
            {"mae": cells[i].mean(1)},
            {"mae": luck[0, i]},
        )
        for i in range(count)
    ]
    ranked = rank_candidates(build_confirm_config(of.seeds), drawn)
    left_out = [
        (c.sum(1, keepdims=True) - c) / (of.groups - 1) for c in (cells[candidate.trial or 0] for candidate in ranked)
    ]
    return ranked, left_out, hard


def is_rival_told_apart(seed: int, of: Cells, candidates: int = 2) -> bool:
    """Return whether the winner is said to be better than all others, or another one better; all are equal."""
    draw = np.random.default_rng([seed, of.groups, candidates])
    config, sizes = build_confirm_config(of.seeds), np.full(of.groups, 20, np.intp)
    ranked, left_out, _ = draw_candidates(of, candidates, draw)
    found = compare.compare_runners_up(config, ranked, left_out, sizes, of.groups)
    sides = {compare_with_zero(comparison.difference.interval, 1) for comparison in found}
    return sides == {"worse"} or "better" in sides


def is_answer_beaten(seed: int, of: Cells, lead: float) -> bool:
    """Return whether the winner is said to be better than a simple answer, which is worse by `lead`."""
    draw = np.random.default_rng([seed, of.groups, round(10 * lead)])
    config, sizes = build_confirm_config(of.seeds), np.full(of.groups, 20, np.intp)
    ranked, left_out, hard = draw_candidates(of, 2, draw)
    by_group = lead + hard + of.lean * draw.standard_normal(of.groups)
    answers = {"answer": (float(by_group.mean()), (by_group.sum() - by_group) / (of.groups - 1))}
    (found,) = compare.compare_answers(config, ranked, answers, left_out, sizes, of.groups)
    return compare_with_zero(found.difference.interval, 1) == "worse"


@dataclass(frozen=True)
class VerdictRow:
    """Studies in which a claim is always true, or never; `is_said` draws one by its seed."""

    name: str
    claim: str
    is_said: Callable[[int], bool]
    is_true: bool = False
    studies: int = 500


def count_study(row: VerdictRow, seed: int) -> Counts:
    """Draw one study; count its claim."""
    return {row.claim: Outcome(row.is_said(seed), row.is_true, row.is_true).count()}


def list_rows() -> list[VerdictRow]:
    """List the rows."""
    held, part = "the best value held up", "a part of the loss helps or harms"
    rival, answer = "a runner-up is worse, or better", "the winner is better than a simple answer"
    luck = [
        VerdictRow(
            f"{trials} trials, {seeds} seeds, {shared:g} of their variance shared, true spread {spread:g}",
            held,
            partial(is_held_up, trials=trials, seeds=seeds, shared=shared, spread=spread),
            spread > 0,
        )
        for spread, trials, seeds in ((0, 12, 8), (0, 48, 3), (0, 48, 8), (0, 96, 8), (1, 48, 8), (3, 48, 8))
        for shared in (0.0, 0.5)
    ]
    parts = [
        VerdictRow(f"{count} useless parts of a loss", part, partial(is_part_named, parts=count)) for count in (2, 5, 8)
    ]
    rivals = [
        VerdictRow(
            f"{count} equal candidates, {groups} groups",
            rival,
            partial(is_rival_told_apart, of=Cells(groups), candidates=count),
        )
        for groups in (5, 12, 48)
        for count in (2, 4)
    ]
    answers = [
        VerdictRow(
            f"a simple answer, {groups} groups of spread {hard:g}, behind by {lead:g}",
            answer,
            partial(is_answer_beaten, of=Cells(groups, hard=hard), lead=lead),
            lead > 0,
        )
        for groups, hard, lead in ((12, 0.0, 0.0), (48, 0.0, 0.0), (4, 4.5, 0.0), (12, 4.5, 2.4), (4, 4.5, 4.7))
    ]
    return [*luck, *parts, *rivals, *answers]
