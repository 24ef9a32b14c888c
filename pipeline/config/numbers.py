"""The parts of params.yaml that hold a training's numbers: augmentation, loss, optimizer, schedule.

Kinds and numbers, with their defaults and bounds, are read from the families in `thalweg.core`. What every kind has is
declared here, so that a type checker knows it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_bounds, list_defaults
from thalweg.schema.section import StrictModel, build_model_class, check_kind


def _list_number_fields(ops: Iterable[Op]) -> dict[str, Any]:
    """The type and the default of each number that any of these members takes."""
    found: dict[str, Any] = {}
    for member in ops:
        found |= {
            name: (Annotated[float, list_bounds(member)[name]], value) for name, value in list_defaults(member).items()
        }
    return found


class NumbersConfig(StrictModel):
    """A part whose further fields are numbers that a family in `thalweg.core` names."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> float: ...


if TYPE_CHECKING:
    Strengths = NumbersConfig
else:
    _strength = (float, Field(0.0, ge=0.0, le=1.0))
    Strengths = build_model_class(
        "Strengths", dict.fromkeys(augmentations.list_augmentations(), _strength), base=NumbersConfig
    )


class OfflineConfig(Strengths):
    copies: int = Field(0, ge=0, le=100)


class AugmentConfig(StrictModel):
    offline: OfflineConfig
    online: Strengths


class ScheduleConfig(NumbersConfig):
    """Beside what is here a schedule has the numbers of its kind."""

    kind: str
    warmup: float = Field(schedules.COMMON_DEFAULTS["warmup"], ge=0.0)


_SCHEDULE = build_model_class(
    "Schedule",
    {"kind": (Literal[schedules.list_schedules()], ...), **_list_number_fields(schedules.KINDS)},
    ScheduleConfig,
)
Schedule = Annotated[SerializeAsAny[ScheduleConfig], BeforeValidator(_SCHEDULE.model_validate)]


class WeightPhase(StrictModel):
    """From a share of training on, another weight of a term."""

    start: float = Field(ge=0.0, le=1.0, description="share of training after which it begins")
    weight: float = Field(ge=0.0)
    ramp: float = Field(0.0, ge=0.0, le=1.0, description="share of training that the change takes; 0: at once")


class TermConfig(NumbersConfig):
    """Beside what is here a term has the numbers of its kind of loss."""

    kind: str
    weight: float = Field(1.0, ge=0.0)
    schedule: Schedule | None = None
    phases: dict[str, WeightPhase] = Field({}, description="in this order, each from where the last one ended")


TERM_CONFIGS: dict[str, type[TermConfig]] = {
    family: build_model_class(
        family.capitalize(),
        {"kind": (Literal[losses.list_losses(family)], ...), **_list_number_fields(members)},
        TermConfig,
    )
    for family, members in losses.FAMILIES.items()
}


def validate_term(value: Any) -> TermConfig:
    """Validate a mapping as a term of the first family that has its kind, whose numbers are the same in all."""
    if isinstance(value, TermConfig):
        return value
    kind = check_kind(
        value, list(dict.fromkeys(name for family in TERM_CONFIGS for name in losses.list_losses(family)))
    )
    return next(term for family, term in TERM_CONFIGS.items() if kind in losses.list_losses(family)).model_validate(
        value
    )


class LossConfig(StrictModel):
    terms: dict[str, Annotated[SerializeAsAny[TermConfig], BeforeValidator(validate_term)]]
    balance: Literal[losses.BALANCES] = Field("none", description="how several terms are balanced")  # type: ignore[valid-type]


class OptimizerConfig(StrictModel):
    """Beside what is here an optimizer has the numbers of its kind, with the kind's defaults, and no others."""

    kind: str
    learning_rate: float = Field(gt=0.0)
    clip: float | None = Field(None, gt=0.0, description="largest norm of a gradient; null: as it is")


_OPTIMIZER = build_model_class(
    "Optimizer",
    {
        "kind": (Literal[optimizers.list_optimizers()], ...),
        **{name: (number | None, None) for name, (number, _) in _list_number_fields(optimizers.KINDS).items()},
    },
    OptimizerConfig,
)
Optimizer = Annotated[SerializeAsAny[OptimizerConfig], BeforeValidator(_OPTIMIZER.model_validate)]
