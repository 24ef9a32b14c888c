"""What can go wrong in a study, planted, and the cautions that each must raise."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from tests.helpers import planted_studies as planted
from tests.helpers.planted_studies import RATE, World
from thalweg.reporting.tables import StudyTables

HEALTHY = World(seed_noise=0.001, jitter=0.0005)
NOISE = World(rates=(0.05, 0.1), momentum=0.1, file=0.07, bend=0.0, seed_noise=0.02, floor=0.0)
WILD = World(rates=(0.004, 0.6), wild=0.2)
DEAD = World(rates=(0.004, 0.6), dead=0.2)


@dataclass(frozen=True)
class Planted:
    """A world, or a change to a healthy study; the ends of cautions that it must raise and may raise."""

    must: tuple[str, ...]
    world: World = field(default_factory=lambda: HEALTHY)
    change: Callable[[StudyTables, np.random.Generator], StudyTables] = lambda tables, _: tables
    may: tuple[str, ...] = ()
    trials: int = 48


def plant_bad_group(tables: StudyTables, rng: np.random.Generator) -> StudyTables:
    return replace(tables, predictions=planted.draw_predictions(rng, bad=4, times=6.0))


ABOVE = f"The best values of `{RATE}` may lie above the searched range."
PAST = "The winner is past its best before training ends."
ALIKE = "The trials of the study do not differ by more than seed noise."
UNTOLD = "It is not clear whether the trials of the study differ by more than seed noise."
SWING = "The loss of the best trials still swings when training ends."
HIGH, LOW = (f"Most trials train at a learning rate that is too {word}." for word in ("high", "low"))

PLANTED = {
    "rate too high": Planted(
        (HIGH,),
        World(rates=(0.5, 1.5), momentum=0.3, constant=1.0, best=1.0, bend=1.0, floor=2.0, swing=0.25),
        may=(SWING, ALIKE, UNTOLD),
    ),
    "rate too low": Planted(
        (LOW,),
        World(rates=(2e-5, 4e-4), file=2e-5, momentum=0.5, best=2e-4, bend=0.1, high=(30.0, 0.0), jitter=0.001),
        may=(ABOVE,),
    ),
    "overfitting": Planted(
        ("48 trials overfit.", PAST),
        World(rates=(0.05, 0.1), momentum=0.0, best=0.07, turns=4.0, rise=0.1),
        may=(ALIKE, UNTOLD),
    ),
    "optimum at a bound": Planted((ABOVE,), World(momentum=0.02, best=0.3, bend=1.0), trials=96),
    "noise only": Planted(("differ by more than seed noise.",), NOISE),
    "a third diverges": Planted(("trials diverged.",), WILD),
    "learns nothing": Planted(("trials learned nothing.",), DEAD),
    "a bad group": Planted(("Group place-04 stands out with large errors.",), change=plant_bad_group),
    "too sure": Planted(
        ("The network is overconfident.",),
        change=lambda tables, rng: planted.build_classification_study(tables, rng, 2.0),
    ),
    "not sure enough": Planted(
        ("The network is underconfident.",),
        change=lambda tables, rng: planted.build_classification_study(tables, rng, 0.5),
    ),
    "training too short": Planted(
        ("Training ends while the better trials are still improving.",),
        World(rates=(0.02, 0.1), momentum=0.2, constant=1.0, best=0.05, curved=(1.0, 0.02), high=(6.0, 3.0)),
        may=(ABOVE,),
    ),
    "training too long": Planted(
        ("Most trials are at their best in the first tenth of training.", "48 trials overfit.", PAST),
        World(epochs=20, rates=(0.3, 0.6), momentum=0.0, best=0.4, floor=0.02, turns=6.0, rise=0.02),
    ),
    "judged too early": Planted(
        ("Trials are judged too early: short runs do not predict long ones.",),
        World(hidden=0.15, early=120.0, bend=0.1),
        change=lambda tables, rng: planted.prune_study(tables, 2, 1.0, rng),
        may=("Early stopping lost a better trial.",),
    ),
    "swings to the end": Planted(
        (SWING,),
        World(rates=(0.05, 0.1), momentum=0.2, constant=1.0, best=0.07, swing=1.5, batch_spread=0.25, bend=2.0),
        may=(HIGH, ALIKE, UNTOLD),
    ),
}
