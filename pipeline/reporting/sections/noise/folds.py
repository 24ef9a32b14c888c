"""What the folds of validation make of the same trials: are some harder, do they agree on which trials are better?"""

import numpy as np
from scipy.stats import friedmanchisquare

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis.mean_curves import by_fold
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.page.strips import Row, strip
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, number
from thalweg.stats.intervals import interval, two_way_residuals

LEVEL = 0.025
"""Of each of two tests, so that 5 % of studies without any effect are said to have one."""


def findings(tables: StudyTables, trials: list[int]) -> list[Finding]:
    """Whether some folds are harder, and whether they order the trials alike: Friedman's test of 1937, both ways."""
    wide = by_fold(tables, trials)
    if min(wide.shape, default=0) < 3:
        return []
    values = wide.to_numpy()
    levels = values.mean(0)
    freedom = (values.shape[0] - 1) * (values.shape[1] - 1)
    spread = float(np.sqrt((two_way_residuals(values) ** 2).sum() / freedom))
    order = (tables.sign * levels).argsort()
    easy, hard = wide.columns[order[0]], wide.columns[order[-1]]
    among = f"Over the {len(wide)} best trials"
    behind = tuple(int(trial) for trial in wide.index)
    found = []
    if friedmanchisquare(*values.T).pvalue < LEVEL:
        told = f"{among} {label(tables.objective)} is from {number(levels[order[0]])} (fold {easy}) to "
        told += f"{number(levels[order[-1]])} (fold {hard}); which are apart beyond chance is not told by that."
        told += " Every trial is judged on all folds, so this moves none ahead."
        step = f"Look what the groups of folds {easy} and {hard} have in common."
        found.append(Finding("The folds are not equally hard.", told, step, behind))
    told = f"{among}, what fold and trial do not explain varies with a standard deviation of {number(spread, 2)}; the "
    told += f"trials' means over folds vary with {number(float(values.mean(1).std(ddof=1)), 2)}."
    if friedmanchisquare(*values).pvalue < LEVEL:
        verdict = f"The folds agree on which of the {len(wide)} best trials are better."
        found.append(Finding(verdict, told, "", behind, "good"))
    else:
        verdict = f"The folds do not agree on which of the {len(wide)} best trials are better, beyond chance."
        found.append(Finding(verdict, f"{told} Their order is a tie.", more_seeds.of_trials(tables), behind))
    return found


def charts(tables: StudyTables, trials: list[int]) -> list[Figure]:
    """The best trials on each fold."""
    wide = by_fold(tables, trials)
    if wide.empty:
        return []
    rows = [Row(f"fold {fold}", "", "runner-up", wide[fold], interval(wide[fold]), unit="trial") for fold in wide]
    caption = (
        f"Small dots: the {len(wide)} best trials of the study, each by its mean over seeds. Large dot: their mean "
        f"on this fold; bar: its 95 % interval over trials. {'Lower' if tables.sign > 0 else 'Higher'} is better."
    )
    return [strip("folds", "The best trials, fold by fold", caption, label(tables.objective), rows, half=False)]
