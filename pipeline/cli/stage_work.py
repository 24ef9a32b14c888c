"""The training that each stage does, counted from the experiment alone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.diagnose import ablations, landscape
from thalweg.search.study import build_rules

STAGES = ("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report")


@dataclass(frozen=True)
class Work:
    """Work of a stage: `lanes` train together for `epochs`, `repeats` times.

    Before, `programs` are compiled; after, the loss of `losses` images is computed without training on them.
    """

    stage: str
    lanes: int
    epochs: float
    repeats: float = 1.0
    programs: int = 0
    losses: int = 0


def list_work(config: Config) -> list[Work]:
    """List the training of every stage. Trials that diverge, or copy another one, count like all others."""
    folds = config.data.split.folds if config.data.split.by == "folds" else 1
    study, confirm = config.study, config.confirm
    epochs, confirm_epochs = config.training.epochs, confirm.epochs or config.training.epochs
    programs = len(spaces.list_program_variants(config))
    retrained = 2 + confirm.runners_up
    # a program keeps the curves of its epochs, so other epochs are another program
    new_programs = min(retrained, programs) if confirm_epochs != epochs else 0
    return [
        Work("train", folds, epochs, programs=1),
        Work("study", 0, 0, programs=programs),
        *_list_study(config, settings.count_trial_seeds(config) * folds, study.trials / study.cohort),
        Work("confirm", retrained * confirm.seeds * folds, confirm_epochs, programs=new_programs),
        *_list_refit(config, confirm_epochs),
        Work("diagnose", _count_ablations(config) * config.diagnose.seeds * folds, confirm_epochs, programs=1),
        *_list_landscape(config, confirm_epochs),
    ]


def _list_study(config: Config, lanes: int, cohorts: float) -> Iterator[Work]:
    """Yield the training between rungs, of a mean cohort of each bracket."""
    rules = build_rules(config)
    for rungs in rules.brackets:
        alive, audited, start = config.study.cohort, 0.0, 0
        for rung in rungs:
            yield Work("study", math.ceil((alive + audited) * lanes), rung - start, cohorts / len(rules.brackets))
            survivors = math.ceil(alive / rules.eta)
            alive, audited, start = survivors, audited + (alive - survivors) * rules.audit, rung


def _list_refit(config: Config, epochs: int) -> Iterator[Work]:
    if config.confirm.refit == "all":
        split = config.data.split
        share = 1 - split.test - (1 / split.folds if split.by == "folds" else split.validation)
        yield Work("confirm", config.confirm.members, (config.confirm.refit_epochs or epochs) / share, programs=1)


def _count_ablations(config: Config) -> int:
    online = any(config.augment.online.model_dump().values()) or config.augment.offline.copies > 0
    return len(config.diagnose.shares) + online + len(ablations.list_loss_ablations(config))


def _list_landscape(config: Config, epochs: int) -> Iterator[Work]:
    """Yield the training of the path, and the losses of both maps and of the lines."""
    options = config.diagnose.landscape
    if options.points:
        points = 2 * options.points**2 + options.seeds * landscape.LINE_POINTS
        losses = points * len(landscape.SPLIT_NAMES) * options.examples
        yield Work("diagnose", options.seeds, epochs, programs=3, losses=losses)
