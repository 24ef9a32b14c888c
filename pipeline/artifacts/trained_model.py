"""The final model in one self-contained folder: all that `predict` needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts import weights
from thalweg.artifacts.weights import Weights
from thalweg.config.experiment import Config
from thalweg.core.network import Network, import_model_class
from thalweg.data.examples import Examples
from thalweg.schema.section import build_member_validator
from thalweg.system import files
from thalweg.system.images import ValueRange
from thalweg.tasks import Task
from thalweg.training import inference, normalisation
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

FORMAT_VERSION = 1


@dataclass(frozen=True)
class TrainedModel:
    """One or several networks, whose predictions are averaged, with pre- and post-processing."""

    task: Task
    network: Network
    members: list[Weights]
    classes: tuple[str, ...]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    backgrounds: NDArray[np.uint8]
    value_range: ValueRange | None = None
    """The values of black and white in input images of more than 8 bits; None if it was trained on 8 bits."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the input images."""
        height, width, channels = self.network.inputs
        return height, width, channels // 2 if len(self.backgrounds) else channels

    def predict(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the members' mean prediction [N, ...] for uint8 images [N, H, W, C]."""
        none = jnp.zeros((1, 1), jnp.int32)
        data = TrainingData(
            images=jnp.asarray(images),
            labels={},
            background_index=jnp.asarray(normalisation.find_nearest_background(images, self.backgrounds)),
            backgrounds=jnp.asarray(self.backgrounds),
            mean=jnp.asarray(self.mean),
            scale=jnp.asarray(self.scale),
            train_rows=none,
            train_sizes=none[0],
            validation_rows=none,
            validation_weights=none,
        )
        run = inference.build_predictor(self.network, self.task, already_observed=True)
        rows = jnp.arange(len(images), dtype=jnp.int32)
        mean: NDArray[Any] = np.mean([np.asarray(run(member, data, rows)) for member in self.members], axis=0)
        return mean


def build_trained_model(
    config: Config, program: NetworkProgram, data: TrainingData, examples: Examples, members: list[Weights]
) -> TrainedModel:
    """Build the final model of an experiment from networks trained by `program` on `data`, made from `examples`."""
    mean, scale, backgrounds = map(np.asarray, (data.mean, data.scale, data.backgrounds))
    network, classes, value_range = program.network, examples.classes, examples.value_range
    return TrainedModel(config.task, network, members, classes, mean, scale, backgrounds, value_range)


def save_trained_model(folder: Path, model: TrainedModel) -> None:
    """Write three files: description, weights, and input arrays. The same model gives the same bytes."""
    network = model.network
    description = {
        "format": FORMAT_VERSION,
        "task": model.task.model_dump(mode="json"),
        "network": vars(network) | {"sizes": dict(network.sizes)},
        "classes": model.classes,
        "members": len(model.members),
        "value_range": model.value_range,
    }
    files.write_json(folder / "model.json", description)
    files.write_bytes(folder / "weights.msgpack", weights.serialize_weights(model.members))
    arrays: dict[str, NDArray[Any]] = {"mean": model.mean, "scale": model.scale, "backgrounds": model.backgrounds}
    files.write_arrays(folder / "inputs.npz", arrays)


def load_trained_model(folder: Path) -> TrainedModel:
    """Read the model in a folder. Raises `UserError` if there is none, or its format or code does not match."""
    if not (folder / "model.json").exists():
        raise files.UserError(f"{folder}: no model yet; create one with `dvc repro`")
    description = files.read_json(folder / "model.json")
    if (version := description.get("format")) != FORMAT_VERSION:
        raise files.UserError(f"{folder}: the model has format {version}, but this version reads {FORMAT_VERSION}")
    fields = description["network"]
    sizes = tuple(sorted((name, tuple(v) if isinstance(v, list) else v) for name, v in fields["sizes"].items()))
    network = Network(fields["path"], tuple(fields["inputs"]), tuple(fields["outputs"]), sizes)
    try:
        import_model_class(network.path)
    except (ImportError, AttributeError) as error:
        raise files.UserError(f"{folder}: model '{network.path}' cannot be loaded ({error})") from None
    task: Task = build_member_validator("thalweg.tasks")(description["task"])
    arrays = files.read_arrays(folder / "inputs.npz")
    try:
        members = weights.deserialize_weights(network, files.read_bytes(folder / "weights.msgpack"))
    except files.UserError:
        raise
    except Exception as error:  # the class may have changed in any way
        raise files.UserError(f"{folder}: model '{network.path}' has changed since it was trained ({error})") from None
    inputs = {name: arrays[name] for name in ("mean", "scale", "backgrounds")}
    value_range = tuple(description["value_range"]) if description["value_range"] else None
    return TrainedModel(task, network, members, tuple(description["classes"]), value_range=value_range, **inputs)
