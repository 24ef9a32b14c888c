"""The section `study` of params.yaml: the search space, the sampler, and when to stop."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from thalweg.config.tree import flatten_tree, remove_paths, replace_values
from thalweg.config.write import format_inline
from thalweg.schema.problem import MAX_QUOTED_CHARACTERS, ParamsTree
from thalweg.schema.section import StrictModel, Strings
from thalweg.system.members import is_dotted


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _validate_scalar(value: Any) -> Any:
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise PydanticCustomError("scalar", "must be text, a number, true, false or null")


def _validate_values(value: Any) -> Any:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise PydanticCustomError("space", "must name at least one value")
    return tuple(_validate_scalar(value) for value in values)


Scalar = bool | int | float | str | None
Value = Annotated[Scalar, BeforeValidator(_validate_scalar)]
ConditionValues = Annotated[
    tuple[Scalar, ...], BeforeValidator(_validate_values, json_schema_input_type=Scalar | tuple[Scalar, ...])
]


NULL = "null"
"""How tables write the choice null; an empty cell means that the trial does not use the parameter."""


class ParameterConfig(StrictModel):
    """A searched parameter: a range or choices."""

    low: float | None = Field(None, description="lowest value of a range")
    high: float | None = Field(None, description="highest value of a range")
    log: bool = Field(False, description="search the logarithm")
    whole: bool = Field(False, description="whole numbers only")
    points: int | None = Field(None, ge=1, description="number of values that sampler: grid takes from the range")
    choices: Annotated[tuple[Value, ...], Strict(False)] | None = Field(
        None, description="values, in place of a range; null where a setting may be empty"
    )
    role: Literal["scientific", "nuisance"] = Field("nuisance", description="what to compare, or what to tune for it")
    when: dict[str, ConditionValues] = Field({}, description="values of other parameters that make this one active")

    @classmethod
    def suggest_value(cls, value: Any) -> str:
        values = value if isinstance(value, list) else []
        low, high = values if len(values) == 2 and all(map(_is_number, values)) else ("…", "…")
        listed = json.dumps(value, ensure_ascii=False, default=str)
        choices = f"`{{choices: {listed if values and len(listed) <= MAX_QUOTED_CHARACTERS else '[…]'}}}`"
        return choices if values and low == "…" else f"`{{low: {low}, high: {high}}}` for a range, or {choices}"

    @model_validator(mode="after")
    def _check_range_or_choices(self) -> "ParameterConfig":
        if self.choices is None:
            if self.low is None or self.high is None:
                raise PydanticCustomError("space", "needs `low` and `high`, or `choices`")
            if not self.low < self.high:
                raise PydanticCustomError("space", "`low` must be below `high`")
            if self.log and self.low <= 0:
                raise PydanticCustomError("space", "`low` must be above 0 where `log` is true")
            if self.whole and not (self.low.is_integer() and self.high.is_integer()):
                raise PydanticCustomError("space", "`low` and `high` must be whole where `whole` is true")
        elif any((self.low is not None, self.high is not None, self.log, self.whole, self.points)):
            message = "has `choices`, so it cannot have `low`, `high`, `log`, `whole` or `points`"
            raise PydanticCustomError("space", message)
        elif len(set(self.choices)) < len(self.choices) or not self.choices:
            raise PydanticCustomError("space", "`choices` needs at least one value and no value twice")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """`low` and `high` of a parameter without choices."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    def describe_values(self) -> str:
        """Describe its choices or its range."""
        if self.choices is not None:
            return format_inline(list(self.choices))
        return f"{'whole numbers from ' if self.whole else ''}{self.low} to {self.high}"

    def has_value(self, value: Any) -> bool:
        """Return whether a value is among the choices or in the range."""
        if self.choices is not None:
            return value in self.choices
        low, high = self.range
        return _is_number(value) and bool(low <= value <= high) and (not self.whole or value == int(value))

    def is_active(self, setting: dict[str, Any]) -> bool:
        """Return whether the other parameters' values make this one active."""
        return all(name in setting and setting[name] in values for name, values in self.when.items())


def sort_space(space: Mapping[str, ParameterConfig]) -> list[tuple[str, ParameterConfig]]:
    """Return the parameters of a search space by name, each after its conditions."""
    unsorted = dict(sorted(space.items()))
    parameters = []
    while unsorted:
        ready = [name for name, parameter in unsorted.items() if not parameter.when.keys() & unsorted.keys()]
        assert ready, "the checks exclude circular conditions"
        parameters.append((ready[0], unsorted.pop(ready[0])))
    return parameters


