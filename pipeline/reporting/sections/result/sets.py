"""Whether the validation set and the test set agree: if not, one of them says little about the other."""

from thalweg.reporting.analysis.confirmed import ConfirmedResult, read_group_variance
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_interval, format_number
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import VarianceSource, combine_sources, compare_with_zero, t_interval


def report_disagreement(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report that the baseline does better or worse on the test set than on the validation set, beyond noise.

    The baseline, because the validation set did not choose it.
    """
    gap = _compare_sets(tables, result)
    side = "same" if gap is None else compare_with_zero(gap, tables.sign)
    if gap is None or side == "same":
        return []
    runs, label = tables.runs[tables.runs["candidate"] == "baseline"], tables.objective_label
    means = {split: float(runs[f"{split}_{tables.objective}"].mean()) for split in ("validation", "test")}
    validation, test = map(format_number, means.values())
    groups = tables.manifest["groups"]
    evidence = (
        f"The baseline's {label} is {validation} on the validation set and {test} on the test set, a difference of "
        f"{format_interval(gap.mean, gap.low, gap.high, signed=True)}, from {format_count(gap.n, 'fresh seed')}. The "
        f"interval is for other seeds, and for other groups than these {groups['validation']:,} and "
        f"{groups['test']:,}. The validation set did not choose the baseline, so this is no luck of choice."
    )
    step = "Compare the groups of the two sets, or draw them anew with another `seed`."
    verdict = f"The test set is {'harder' if side == 'worse' else 'easier'} than the validation set, beyond noise."
    return [Finding(verdict, evidence, step, tone="caution", **measure({"difference": gap}, **means))]


def _compare_sets(tables: StudyTables, result: ConfirmedResult) -> Interval | None:
    """Return the baseline's objective on the test set minus that on the validation set; None if it cannot be judged.

    The groups of the validation set are taken to vary as those of the test set do.
    """
    groups, confirmation = tables.manifest.get("groups", {}), tables.summary.confirm
    variance = read_group_variance(confirmation.baseline) if confirmation else None
    counts = [groups.get(split, 0) for split in ("validation", "test")]
    if result.split != "test" or variance is None or min(counts) < 2 or result.is_lost("baseline"):
        return None
    runs = tables.runs[tables.runs["candidate"] == "baseline"]
    by_seed = runs[f"test_{tables.objective}"] - runs[f"validation_{tables.objective}"]
    seeds = t_interval(by_seed)
    if seeds is None:
        return None
    own = VarianceSource(float(by_seed.var(ddof=1)) / len(by_seed), len(by_seed) - 1)
    other = VarianceSource(variance.variance * counts[1] / counts[0], counts[0] - 1)
    below, above = combine_sources(combine_sources(own, variance), other).half_widths()
    return Interval(seeds.mean, seeds.mean - below, seeds.mean + above, seeds.n)
