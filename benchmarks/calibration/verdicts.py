"""How often verdicts on what was retrained are wrong: luck of the best trial, parts of a loss, runners-up, answers.

Each count draws studies whose truth is known, and asks the product's own code. All counts, with exact 95 % bounds
(Clopper and Pearson 1934), are printed by `python -m benchmarks.calibration.verdicts`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

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


def count_luck_verdicts(
    studies: int, trials: int = 48, seeds: int = 8, shared: float = 0.0, spread: float = 0.0, candidates: int = 2
) -> Counter[str]:
    """Count what is said of the study's best trial: `held` up, `luck`, or `unclear`.

    A seed's standard deviation is 1; `shared` is the share of its variance that all trials have in common, as they
    share seeds. True values of trials have a standard deviation of `spread`; without one, every lead is luck.
    """
    draw, counts = np.random.default_rng([trials, seeds, candidates]), Counter(held=0, luck=0, unclear=0)
    own, common = np.sqrt(1 - shared), np.sqrt(shared)
    for _ in range(studies):
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
        counts[judge_study_luck(tables, retrained).verdict] += 1
    return counts


def count_false_parts(studies: int, parts: int, seeds: int = 4) -> dict[str, int]:
    """Count studies that say of any part of a loss that the winner is better or worse without it; none does anything.

    The full runs have seeds of their own. So nothing depends on how many candidates the winner was chosen from.
    """
    draw, false = np.random.default_rng([parts, seeds]), 0
    names = np.repeat(["images", *(f"term {i}" for i in range(parts))], seeds)
    for _ in range(studies):
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
        false += any(compare_with_zero(effect, 1) != "same" for effect in effects.values())
    return {"any named": false}


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


def count_rival_verdicts(studies: int, of: Cells, candidates: int = 2) -> Counter[str]:
    """Count studies of equal candidates that say the winner is better than all runners-up, or a runner-up better."""
    draw, counts = np.random.default_rng([of.groups, candidates]), Counter[str]()
    config, sizes = build_confirm_config(of.seeds), np.full(of.groups, 20, np.intp)
    for _ in range(studies):
        ranked, left_out, _ = draw_candidates(of, candidates, draw)
        found = compare.compare_runners_up(config, ranked, left_out, sizes, of.groups)
        sides = {compare_with_zero(comparison.difference.interval, 1) for comparison in found}
        counts["winner better than all"] += sides == {"worse"}
        counts["winner better than some"] += "worse" in sides
        counts["runner-up better"] += "better" in sides
    return counts


def count_answer_verdicts(studies: int, of: Cells, lead: float) -> dict[str, int]:
    """Count studies that say the winner beats a simple answer, which is worse by `lead`."""
    draw, said = np.random.default_rng([of.groups, round(10 * lead)]), 0
    config, sizes = build_confirm_config(of.seeds), np.full(of.groups, 20, np.intp)
    for _ in range(studies):
        ranked, left_out, hard = draw_candidates(of, 2, draw)
        by_group = lead + hard + of.lean * draw.standard_normal(of.groups)
        answers = {"answer": (float(by_group.mean()), (by_group.sum() - by_group) / (of.groups - 1))}
        (found,) = compare.compare_answers(config, ranked, answers, left_out, sizes, of.groups)
        said += compare_with_zero(found.difference.interval, 1) == "worse"
    return {"winner beats it": said}


def list_rows(scale: float) -> list[tuple[str, int, Callable[[], dict[str, int]]]]:
    """List the rows: a setting, its number of studies, and what counts them."""
    rows: list[tuple[str, int, Callable[[], dict[str, int]]]] = []

    def add(name: str, studies: int, count: Callable[[int], dict[str, int]]) -> None:
        number = max(20, round(scale * studies))
        rows.append((name, number, partial(count, number)))

    for spread, studies in ((0.0, 1000), (1.0, 400), (3.0, 400)):
        for trials, seeds in ((12, 3), (12, 8), (48, 3), (48, 8), (96, 3), (96, 8)):
            for shared in (0.0, 0.5):
                name = f"luck: {trials} trials, {seeds} seeds, {shared:g} of it shared, true spread {spread:g}"
                add(
                    name,
                    studies,
                    partial(count_luck_verdicts, trials=trials, seeds=seeds, shared=shared, spread=spread),
                )
    for parts in (2, 5, 8):
        add(f"useless parts: {parts}", 1000, partial(count_false_parts, parts=parts))
    for groups in (5, 12, 48):
        for candidates in (2, 4):
            name = f"equal candidates: {candidates}, {groups} groups"
            add(name, 500, partial(count_rival_verdicts, of=Cells(groups), candidates=candidates))
    for groups, hard, lead in ((12, 0.0, 0.0), (48, 0.0, 0.0), (12, 4.5, 2.4), (4, 4.5, 4.7), (4, 4.5, 0.0)):
        name = f"answer: {groups} groups, hard {hard:g}, lead {lead:g}"
        add(name, 500, partial(count_answer_verdicts, of=Cells(groups, hard=hard), lead=lead))
    return rows


def main(scale: float = 1.0) -> None:
    for name, studies, count in list_rows(scale):
        for said, number in sorted(count().items()):
            bounds = binomtest(number, studies).proportion_ci(0.95, "exact")
            share = f"{100 * number / studies:.1f} % ({100 * bounds.low:.1f} to {100 * bounds.high:.1f})"
            print(f"{name}; {said}: {share} of {studies}", flush=True)


if __name__ == "__main__":
    main()
