"""The studies to simulate: a base, and rows that each change one factor of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.calibration.worlds import KIND, LOSSES, MOMENTUM, RATE, World

DECISIVE_STUDIES = 400
OTHER_STUDIES = 100
GP_STUDIES = 30
"""Gaussian processes take minutes for a study of 48 trials, so they have 24 trials and fewer studies."""


@dataclass(frozen=True)
class Row:
    """Studies that differ in their seed alone. `changes` are of params.yaml; `losses` are searched."""

    name: str
    world: World
    changes: Mapping[str, Any] = field(default_factory=dict)
    losses: int = 4
    has_test: bool = True
    studies: int = OTHER_STUDIES

    def build_changes(self) -> dict[str, Any]:
        """Return all changes of the default."""
        space = {
            KIND: {"choices": list(LOSSES[: self.losses]), "role": "scientific"},
            RATE: {"low": 1e-4, "high": 1.0, "log": True},
            MOMENTUM: {"low": 0.0, "high": 0.95},
        }
        return {"study.space": space, "confirm.runners_up": 1} | dict(self.changes)


APART = (-2.6, -2.2, -1.8, -1.4, -2.0)
"""Best paces of the losses, as far apart as real ones."""
EQUAL = World(paces=APART)
FLAT = replace(EQUAL, widths=(0.0,) * 5, diverges=9.0)
SIGMA = EQUAL.seed_noise
WORSE_BASELINE = replace(FLAT, heights=(1.5, 1.5 + 2 * SIGMA, 1.5, 1.5, 1.5))
"""The baseline's loss is the second."""
IDLE_SPACE = {"schedule.final": {"low": 0.0, "high": 0.5}}


def shift_first(deviations: float, **more: Any) -> World:
    """Return a world whose first loss is better than the others, by seed deviations."""
    return replace(EQUAL, heights=(1.5 - deviations * SIGMA, *EQUAL.heights[1:]), **more)


def list_rows() -> list[Row]:
    """List all rows, the decisive ones first."""
    base = Row("base: four equal losses", EQUAL, studies=DECISIVE_STUDIES)
    two = replace(base, losses=2)
    apart = replace(two, world=shift_first(1), changes={"study.smallest_effect": SIGMA})
    narrow = (0.8, 0.25, 0.25, 0.25, 0.25)

    def vary(name: str, row: Row = base, world: World | None = None, **changes: Any) -> Row:
        fields: dict[str, Any] = {key: changes.pop(key) for key in ("losses", "has_test", "studies") if key in changes}
        settings = {key.replace("__", "."): value for key, value in changes.items()}
        fields = {"studies": OTHER_STUDIES, "changes": {**row.changes, **settings}, **fields}
        return replace(row, name=name, world=world or row.world, **fields)

    return [
        base,
        vary("96 trials", study__trials=96, studies=DECISIVE_STUDIES),
        vary("two losses", two, studies=DECISIVE_STUDIES),
        vary("two losses, 16 seeds", two, confirm__seeds=16, studies=DECISIVE_STUDIES),
        vary("two losses, 16 seeds, apart by the smallest effect", apart, confirm__seeds=16, studies=DECISIVE_STUDIES),
        vary("two losses, 32 seeds, 50 groups", two, replace(EQUAL, groups=50), confirm__seeds=32),
        vary(
            "two losses, 32 seeds, 50 groups, apart by the smallest effect",
            apart,
            replace(apart.world, groups=50),
            confirm__seeds=32,
            studies=DECISIVE_STUDIES,
        ),
        vary("two losses, the first better by 2 deviations", two, shift_first(2), studies=DECISIVE_STUDIES),
        vary("no test set", has_test=False, studies=DECISIVE_STUDIES),
        vary("noise alone", world=FLAT, studies=DECISIVE_STUDIES),
        vary("noise alone, no test set", world=FLAT, has_test=False, studies=DECISIVE_STUDIES),
        vary("noise alone, but the baseline worse by 2 deviations", world=WORSE_BASELINE, studies=DECISIVE_STUDIES),
        vary("the first better by 2 deviations", world=shift_first(2)),
        vary("the first better by 4 deviations", world=shift_first(4)),
        vary("the first better by 2, and narrow", world=shift_first(2, widths=narrow)),
        vary("the first better by 4, and narrow", world=shift_first(4, widths=narrow)),
        vary("best paces at the range's end", world=replace(EQUAL, paces=tuple(pace + 1.8 for pace in APART))),
        vary("best paces outside the range", world=replace(EQUAL, paces=tuple(pace + 3.5 for pace in APART))),
        vary("24 trials", study__trials=24),
        vary("random", study__sampler="random"),
        vary("quasi_random", study__sampler="quasi_random"),
        vary("gp, 24 trials", study__sampler="gp", study__trials=24, studies=GP_STUDIES),
        vary("pruned", study__prune={"first": 4, "eta": 2}),
        vary("3 seeds", confirm__seeds=3),
        vary("16 seeds", confirm__seeds=16),
        vary("10 unequal groups", world=replace(EQUAL, unequal=0.8)),
        vary("3 unequal groups", world=replace(EQUAL, groups=3, unequal=0.8)),
        vary("50 unequal groups", world=replace(EQUAL, groups=50, unequal=0.8)),
        vary("5 folds", data__split__by="folds", data__split__folds=5),
        vary("5 folds, no test set", has_test=False, data__split__by="folds", data__split__folds=5),
        vary("4 runners-up", confirm__runners_up=4),
        vary("4 runners-up, noise alone", world=FLAT, confirm__runners_up=4),
        vary(
            "an idle setting beside strong ones",
            study__space=Row("", EQUAL).build_changes()["study.space"] | IDLE_SPACE,
        ),
        vary("two objectives in conflict", world=replace(EQUAL, conflict=1.5), study__also=["rmse"]),
        vary("two objectives in harmony", study__also=["rmse"]),
        vary("skewed noise", world=replace(EQUAL, skew=1.0)),
        vary("one seed in ten fails", world=replace(EQUAL, failing=0.1)),
    ]
