"""The choice of a searched setting with which trials fail where other choices train."""

from collections.abc import Collection
from dataclasses import dataclass
from math import comb

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices, format_code, format_share

MIN_TRIALS = 3  # with the choice, and with others
MAX_SPARED_SHARE = 1 / 3  # of the trials with other choices: with more failures, the choice is not alone
ALPHA = 0.05  # false positives over all choices


@dataclass(frozen=True)
class FailingChoice:
    """A choice of `name`, by its label: `failed` of `count` trials with it failed, `other_failed` of `other_count`."""

    name: str
    label: str
    failed: int
    count: int
    other_failed: int
    other_count: int

    @property
    def spares_others(self) -> bool:
        """Whether most trials with other choices train."""
        return self.other_failed <= MAX_SPARED_SHARE * self.other_count

    def describe_place(self) -> str:
        """Return "with `kind` l2"."""
        return f"with {format_code(self.name)} {self.label}"

    def describe_counts(self, failure: str) -> str:
        """Describe how many trials failed with the choice, and with others."""
        own, others = format_share(self.failed, self.count, "trial"), format_share(self.other_failed, self.other_count)
        return f"{self.describe_place()}, {own} {failure}; with other values, {others}"


def find_failing_choice(tables: StudyTables, failed: Collection[int], others: Collection[int]) -> FailingChoice | None:
    """Find the choice with which trials surely fail more often than with others; None if there is none.

    Fisher's exact test (1922) over trial numbers, one-sided, for all choices of all settings together (Bonferroni).
    """
    trials = tables.trials[tables.trials["number"].isin([*failed, *others])]
    found: list[tuple[float, FailingChoice]] = []
    tests = 0
    for parameter in tables.parameters:
        if parameter.is_range:
            continue
        indices = parameter.choice_indices(trials[parameter.name])
        has_failed = trials["number"].isin(list(failed)).to_numpy()[indices >= 0]
        indices, labels = indices[indices >= 0], format_choices(parameter.list_choices(trials[parameter.name]))
        tests += len(labels)
        for index, label in enumerate(labels):
            own, total = has_failed[indices == index], int(has_failed.sum())
            counts = int(own.sum()), len(own), total - int(own.sum()), len(indices) - len(own)
            if min(counts[1], counts[3]) >= MIN_TRIALS:
                found.append((_chance_of_failures(*counts), FailingChoice(parameter.name, label, *counts)))
    chance, choice = min(found, key=lambda pair: pair[0], default=(1.0, None))
    return choice if chance * tests <= ALPHA else None


def _chance_of_failures(failed: int, count: int, other_failed: int, other_count: int) -> float:
    """Return the chance that so many failures or more fall on `count` of all trials (hypergeometric)."""
    total, failures = count + other_count, failed + other_failed
    ways = sum(comb(count, k) * comb(other_count, failures - k) for k in range(failed, min(count, failures) + 1))
    return ways / comb(total, failures)