def apply_setting(tree: ParamsTree, values: Mapping[str, Any], space: Mapping[str, ParameterConfig]) -> ParamsTree:
    """Return a copy of the tree with other values at dotted paths.

    A size of the model whose `when` does not hold is left out: the model of another kind may have no such size.
    """
    changed = replace_values(tree, values)
    now = dict(flatten_tree(changed))
    sizes = [name for name in space if name.startswith("model.") and name not in values]
    kept: ParamsTree = remove_paths(changed, [name.split(".") for name in sizes if not space[name].is_active(now)])
    return kept


def find_cohort_error(trials: int, cohort: int) -> str:
    """Return an error with the nearest multiples of `cohort` if `trials` is not one of them, else ''."""
    nearest = " or ".join(str(n * cohort) for n in (trials // cohort, trials // cohort + 1) if n)
    return f"{trials} is not a multiple of study.cohort, {cohort}; use {nearest}" if trials % cohort else ""


class PruneConfig(StrictModel):
    """Successive halving: after each rung the best 1 / eta of a cohort continue."""

    @classmethod
    def suggest_value(cls, value: Any) -> str:  # noqa: ARG003
        return "`{first: 4, eta: 2}`, or `null` to stop no trial early"

    first: int = Field(ge=1, description="epochs to the first rung; each further rung is eta times as far")
    eta: int = Field(3, ge=2, description="one in so many trials continues after a rung")
    brackets: int = Field(1, ge=1, description="2: every other cohort skips the first rung; 3: …")
    audit: float = Field(0.1, ge=0.0, le=1.0, description="share of the stopped trials to train on, as a check")


class ConstraintConfig(StrictModel):
    """Bounds on a metric at a trial's best validation."""

    @classmethod
    def suggest_value(cls, value: Any) -> str:
        return f"`{{low: {value}}}`, `{{high: {value}}}` or both" if _is_number(value) else "`{low: …, high: …}`"

    low: float | None = Field(None, description="lowest value that is allowed")
    high: float | None = Field(None, description="highest value that is allowed")

    @model_validator(mode="after")
    def _check_bounds(self) -> "ConstraintConfig":
        if self.low is None and self.high is None:
            raise PydanticCustomError("space", "needs `low` or `high`")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise PydanticCustomError("space", "`low` must not be above `high`")
        return self

    def compute_excess(self, value: float) -> float:
        """Return by how much a value violates the bounds; 0 or less: it satisfies them."""
        sides = [] if self.low is None else [self.low - value]
        return max([*sides, *([] if self.high is None else [value - self.high])])


class StopConfig(StrictModel):
    """Limits after which no further cohort starts, so that a study ends early."""

    @classmethod
    def suggest_value(cls, value: Any) -> str:
        return f"`{{epochs: {value if _is_number(value) else '…'}}}`, or `{{}}` to run all trials"

    epochs: int | None = Field(None, ge=1, description="epochs trained, summed over all runs")
    seconds: float | None = Field(None, gt=0.0, description="seconds of work; the end then varies from run to run")
    gain: float | None = Field(None, gt=0.0, description="least expected gain of the objective from the next cohort")


SAMPLERS = ("tpe", "random", "quasi_random", "grid", "nsga2", "cmaes", "gp")


def _validate_sampler(value: Any) -> Any:
    """Refuse what is neither a sampler nor the dotted path of an own one."""
    if value not in SAMPLERS and not is_dotted(value):
        raise PydanticCustomError("literal_error", "is not known", {"expected": ", ".join(SAMPLERS)})
    return value


class StudyConfig(StrictModel):
    """The search: what is tried, how, and by which metric trials are ranked."""

    name: str = Field("study", description="name in Optuna's storage, beside a fingerprint")
    sampler: Annotated[str, BeforeValidator(_validate_sampler)] = Field("tpe", description="how trials are proposed")
    trials: int = Field(ge=1, description="number of trials, a multiple of cohort")
    cohort: int = Field(ge=1, description="trials proposed together; trials is a multiple of it")
    in_flight: int = Field(1, ge=1, description="cohorts trained at once; each is proposed from the finished ones")
    seeds: int = Field(1, ge=1, description="seeds per trial (and fold); their mean counts")
    randomness: Literal["paired", "independent"] = Field(
        "paired", description="paired: trials share initial weights, batches and augmentations"
    )
    objective: str = Field(description="metric on the validation set by which trials are ranked")
    also: Strings = Field((), description="further objectives; the result is a Pareto front")
    constraints: dict[str, ConstraintConfig] = Field({}, description="bounds on metrics that a winner must satisfy")
    smallest_effect: float | None = Field(
        None, gt=0.0, description="smallest difference of the objective that counts; null: one deviation of seeds"
    )
    prune: PruneConfig | None = Field(None, description="stops bad trials early; null: every trial trains to its end")
    stop: StopConfig = StopConfig()
    enqueue: Annotated[tuple[dict[str, Value], ...], Strict(False)] = Field(
        (), description="trials to run after the first, each a mapping from paths to values"
    )
    space: dict[str, ParameterConfig] = Field(description="what to search, by path")
