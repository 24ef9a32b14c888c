"""The sections `augment`, `loss`, `optimizer` and `schedule` of params.yaml.

The kinds and their numbers, with defaults and bounds, come from the families in `thalweg.core`. Fields that all kinds
share are declared here, where a type checker sees them.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_bounds, list_defaults
from thalweg.schema.section import StrictModel, build_model_class, check_kind


def _list_number_fields(ops: Iterable[Op]) -> dict[str, Any]:
    """Return the type and the default of each number that any of the ops takes."""
    return {
        name: (Annotated[float, list_bounds(op)[name]], default)
        for op in ops
        for name, default in list_defaults(op).items()
    }


class NumbersConfig(StrictModel):
    """A section with further fields, numbers of a family in `thalweg.core`."""

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
    """A schedule; further fields are the numbers of its kind."""

    kind: str
    warmup: float = Field(schedules.COMMON_DEFAULTS["warmup"], ge=0.0)


_SCHEDULE = build_model_class(
    "Schedule",
    {"kind": (Literal[schedules.list_schedules()], ...), **_list_number_fields(schedules.KINDS)},
    ScheduleConfig,
)
Schedule = Annotated[SerializeAsAny[ScheduleConfig], BeforeValidator(_SCHEDULE.model_validate)]


class WeightPhase(StrictModel):
    """A new weight of a term from a share of training on."""

    start: float = Field(ge=0.0, le=1.0, description="share of training after which the phase begins")
    weight: float = Field(ge=0.0)
    ramp: float = Field(0.0, ge=0.0, le=1.0, description="share of training that the change takes; 0: at once")


class TermConfig(NumbersConfig):
    """A term of the loss; further fields are the numbers of its kind of loss."""

    kind: str
    weight: float = Field(1.0, ge=0.0)
    schedule: Schedule | None = None
    phases: dict[str, WeightPhase] = Field({}, description="in this order; each starts at the previous one's weight")


TERM_CONFIGS: dict[str, type[TermConfig]] = {
    family: build_model_class(
        family.capitalize(),
        {"kind": (Literal[losses.list_losses(family)], ...), **_list_number_fields(members)},
        TermConfig,
    )
    for family, members in losses.FAMILIES.items()
}


def validate_term(value: Any) -> TermConfig:
    """Validate a mapping as a term of the first family with its kind. A kind has the same numbers in every family."""
    if isinstance(value, TermConfig):
        return value
    terms: dict[str, type[TermConfig]] = {}
    for family, term in TERM_CONFIGS.items():
        terms |= {kind: term for kind in losses.list_losses(family) if kind not in terms}
    return terms[check_kind(value, list(terms))].model_validate(value)


class LossConfig(StrictModel):
    terms: dict[str, Annotated[SerializeAsAny[TermConfig], BeforeValidator(validate_term)]]
    balance: Literal[losses.BALANCES] = Field("none", description="how several terms are balanced")  # type: ignore[valid-type]


class OptimizerConfig(StrictModel):
    """An optimizer; further fields are the numbers of its kind, None where the kind's default applies."""

    kind: str
    learning_rate: float = Field(gt=0.0)
    clip: float | None = Field(None, gt=0.0, description="largest norm of a gradient; null: no limit")


_OPTIMIZER = build_model_class(
    "Optimizer",
    {
        "kind": (Literal[optimizers.list_optimizers()], ...),
        **{name: (number | None, None) for name, (number, _) in _list_number_fields(optimizers.KINDS).items()},
    },
    OptimizerConfig,
)
Optimizer = Annotated[SerializeAsAny[OptimizerConfig], BeforeValidator(_OPTIMIZER.model_validate)]
