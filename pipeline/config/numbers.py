"""The sections `augment`, `loss`, `optimizer` and `schedule` of params.yaml.

The kinds and their numbers, with defaults and bounds, come from the families in `thalweg.core`. Fields that all kinds
share are declared here, where a type checker sees them.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from thalweg.config.own_kinds import choose_section_class, choose_strengths_class, list_number_fields
from thalweg.config.tree import flatten_tree
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.schema.section import StrictModel, build_model_class, check_kind
from thalweg.system.members import is_dotted


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
    """Changed copies of the training images, and the strengths of their changes."""

    copies: int = Field(0, ge=0, le=100, description="changed copies of each training image")


def flatten_strengths(section: Any) -> Any:
    """Return a part of `augment` with the dotted path of each own augmentation as one key.

    The file may have a path as one key, or as keys within keys.
    """
    if not isinstance(section, dict):
        return section
    ours = OfflineConfig.model_fields
    own = {name: value for name, value in section.items() if name not in ours and isinstance(value, dict)}
    flat = {name: value for name, value in section.items() if name not in own}
    return flat | dict(flatten_tree(own))


def _validate_strengths(base: type[Any], *, is_searched: bool) -> BeforeValidator:
    def validate_section(value: Any) -> Any:
        if isinstance(value, NumbersConfig):
            return value
        flat = flatten_strengths(value)
        names = flat if isinstance(flat, dict) else ()
        return choose_strengths_class(names, base, is_searched=is_searched).model_validate(flat)

    return BeforeValidator(validate_section)


class AugmentConfig(StrictModel):
    """Random changes of the training images."""

    offline: Annotated[SerializeAsAny[OfflineConfig], _validate_strengths(OfflineConfig, is_searched=False)]
    online: Annotated[SerializeAsAny[Strengths], _validate_strengths(Strengths, is_searched=True)] = Field(
        description="new random changes in every training step, by their strength"
    )


class ScheduleConfig(NumbersConfig):
    """A schedule; further keys are the numbers of its kind."""

    kind: str
    warmup: float = Field(schedules.COMMON_DEFAULTS["warmup"], ge=0.0, description="epochs of linear rise from 0")


SCHEDULE: type[ScheduleConfig] = build_model_class(
    "Schedule",
    {"kind": (Literal[schedules.list_schedules()], ...), **list_number_fields(schedules.KINDS)},
    ScheduleConfig,
)


def _validate_schedule(value: Any) -> Any:
    if isinstance(value, ScheduleConfig):
        return value
    return choose_section_class("schedule", _get_kind(value), SCHEDULE).model_validate(value)


def _get_kind(value: Any) -> Any:
    return value.get("kind") if isinstance(value, dict) else None


Schedule = Annotated[SerializeAsAny[ScheduleConfig], BeforeValidator(_validate_schedule)]


class WeightPhase(StrictModel):
    """A new weight of a term from a share of training on."""

    start: float = Field(ge=0.0, le=1.0, description="share of training after which the phase begins")
    weight: float = Field(ge=0.0, description="the term's weight in this phase")
    ramp: float = Field(0.0, ge=0.0, le=1.0, description="share of training that the change takes; 0: at once")


class TermConfig(NumbersConfig):
    """A term of the loss; further keys are the numbers of its kind of loss."""

    kind: str
    weight: float = Field(1.0, ge=0.0, description="factor of the term in the sum")
    schedule: Schedule | None = Field(None, description="multiplies the weight by a factor that changes")
    phases: dict[str, WeightPhase] = Field({}, description="in this order; each starts at the previous one's weight")


TERM_CONFIGS: dict[str, type[TermConfig]] = {
    family: build_model_class(
        family.capitalize(),
        {"kind": (Literal[losses.list_losses(family)], ...), **list_number_fields(members)},
        TermConfig,
    )
    for family, members in losses.FAMILIES.items()
}
_ALL_LOSSES = [loss for members in losses.FAMILIES.values() for loss in members]
OWN_TERM: type[TermConfig] = build_model_class("Term", list_number_fields(_ALL_LOSSES), TermConfig)
"""A term whose loss is own code, which may stand beside losses of any family in a study."""


def validate_term(value: Any) -> TermConfig:
    """Validate a mapping as a term of the first family with its kind. A kind has the same numbers in every family."""
    if isinstance(value, TermConfig):
        return value
    if is_dotted(kind := _get_kind(value)):
        own_term: TermConfig = choose_section_class("loss", kind, OWN_TERM).model_validate(value)
        return own_term
    terms: dict[str, type[TermConfig]] = {}
    for family, section in TERM_CONFIGS.items():
        terms |= {name: section for name in losses.list_losses(family) if name not in terms}
    term: TermConfig = choose_section_class("loss", kind, terms[check_kind(value, list(terms))]).model_validate(value)
    return term


class LossConfig(StrictModel):
    """The weighted sum of the task's terms."""

    terms: dict[str, Annotated[SerializeAsAny[TermConfig], BeforeValidator(validate_term)]] = Field(
        description="each term of the task's loss"
    )
    balance: Literal[losses.BALANCES] = Field("none", description="how several terms are balanced")  # type: ignore[valid-type]


class OptimizerConfig(StrictModel):
    """An optimizer; further keys are the numbers of its kind, null where the kind's default applies."""

    kind: str
    learning_rate: float = Field(gt=0.0, description="peak size of a step; the schedule scales it")
    clip: float | None = Field(None, gt=0.0, description="largest norm of a gradient; null: no limit")


OPTIMIZER: type[OptimizerConfig] = build_model_class(
    "Optimizer",
    {"kind": (Literal[optimizers.list_optimizers()], ...), **list_number_fields(optimizers.KINDS, optional=True)},
    OptimizerConfig,
)


def _validate_optimizer(value: Any) -> Any:
    if isinstance(value, OptimizerConfig):
        return value
    return choose_section_class("optimizer", _get_kind(value), OPTIMIZER, optional=True).model_validate(value)


Optimizer = Annotated[SerializeAsAny[OptimizerConfig], BeforeValidator(_validate_optimizer)]
