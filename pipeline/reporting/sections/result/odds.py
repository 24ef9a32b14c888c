"""How often a run of the winner is the better one, and how many seeds would settle what is open."""

from scipy.special import stdtrit

from thalweg.reporting.analysis.confirmed import Confirmed
from thalweg.reporting.analysis.seed_noise import by_seed
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many, number
from thalweg.stats.samples import improvement, seeds_to_settle

FEWEST = 5
"""Below so many seeds a share of pairs says nothing."""
MOST = 100
"""More than the second no one will train."""


def better_run(tables: StudyTables, known: Confirmed) -> str:
    """The chance that a run of the winner beats one of the baseline, as a sentence; empty below FEWEST seeds."""
    column = f"{known.split}_{tables.objective}"
    winner, baseline = (by_seed(tables.runs, column, name, None) for name in ("winner", "baseline"))
    seeds = winner.index.intersection(baseline.index)
    if len(seeds) < FEWEST:
        return ""
    chance = improvement(tables.sign * winner[seeds], tables.sign * baseline[seeds])
    assert chance is not None
    flattered = known.corrected is not None and known.corrected.mean != known.winner.mean
    chosen = "; the winner's value here is not corrected for being chosen" if flattered else ""
    mean, low, high = (f"{100 * share:.0f}" for share in (chance.mean, chance.low, chance.high))
    return (
        f"Of two networks trained on seeds of their own, the winner's is the better one with a chance of {mean} % "
        f"({low} to {high} %, on these examples{chosen})."
    )


MORE = "More groups would narrow that: a larger `data.split.test`, or more data."


def settling(tables: StudyTables, known: Confirmed) -> str:
    """How many seeds would tell the winner from the baseline, were their true difference the measured one."""
    apart = by_seed(tables.runs, f"{known.split}_{tables.objective}", "winner")
    gap, error = abs(known.decisive.mean), known.groups_error
    if error is None or len(apart) < 3 or gap == 0:
        return ""
    groups = (error, known.groups or 1)
    alone = float(stdtrit(max(1, groups[1] - 1), 0.975)) * groups[0]
    if gap <= alone:
        return (
            f"More seeds would not settle so small a difference: the {many(groups[1], 'group')} of {known.split} leave "
            f"±{number(alone, 2)} open, however many seeds there are. {MORE}"
        )
    spread = float(apart.std(ddof=1))
    even, surely = (seeds_to_settle(gap, spread, groups, power, MOST) for power in (0.5, 0.8))
    if surely is None:
        return (
            f"Seeds alone will hardly settle so small a difference, it would take more than {MOST}: the "
            f"{many(groups[1], 'group')} of {known.split} are what leaves it open. {MORE}"
        )
    told = f"{surely} in four of five"
    if even is not None and even > len(apart):
        told = f"{even} seeds would settle it in half of such studies, {told}"
    else:
        told = f"{surely} seeds would settle it in four of five such studies"
    return f"Were the true difference the measured one, {told}." if surely > len(apart) else ""
