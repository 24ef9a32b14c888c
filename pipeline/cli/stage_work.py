"""The training that each stage does, counted from the experiment alone, and how long it takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thalweg.cli.measure import Speed, round_up
from thalweg.cli.programs import count_folds
from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.confirm.selection import count_places
from thalweg.diagnose import landscape
from thalweg.diagnose.ablations import count_ablations
from thalweg.search import workload
from thalweg.search.study import build_rules
from thalweg.stages import STAGE_NAMES
from thalweg.system.counts import format_duration

DVC_STARTS = 0.7  # DVC checks a stage's inputs and hashes its outputs, for as long as so many processes start
REPORT_STARTS = 3.0  # the same for the charts of the report


@dataclass(frozen=True)
class Work:
    """Work of a stage: `lanes` train together for `epochs`, `repeats` times; they may share their batches.

    Before, `programs` are compiled; after, the loss of `losses` examples is computed without training on them.
    """

    stage: str
    lanes: float
    epochs: float
    repeats: float = 1.0
    programs: int = 0
    losses: int = 0
    shares: bool = False


def estimate_stages(config: Config, speed: Speed) -> dict[str, float]:
    """Estimate the seconds of each stage, with its process and with DVC's part."""
    seconds = dict.fromkeys(STAGE_NAMES, speed.start * (1 + DVC_STARTS))
    seconds["prepare"] += speed.read
    seconds["report"] += speed.start * REPORT_STARTS
    for work in list_work(config):
        epoch = speed.epoch if work.shares else speed.lone_epoch
        epochs = round_up(work.lanes, speed.parallel) * work.epochs * work.repeats + work.losses / speed.passes
        seconds[work.stage] += epochs * epoch + work.programs * speed.compile
    return seconds


def describe_stages(seconds: Mapping[str, float]) -> str:
    """Describe how long all stages take, and each of them."""
    stages = ", ".join(f"{stage} {format_duration(duration)}" for stage, duration in seconds.items())
    return f"about {format_duration(sum(seconds.values()))}: {stages}"


def list_work(config: Config) -> list[Work]:
    """List the training of every stage. Trials that diverge count like all others."""
    folds, study, confirm = count_folds(config), config.study, config.confirm
    epochs, confirm_epochs = config.training.epochs, confirm.epochs or config.training.epochs
    trials = workload.count_trained_trials(config)
    programs = min(len(spaces.list_program_variants(config)), study.trials)
    candidates = 1 + min(count_places(config), trials)
    # a program keeps the curves of its epochs, so other epochs are another program
    new_programs = min(candidates, programs) if confirm_epochs != epochs else 0
    ablations = count_ablations(config) * config.diagnose.seeds
    return [
        Work("train", folds, epochs, programs=1),
        Work("study", 0, 0, programs=programs),
        *_list_study(config, settings.count_trial_seeds(config) * folds, trials),
        Work("confirm", candidates * confirm.seeds * folds, confirm_epochs, programs=new_programs, shares=True),
        *_list_refit(config, confirm_epochs),
        Work("diagnose", ablations * folds, confirm_epochs, programs=int(ablations > 0)),
        *_list_landscape(config, confirm_epochs),
    ]


def _list_study(config: Config, lanes: int, trials: int) -> Iterator[Work]:
    """Yield the training between rungs, of a mean cohort of each bracket; cohorts in flight train together."""
    rules, together = build_rules(config), config.study.in_flight
    repeats = trials / rules.cohort_size / len(rules.brackets) / together
    for rungs in rules.brackets:
        for active, epochs in workload.list_rung_work(rules, rungs):
            shares = config.study.randomness == "paired"
            yield Work("study", active * lanes * together, epochs, repeats, shares=shares)


def _list_refit(config: Config, epochs: int) -> Iterator[Work]:
    if config.confirm.refit == "all":
        split = config.data.split
        share = 1 - split.test - (1 / split.folds if split.by == "folds" else split.validation)
        yield Work("confirm", config.confirm.members, (config.confirm.refit_epochs or epochs) / share, programs=1)


def _list_landscape(config: Config, epochs: int) -> Iterator[Work]:
    """Yield the training of the path, and the losses of both maps and of the lines."""
    options = config.diagnose.landscape
    if options.points:
        seeds = min(options.seeds, config.confirm.seeds)
        points = 2 * options.points**2 + seeds * landscape.LINE_POINTS
        losses = points * len(landscape.SPLIT_NAMES) * options.examples
        yield Work("diagnose", seeds, epochs, programs=3, losses=losses)
