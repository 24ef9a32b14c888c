"""params.yaml as frozen, typed parts; `thalweg.config.load` reads and checks the file.

A part that comes in kinds (data source, task) is the object that does the work: `config.task.targets(...)`.
"""

import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_origin

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SerializeAsAny, Strict, model_validator
from pydantic_core import PydanticCustomError

from thalweg import models
from thalweg.config.study import StudyPart
from thalweg.core import augmentations, hyperparameters, losses, optimizers, schedules
from thalweg.core.network import load, sizes
from thalweg.data.examples import Source
from thalweg.data.splits import Split
from thalweg.schema.section import Section, Strings, create, kind_of, member_of
from thalweg.tasks.base import Task


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError("pattern", "is no regular expression ({why})", {"why": str(error)}) from None
    return value


class DataPart(Section):
    path: str = Field(description="folder that holds the source's files; a source that draws its examples ignores it")
    source: Annotated[SerializeAsAny[Source], BeforeValidator(member_of("thalweg.data.sources"))]
    on_bad: Literal["error", "skip"] = "error"
    background: Annotated[str, AfterValidator(_pattern)] = Field(
        "", description="regular expression that finds the camera's name in a group; its median frame is taken off"
    )
    split: Split


_strength = (float, Field(0.0, ge=0.0, le=1.0))
Strengths = create("Strengths", {m.__name__: _strength for m in augmentations.PHOTOMETRIC + augmentations.GEOMETRIC})


Offline = create("Offline", {"copies": (int, Field(0, ge=0, le=100))}, base=Strengths)


class AugmentPart(Section):
    offline: Annotated[Any, BeforeValidator(Offline.model_validate)]
    online: Annotated[Any, BeforeValidator(Strengths.model_validate)]


class ModelPart(Section):
    """`kind` is a file in models/ or the dotted path of a class; the other keys are the sizes it takes."""

    model_config = ConfigDict(extra="allow")
    kind: str

    @model_validator(mode="after")
    def _sizes_exist(self) -> "ModelPart":
        """Sizes are checked against the model's constructor; those not given are its own defaults."""
        if "." not in self.kind and self.kind not in MODELS:
            raise PydanticCustomError("kind", "is not known", {"given": self.kind, "allowed": [*MODELS, "dotted.path"]})
        try:
            known = sizes(self.kind)
            if not isinstance(load(self.kind), type):
                raise TypeError("it is not a class")
        except Exception as error:  # a person's own file can raise anything
            why = {"why": f"{error}" or type(error).__name__}
            raise PydanticCustomError("model", "`kind` names a model that cannot be loaded ({why})", why) from None
        ours = "." not in self.kind
        typed = {
            name: (_loose(p.annotation, ours), ... if p.default is p.empty else p.default) for name, p in known.items()
        }
        extra = self.__pydantic_extra__
        assert extra is not None
        extra |= create("Sizes", typed).model_validate(extra).model_dump()
        return self

    @property
    def sizes(self) -> tuple[tuple[str, Any], ...]:
        extra = self.__pydantic_extra__ or {}
        return tuple(sorted((n, tuple(v) if isinstance(v, list) else v) for n, v in extra.items()))


MODELS = tuple(sorted(file.name for file in pkgutil.iter_modules(models.__path__) if file.name != "layers"))


def _loose(annotation: Any, ours: bool) -> Any:
    """The type of a size as it is checked: a list serves as a tuple; what is annotated by text alone is not checked.

    In `ours`, the models in models/, whole numbers are 1 or more and no list is empty.
    """
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return Any
    if get_origin(annotation) is tuple:
        return Annotated[annotation, Strict(False), Field(min_length=1 if ours else 0)]
    return Annotated[int, Field(ge=1)] if ours and annotation is int else annotation


def _bounds(name: str, default: float) -> tuple[Any, Any]:
    """A number of a loss or schedule: what it is divided by is above 0, a share lies in 0..1."""
    if name in ("delta", "epsilon", "every", "period"):
        return float, Field(default, gt=0.0)
    if name in ("smoothing", "peak_at", "start", "final"):
        return float, Field(default, ge=0.0, le=1.0)
    return float, Field(default, ge=0.0)


_shapes = {name: default for member in schedules.KINDS for name, default in hyperparameters.defaults(member).items()}
SchedulePart = create(
    "SchedulePart",
    {"kind": (Literal[schedules.names()], ...)}
    | {name: _bounds(name, default) for name, default in (schedules.COMMON | _shapes).items()},
)


class Phase(Section):
    """From a share of training on, another weight of a term."""

    start: float = Field(ge=0.0, le=1.0, description="share of training after which it begins")
    weight: float = Field(ge=0.0)
    ramp: float = Field(0.0, ge=0.0, le=1.0, description="share of training that the change takes; 0: at once")


def _schedule_or_none(value: Any) -> Any:
    return None if value is None else SchedulePart.model_validate(value)


