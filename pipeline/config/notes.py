"""What `thalweg check` says of a valid file: how many settings it tries, and what is probably not intended."""

from collections.abc import Iterator

from thalweg.config import levels, settings, spaces
from thalweg.config.experiment import Config
from thalweg.config.numbers import OptimizerConfig
from thalweg.config.study import StopConfig
from thalweg.config.tree import flatten_tree
from thalweg.config.write import format_inline
from thalweg.core import optimizers
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS
from thalweg.system.counts import format_count


def list_notes(config: Config) -> Iterator[str]:
    """Return hints about settings that are allowed but probably not intended."""
    study, cohorts = config.study, config.study.trials // config.study.cohort
    if not study.space:
        yield "study.space is empty, so every trial uses the values in this file"
    is_planned = bool(settings.list_planned_settings(config))
    if cohorts < 8 and not is_planned and study.sampler in ("tpe", "nsga2", "cmaes", "gp"):
        advice = "use 8 or more (lower study.cohort or raise study.trials)"
        yield f"study.sampler: {study.sampler} learns little from {format_count(cohorts, 'cohort')}; {advice}"
    if study.prune is not None and study.cohort == 1:
        yield "study.prune has no effect with cohort: 1, because trials are compared within their cohort"
    cycles = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    kinds = study.space["schedule.kind"].choices or () if "schedule.kind" in cycles else (config.schedule.kind,)
    if study.prune is not None and cycles and "restarts" in kinds:
        restart = "a restart (`schedule.kind: restarts`)"
        yield f"study.prune may compare trials right after {restart}; each trial's best value so far counts"
    if "training.epochs" in study.space and config.confirm.epochs is not None:
        epochs = format_count(config.confirm.epochs, "epoch")
        yield f"confirm.epochs: confirmed trials train for {epochs}, whichever training.epochs they were searched with"
    if "optimizer.kind" not in study.space:
        kind, numbers = config.optimizer.kind, config.optimizer.model_dump(exclude_none=True).keys()
        used = OptimizerConfig.model_fields.keys() | optimizers.list_optimizer_defaults(kind).keys()
        for name in sorted(numbers - used):
            yield f"optimizer.{name} is never used: `{kind}` has no parameter `{name}`"
    yield from _list_rare_levels(config)
    if outside := list(_describe_outside_values(config)):
        yield f"values in this file are outside the search space, so they are not the first trial: {', '.join(outside)}"


def _describe_outside_values(config: Config) -> Iterator[str]:
    """Yield each searched parameter whose value in the file lies outside the space, with what the space allows."""
    file_values, written = spaces.list_file_values(config), dict(flatten_tree(config.dump_written()))
    for name, parameter in spaces.list_outside_values(config).items():
        value = f"is {format_inline(file_values[name])}" if name in file_values else "has no value"
        value += "" if name in written or name not in file_values else " by default"
        yield f"{name} {value} (study.space: {parameter.describe_values()})"


def _list_rare_levels(config: Config) -> Iterator[str]:
    """Return a hint for each scientific parameter whose values get too few trials to come to their own best."""
    trials, cohort = config.study.trials, config.study.cohort
    for name, parameter in levels.list_scientific(config):
        count = len(levels.divide_parameter(parameter))
        if trials // count < MIN_LEVEL_TRIALS:
            values = f"{count} thirds" if parameter.choices is None and not parameter.whole else f"{count} values"
            needed = -(-MIN_LEVEL_TRIALS * count // cohort) * cohort
            most = "at most " if parameter.when else ""  # a trial may switch it off
            enough = f"and {MIN_LEVEL_TRIALS} are needed" if parameter.when else "enough"
            yield (
                f"{name} has {values}, and {format_count(trials, 'trial')} give each of them {most}{trials // count}; "
                f"study.trials: {needed} gives each {most}{needed // count}, {enough} to come to its own best"
            )


def describe_settings(config: Config) -> str:
    """Describe how many settings a finite space or a grid has, and how often each is trained; '' if it is infinite."""
    study, is_grid = config.study, config.study.sampler == "grid"
    count, planned = settings.count_settings(config), len(settings.list_planned_settings(config))
    if count is None:
        return ""
    start = (
        f"the grid has {format_count(count, 'point')}"
        if is_grid
        else f"the space has {format_count(count, 'combination')}"
    )
    trials = format_count(study.trials, "trial")
    if missing := describe_missing_points(config):
        return f"{start}; {trials}: the study {missing}"
    if not planned:
        return f"{start}; {trials}: sampler {study.sampler} chooses which"
    start += f", and {format_count(planned - count, 'combination')} off it" if planned > count else ""
    start, (rounds, remainder) = f"{start}; {trials}: {'each' if planned > 1 else 'it'}", divmod(study.trials, planned)
    if study.randomness == "independent":
        if remainder:
            return f"{start} is trained with {study.seeds * rounds} to {study.seeds * (rounds + 1)} seeds"
        return f"{start} is trained with {format_count(study.seeds * rounds, 'seed')}"
    text = f"{start} is trained with {format_count(settings.count_trial_seeds(config), 'seed')}"
    if study.trials > planned and study.stop != StopConfig():
        return f"{text}, because study.stop limits the study; for more, raise study.seeds"
    return text + (f"; {format_count(remainder, 'trial')} left over" if remainder else "")


def describe_missing_points(config: Config) -> str:
    """Describe which share of its grid a study leaves out; '' if it covers its grid, or has none."""
    study = config.study
    count = settings.count_settings(config) if study.sampler == "grid" else None
    planned = len(settings.list_planned_settings(config))
    if count is None or planned < study.trials:
        return ""
    tried = settings.count_grid_points_tried(config)
    if tried == count:
        return ""
    needed = -(-(count + planned - tried) // study.cohort) * study.cohort
    return f"tries {tried:,} of {count:,} grid points; `study.trials: {needed}` tries all"
