"""The frozen, typed sections of params.yaml; `thalweg.config.load` reads and checks the file.

A data source or a task is itself the object that does the work: `config.task.build_targets(...)`.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, Strict, model_validator
from pydantic_core import PydanticCustomError

from thalweg.config.model import ModelConfig
from thalweg.config.numbers import AugmentConfig, LossConfig, Optimizer, Schedule
from thalweg.config.own_kinds import know_own_kinds
from thalweg.config.study import StudyConfig, apply_setting
from thalweg.core.network import Precision
from thalweg.data.examples import DataSource
from thalweg.data.splits import SplitConfig
from thalweg.schema.problem import ParamsTree
from thalweg.schema.section import StrictModel, Strings, build_member_validator
from thalweg.tasks import Task


def _check_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError("pattern", "is not a regular expression ({why})", {"why": str(error)}) from None
    return value


class DataConfig(StrictModel):
    """Where images and labels come from, and how they are divided."""

    path: str = Field(
        min_length=1, description="folder with the source's files; a source that draws its examples ignores it"
    )
    source: Annotated[
        SerializeAsAny[DataSource], BeforeValidator(build_member_validator("thalweg.data.sources", DataSource))
    ]
    on_bad: Literal["error", "skip"] = Field(
        "error", description="error: stop and list all bad examples; skip: leave them out and report them"
    )
    background: Annotated[str, AfterValidator(_check_pattern)] = Field(
        "", description="regular expression that finds the camera's name in a group; its median frame is subtracted"
    )
    split: SplitConfig


class TrainingConfig(StrictModel):
    """How long a network trains."""

    epochs: int = Field(ge=1, description="passes over the training set")
    batch_size: int = Field(64, ge=1, description="images in a mini-batch")
    validate_every: int = Field(1, ge=1, description="epochs between validations; divides epochs")
    patience: int = Field(0, ge=0, description="validations without a better objective before stopping; 0: never")
    precision: Precision = Field(
        "float32",
        description="type of the numbers in the network's products; weights, optimizer and sums stay float32. "
        "tf32 takes effect on a GPU only",
    )


class ConfirmConfig(StrictModel):
    """The best trials and the baseline, trained again on fresh seeds."""

    seeds: int = Field(8, ge=2, description="fresh seeds for each candidate")
    runners_up: int = Field(2, ge=0, description="candidates beside the best trial and the baseline")
    questions: bool = Field(True, description="also retrain the best trial of each value of a scientific parameter")
    epochs: int | None = Field(None, ge=1, description="epochs of each confirming run; null: as in the study")
    refit: Literal["none", "all"] = Field(
        "none", description="none: keep the confirmed networks; all: train again on all labelled images"
    )
    refit_epochs: int | None = Field(None, ge=1, description="epochs of the refit; null: as confirmed")
    members: int = Field(1, ge=1, description="seeds whose networks (one per fold) the final model averages")


class LandscapeConfig(StrictModel):
    """A map of the loss around the winner's weights; its time grows with points^2 * examples."""

    points: int = Field(0, ge=0, le=201, description="grid points per side of each map; 0: no map")
    examples: int = Field(
        128, ge=2, description="examples of the training and of the validation set to compute the loss on"
    )
    seeds: int = Field(3, ge=1, description="minima to connect by lines, from the first confirmed seeds")


class DiagnoseConfig(StrictModel):
    """Further experiments with the winner."""

    seeds: int = Field(4, ge=0, description="number of fresh seeds to train ablations on; 0: no ablations")
    shares: Annotated[tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...], Strict(False)] = Field(
        (0.25, 0.5), description="shares of the images to train on"
    )
    landscape: LandscapeConfig = LandscapeConfig()
    gradients: bool = Field(False, description="compare backpropagation with numerical derivatives")


class EngineConfig(StrictModel):
    """How to compute, and where; this changes results in the last bits only."""

    width: int | None = Field(None, ge=1, description="runs trained at once on an accelerator; null: automatic")
    launcher: Literal["local", "ray"] = Field(
        "local", description="train on this machine, or on the nodes of a Ray cluster"
    )
    address: str | None = Field(None, description="of the Ray cluster; null: RAY_ADDRESS, or else this machine")


RENAMED_SECTIONS = {"made": "provenance", "slices": "parameters", "terms": "loss_terms", "worst": "errors"}
"""Names that sections had before version 0.2; they still work."""


class ReportConfig(StrictModel):
    """What the report shows."""

    title: str = Field("Study", description="title of the report")
    sections: Annotated[Strings, AfterValidator(lambda names: tuple(RENAMED_SECTIONS.get(n, n) for n in names))] = (
        Field((), description="names of sections, in order; none: all")
    )


class Config(StrictModel):
    """The whole experiment."""

    seed: int = Field(ge=0, lt=2**31)
    data: DataConfig
    augment: AugmentConfig
    task: Annotated[SerializeAsAny[Task], BeforeValidator(build_member_validator("thalweg.tasks", Task))]
    model: ModelConfig
    loss: LossConfig
    optimizer: Optimizer
    schedule: Schedule
    training: TrainingConfig
    study: StudyConfig
    confirm: ConfirmConfig
    diagnose: DiagnoseConfig  # dvc.yaml names it, so DVC needs it in each file
    engine: EngineConfig = EngineConfig()
    report: ReportConfig

    @model_validator(mode="wrap")
    @classmethod
    def _know_own_kinds(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        with know_own_kinds(value):
            return handler(value)

    def replace_values(self, values: dict[str, Any]) -> "Config":
        """Return this experiment with other values at dotted paths, validated like a file.

        Values that the file leaves out get the defaults of the new values: a kind has its own.
        """
        return Config.model_validate(apply_setting(self.dump_written(), values, self.study.space))

    def dump_written(self) -> ParamsTree:
        """Return the values that the file gives, without defaults."""
        tree = self.model_dump(exclude_unset=True)
        # Pydantic dumps the sizes that `ModelConfig` has filled in
        return tree | {
            "model": {name: tree["model"][name] for name in tree["model"] if name in self.model.model_fields_set}
        }