def _term(name: str) -> type[Section]:
    members = losses.FAMILIES[name]
    union = {number: default for member in members for number, default in hyperparameters.defaults(member).items()}
    return create(
        name.capitalize(),
        {
            "kind": (Literal[losses.names(name)], ...),
            "weight": (float, Field(1.0, ge=0.0)),
            "schedule": (Annotated[Any, BeforeValidator(_schedule_or_none)], None),
            "phases": (dict[str, Phase], Field({}, description="in this order, each from where the last one ended")),
        }
        | {number: _bounds(number, default) for number, default in union.items()},
    )


TERMS = {family: _term(family) for family in losses.FAMILIES}


def _any_term(value: Any) -> Any:
    """The family is told by the kind: of those that have it the first, as its numbers are the same in all."""
    if isinstance(value, Section):
        return value
    kind = kind_of(value, list(dict.fromkeys(name for family in TERMS for name in losses.names(family))))
    return next(term for family, term in TERMS.items() if kind in losses.names(family)).model_validate(value)


_BALANCES = losses.BALANCES


class LossPart(Section):
    terms: dict[str, Annotated[Any, BeforeValidator(_any_term)]]
    balance: Literal[_BALANCES] = Field("none", description="how several terms are balanced")  # type: ignore[valid-type]


class OptimizerPart(Section):
    """Numbers that a kind does not take are left out of it; those not given are the kind's own defaults."""

    kind: Literal[optimizers.names()]  # type: ignore[valid-type]
    learning_rate: float = Field(gt=0.0)
    momentum: float | None = Field(None, ge=0.0, lt=1.0, description="for adam, adamw and lion: beta 1")
    b2: float | None = Field(None, ge=0.0, lt=1.0)
    eps: float | None = Field(None, gt=0.0)
    weight_decay: float | None = Field(None, ge=0.0)
    clip: float | None = Field(None, gt=0.0, description="largest norm of a gradient; null: as it is")


class TrainingPart(Section):
    epochs: int = Field(ge=1)
    batch_size: int = Field(64, ge=1)
    validate_every: int = Field(1, ge=1, description="epochs between validations; divides epochs")
    patience: int = Field(0, ge=0, description="validations without a better objective before stopping; 0: never")


class ConfirmPart(Section):
    seeds: int = Field(8, ge=2)
    runners_up: int = Field(2, ge=0)
    epochs: int | None = Field(None, ge=1, description="train so long here; null: as long as in the study")
    refit: Literal["none", "all"] = "none"
    refit_epochs: int | None = Field(None, ge=1, description="train so long in the refit; null: as long as confirmed")
    members: int = Field(
        1, ge=1, description="seeds in the final model, each a network or one a fold, whose predictions are averaged"
    )


class LandscapePart(Section):
    """A survey of the ground that the winner ended on; its time goes with points^2 * examples."""

    points: int = Field(0, ge=0, le=201, description="places a side of each map; 0: no survey")
    examples: int = Field(128, ge=2, description="of train, and as many of validation, that the loss is measured on")
    seeds: int = Field(3, ge=1, description="minima that are joined by lines: the winner's first confirmed seeds")


class DiagnosePart(Section):
    """What is asked of the winner beside how good it is."""

    seeds: int = Field(4, ge=0, description="of the confirmed seeds, the first so many; 0: it is not trained with less")
    shares: Annotated[tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...], Strict(False)] = Field(
        (0.25, 0.5), description="shares of the images to train on"
    )
    landscape: LandscapePart = LandscapePart()
    gradients: bool = Field(False, description="hold backpropagation against numerical derivatives")


class EnginePart(Section):
    """How it is computed, which changes no more than the last bits."""

    width: int | None = Field(None, ge=1, description="lanes at once on an accelerator; null: as many as are useful")


RENAMED_SECTIONS = {"made": "provenance", "slices": "parameters", "terms": "loss_terms", "worst": "errors"}
"""Names that sections had before version 0.2, which still serve."""


class ReportPart(Section):
    title: str = "Study"
    sections: Annotated[Strings, AfterValidator(lambda names: tuple(RENAMED_SECTIONS.get(n, n) for n in names))] = ()


class Config(Section):
    """The whole experiment."""

    seed: int = Field(ge=0, lt=2**31)
    data: DataPart
    augment: AugmentPart
    task: Annotated[SerializeAsAny[Task], BeforeValidator(member_of("thalweg.tasks"))]
    model: ModelPart
    loss: LossPart
    optimizer: OptimizerPart
    schedule: Annotated[Any, BeforeValidator(SchedulePart.model_validate)]
    training: TrainingPart
    study: StudyPart
    confirm: ConfirmPart
    diagnose: DiagnosePart = DiagnosePart()
    engine: EnginePart = EnginePart()
    report: ReportPart

    def replace(self, values: dict[str, Any]) -> "Config":
        """This experiment with other values at dotted paths, checked as a whole file is."""
        tree = self.model_dump()
        for path, value in values.items():
            *parents, last = path.split(".")
            part = tree
            for name in parents:
                part = part[name]
            part[last] = value
        return Config.model_validate(tree)


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested mapping with its dotted path."""
    for name, value in tree.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(value, dict):
            yield from leaves(value, here)
        else:
            yield here, value
