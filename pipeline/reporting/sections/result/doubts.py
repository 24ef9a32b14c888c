"""What forbids a plain verdict on the winner: none, a training that diverged, a broken limit, too few seeds."""

from scipy.special import stdtrit

from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis.confirmed import ConfirmedResult, add_article
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.finding import Finding
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_fixed, format_interval, format_number, join_items, metric_label
from thalweg.stats.intervals import t_interval
from thalweg.stats.samples import count_seeds_needed

COMPARED_CANDIDATES = ("winner", "baseline")
MAX_SEEDS = 100
"""More seeds than that no one will train."""
MORE_GROUPS_ADVICE = "More groups would narrow that: a larger `data.split.test`, or more data."


def report_missing_winner(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """That no trial could be confirmed, where the baseline stands in for a winner."""
    if tables.runs.empty or tables.has_winner:
        return []
    lost = 0 < tables.count("diverged") == len(tables.trials)
    verdict = "Every trial of the study diverged" if lost else "The study has no complete trial"
    evidence = "The baseline alone was trained on fresh seeds, and stands where the winner would: on "
    evidence += f"{known.split} its {metric_label(tables.objective)} is "
    evidence += f"{format_interval(known.baseline.mean, known.baseline.low, known.baseline.high)}. "
    evidence += "`thalweg predict` uses the baseline."
    step = "Look under Trials at what became of the trials: limits, stopping or the space may be too strict."
    step = search_space.advise_all_diverged(tables) if lost else step
    return [Finding(f"{verdict}: there was no winner to confirm.", evidence, step, tone="caution")]


def report_diverged_seeds(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """A finding for each candidate that diverged on some fresh seed: winner, runners-up, baseline."""
    found = []
    for name, seeds in known.diverged_seeds.items():
        first = tables.runs.loc[tables.runs["candidate"] == name, "diverged_step"].min()
        evidence = (
            f"{'Seed' if len(seeds) == 1 else 'Seeds'} {join_items(seeds, len(seeds))}; the first bad step was "
            f"{format_number(int(first))}. A network that diverged is judged by what it had learned before, which may be "
            "nothing, and the figures mix it with the others: they are of how often training fails as much as of how "
            "good it is."
        )
        found.append(_report_lost_seeds(tables, known, name, seeds, "diverged", evidence))
    return found


def report_failed_seeds(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """A finding where the winner, or the baseline, came to something far worse on some seed than on its others."""
    found = []
    for name, seeds in known.failed_seeds.items():
        if name in COMPARED_CANDIDATES:
            own = difference_by_seed(tables.runs, f"validation_{tables.objective}", name, None)
            evidence = (
                f"On validation {metric_label(tables.objective)} is {join_items([format_number(own[seed]) for seed in seeds])} there, "
                f"{format_number(own.median())} on the middle seed. A mean over seeds mixes both: it is of how often training "
                "fails as much as of how good it is."
            )
            found.append(_report_lost_seeds(tables, known, name, seeds, "failed", evidence))
    return found


def _report_lost_seeds(
    tables: StudyTables, known: ConfirmedResult, name: str, seeds: list[int], how: str, evidence: str
) -> Finding:
    """That a candidate was lost on some seeds, and what is so on the others."""
    runs = tables.runs[tables.runs["candidate"] == name]
    verdict = f"{add_article(name).capitalize()} {how} on {len(seeds)} of {format_count(len(runs), 'fresh seed')}."
    evidence += _describe_sound_seeds(tables, known) if name in COMPARED_CANDIDATES else ""
    trials = tuple(int(one) for one in runs["trial"].dropna().unique())
    return Finding(verdict, evidence, search_space.advise_lost_seeds(add_article(name)), trials, "caution")


def _describe_sound_seeds(tables: StudyTables, known: ConfirmedResult) -> str:
    """How winner and baseline compare on the seeds on which neither was lost, as a sentence; '' if not known."""
    bad = [found.get(name, []) for found in (known.diverged_seeds, known.failed_seeds) for name in COMPARED_CANDIDATES]
    apart = difference_by_seed(tables.runs, f"{known.split}_{tables.objective}", "winner")
    sound = apart[~apart.index.isin({seed for seeds in bad for seed in seeds})]
    difference = t_interval(sound)
    if difference is None or tables.is_winner_baseline:
        return ""
    by = format_interval(difference.mean, difference.low, difference.high, signed=True)
    return (
        f" On the {difference.n} seeds on which neither was lost, the winner's {metric_label(tables.objective)} differs from "
        f"the baseline's by {by} on {known.split}, over seeds alone: seeds that are kept because they did not fail "
        "decide nothing."
    )


def report_broken_constraints(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """Each limit of `study.constraints` that the winner's mean over fresh seeds breaks, on validation."""
    own = tables.runs[tables.runs["candidate"] == "winner"] if "winner" in known.candidates else tables.runs.iloc[:0]
    found = []
    for metric, limit in (tables.setting("study.constraints") or {}).items():
        mean = own[f"validation_{metric}"].mean() if f"validation_{metric}" in own else float("nan")
        for end, side, way in (("low", "least", -1), ("high", "most", 1)):
            bound = limit.get(end)
            if bound is not None and way * (mean - bound) > 0:
                evidence = f"Its mean over {format_count(len(own), 'fresh seed')} is {_format_distinctly(mean, bound)} on validation; the "
                evidence += f"limit of `study.constraints` is {format_number(bound, 6)} at {side}."
                step = f"Search with a stricter limit on {metric_label(metric)}, so that other seeds keep to it, too. "
                step += "`thalweg predict` uses the winner all the same."
                verdict = f"On fresh seeds the winner breaks the limit on {metric_label(metric)}."
                behind = tuple(int(one) for one in own["trial"].dropna().unique())
                found.append(Finding(verdict, evidence, step, behind, "caution"))
    return found


def _format_distinctly(value: float, bound: float) -> str:
    """A value with the decimals that show it to differ from a bound."""
    for digits in range(3, 9):
        if float(f"{value:.{digits}g}") != float(f"{bound:.{digits}g}"):
            return format_number(value, digits)
    return format_fixed(value, 8)


def describe_seeds_needed(tables: StudyTables, known: ConfirmedResult) -> str:
    """How many seeds would tell the winner from the baseline, were their true difference the measured one."""
    apart = difference_by_seed(tables.runs, f"{known.split}_{tables.objective}", "winner")
    gap, error = abs(known.decisive.mean), known.group_error
    if error is None or len(apart) < 3 or gap == 0:
        return ""
    groups = (error, known.group_count or 1)
    alone = float(stdtrit(max(1, groups[1] - 1), 0.975)) * groups[0]
    if gap <= alone:
        return (
            f"More seeds would not settle so small a difference: the {format_count(groups[1], 'group')} of {known.split} leave "
            f"±{format_number(alone, 2)} open, however many seeds there are. {MORE_GROUPS_ADVICE}"
        )
    spread = float(apart.std(ddof=1))
    even, surely = (count_seeds_needed(gap, spread, groups, power, MAX_SEEDS) for power in (0.5, 0.8))
    if surely is None:
        return (
            f"Seeds alone will hardly settle so small a difference, it would take more than {MAX_SEEDS}: the "
            f"{format_count(groups[1], 'group')} of {known.split} are what leaves it open. {MORE_GROUPS_ADVICE}"
        )
    told = f"{surely} in four of five"
    if even is not None and even > len(apart):
        told = f"{even} seeds would settle it in half of such studies, {told}"
    else:
        told = f"{surely} seeds would settle it in four of five such studies"
    return f"Were the true difference the measured one, {told}." if surely > len(apart) else ""
