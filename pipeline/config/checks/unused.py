"""What is searched and could not matter: numbers that no kind takes, a rise that leaves a training nothing."""

from collections.abc import Iterator
from typing import Any

from thalweg.config.numbers import OptimizerPart, SchedulePart
from thalweg.config.study import Parameter
from thalweg.core import hyperparameters, losses, optimizers, schedules
from thalweg.schema.problem import Problem, Tree


def unused_parameters(tree: Tree, space: dict[str, Parameter]) -> Iterator[Problem]:
    """Searched numbers that no kind takes which the search can meet: their slices would show nothing but noise."""
    for name in space:
        *parents, last = name.split(".")
        taken = _of_kinds(parents)
        met = [kind for kind in _kinds(tree, space, parents) if kind in taken]
        by_any, by_these = (set[str]().union(*(taken[kind] for kind in kinds)) for kinds in (taken, met))
        if met and last in by_any - by_these:
            what = f"plays no part: {' and '.join(f'`{kind}`' for kind in met)} "
            what += f"{'takes' if len(met) == 1 else 'take'} no such number"
            yield Problem(("study", "space", name), what, tuple(sorted(by_these)))


def _kinds(tree: Tree, space: dict[str, Parameter], parents: list[str]) -> list[str]:
    """The kinds of a part that the search can meet: the file's, or those that are searched."""
    name = ".".join([*parents, "kind"])
    if name in tree["study"]["space"]:  # and not in `space` where it is wrong, so that nothing is known
        return [str(kind) for kind in (space[name].choices or ())] if name in space else []
    part: Any = tree
    for name in parents:
        part = part.get(name) if isinstance(part, dict) else None
    return [str(part["kind"])] if isinstance(part, dict) and "kind" in part else []


def _of_kinds(parents: list[str]) -> dict[str, set[str]]:
    """What can be searched of each kind of optimizer, schedule or loss; nothing for other parts."""
    if parents == ["optimizer"]:
        common = set(OptimizerPart.model_fields)
        return {kind: {*optimizers.numbers_of(kind), *common} for kind in optimizers.names()}
    if parents == ["schedule"]:
        common = set(SchedulePart.model_fields)
        return {member.__name__: {*hyperparameters.defaults(member), *common} for member in schedules.KINDS}
    if parents[:2] == ["loss", "terms"]:
        members = [member for family in losses.FAMILIES.values() for member in family]
        return {member.__name__: {*hyperparameters.defaults(member), "kind", "weight"} for member in members}
    return {}


def warmup_problems(space: dict[str, Parameter]) -> Iterator[Problem]:
    """The longest rise that is searched in the shortest training: each may be good by itself."""
    rise, lengths = space.get("schedule.warmup"), space.get("training.epochs")
    if rise is None or lengths is None or not lengths.choices:
        return
    longest = max([value for value in (rise.high, *(rise.choices or ())) if isinstance(value, int | float)], default=0)
    met = rise.when.get("training.epochs", lengths.choices)
    shortest = min((value for value in met if isinstance(value, int)), default=longest + 1)
    if longest >= shortest:
        what = f"a rise of {longest:g} leaves none of the {shortest} epochs of the shortest training that is searched"
        yield Problem(("study", "space", "schedule.warmup"), what)
