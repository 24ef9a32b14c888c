"""The final model in one self-contained folder: all that `predict` needs."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import thalweg
from thalweg import models
from thalweg.artifacts import weights
from thalweg.artifacts.damage import CURE, explain_damage
from thalweg.artifacts.sources import LEFT_OUT, name_modules
from thalweg.artifacts.weights import Weights
from thalweg.config.experiment import Config
from thalweg.core.network import Network, import_model_class
from thalweg.data.examples import Examples
from thalweg.schema.section import build_member_validator
from thalweg.system import data_files, files
from thalweg.system.counts import format_count, join_first
from thalweg.system.fitting import Fit
from thalweg.system.images import ValueRange
from thalweg.system.members import MemberError, is_dotted
from thalweg.system.paths import MODEL, PARAMS
from thalweg.system.source_files import digest_source, follow_imports
from thalweg.tasks import Task
from thalweg.training import inference, normalisation
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

FORMAT_VERSION = 4
DATA_FILES = ("weights.msgpack", "inputs.npz")


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
    fit: Fit = "stretch"
    """How images of another shape got the size of the network's inputs."""

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
    fit = config.data.source.image_fit
    return TrainedModel(config.task, network, members, classes, mean, scale, backgrounds, value_range, fit)


def save_trained_model(folder: Path, model: TrainedModel) -> None:
    """Write description, weights, input arrays and README.md. The same model gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {"mean": model.mean, "scale": model.scale, "backgrounds": model.backgrounds}
    contents = dict(
        zip(DATA_FILES, (weights.serialize_weights(model.members), data_files.pack_arrays(arrays)), strict=True)
    )
    for name, content in contents.items():
        files.write_bytes(folder / name, content)
    network = model.network
    description = {
        "format": FORMAT_VERSION,
        # own metrics are code, and a prediction needs none
        "task": model.task.model_dump(mode="json", exclude={"metrics"}),
        "network": vars(network) | {"sizes": dict(network.sizes)},
        "thalweg": thalweg.__version__,
        "code": {module: digest_source(file) for module, file in find_model_code(network, model.task.kind).items()},
        "classes": model.classes,
        "members": len(model.members),
        "value_range": model.value_range,
        "fit": model.fit,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    write_description(folder, description)
    files.write_text(folder / "README.md", describe_model(model))


def describe_model(model: TrainedModel) -> str:
    """Say what a model's folder holds and how to use it, in Markdown."""
    height, width, channels = model.image_shape
    network, members = model.network.path.removesuffix(".Model"), format_count(len(model.members), "network")
    means = "" if len(model.members) == 1 else "; `predict` averages them"
    classes = f"- Classes: {', '.join(model.classes)}\n" if model.task.OUTPUT_KIND == "class" else ""
    return f"""# A trained model

- Task: `{model.task.kind}`
- {members} of the kind `{network}`{means}
- Images: {height} x {width} pixels, {channels} channels, 0 to 255
{classes}
`model.json` describes the model and holds the digests of the other files. `weights.msgpack` holds the weights,
`inputs.npz` the numbers that normalise an image. The folder needs Thalweg, and the network's
code as it was.

```sh
thalweg predict IMAGES --out predictions.csv --model FOLDER
```

From Python, for images of the size above:

```python
from pathlib import Path
from thalweg.artifacts.trained_model import load_trained_model

model = load_trained_model(Path("FOLDER"))
predictions = model.predict(images)  # uint8 [N, {height}, {width}, {channels}]
```
"""


def find_model_code(network: Network, task: str) -> dict[str, Path]:
    """Return the source files, by module, that the weights of a network belong to: those that its class reaches.

    So do those of a user's own task; the tasks of this package change with `FORMAT_VERSION`.
    """
    path = network.path if is_dotted(network.path) else f"{models.__name__}.{network.path}.Model"
    own_task = follow_imports(name_modules(task), [thalweg.__name__]) if is_dotted(task) else {}
    return follow_imports(name_modules(path), LEFT_OUT) | own_task


def write_description(folder: Path, description: Mapping[str, Any]) -> None:
    """Write model.json with the digest of its own content."""
    files.write_json(folder / "model.json", {**description, "sha256": _compute_digest(description)})


def read_description(folder: Path) -> dict[str, Any]:
    """Read model.json and compare the digests of all files. Raises `UserError` if there is none or one differs."""
    file = folder / "model.json"
    if not files.path_exists(file):
        raise files.UserError(f"{folder}: no model yet; create one with `thalweg run`")
    cure = CURE if folder == MODEL else "Copy the folder again"
    with explain_damage(file, files.UserError, KeyError, cure=cure):
        description = files.read_json(file)
        if not isinstance(description, dict):
            raise files.UserError("it does not describe a model")
        version, digest = description["format"], description.pop("sha256", None)
        if version == FORMAT_VERSION and digest != _compute_digest(description):
            raise files.UserError("it was changed after it was written")
    if version != FORMAT_VERSION:
        raise files.UserError(
            f"{folder}: the model has format {version}, but this version reads {FORMAT_VERSION}; "
            "make it anew with `thalweg run`"
        )
    for name, digest in description["files"].items():
        with explain_damage(folder / name, files.UserError, cure=cure):
            if hashlib.sha256(files.read_bytes(folder / name)).hexdigest() != digest:
                raise files.UserError("it is not the file that model.json describes")
    return description


def _compute_digest(description: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def load_trained_model(folder: Path, trusted: Collection[str] = ()) -> TrainedModel:
    """Read the model in a folder.

    A folder is data: it must not choose the code that runs. So its network is one of models/ and its task one of ours,
    or they are classes whose dotted paths are in `trusted`.

    Raises `UserError` if there is no model, it is damaged, its code is not trusted, or other code made it.
    """
    description = read_description(folder)
    fields = description["network"]
    # whatever has a dot can be imported, also where no identifier stands between two dots
    named = (fields["path"], description["task"]["kind"], *description["task"].get("metrics", ()))
    if unknown := [path for path in named if "." in path and path not in trusted]:
        raise files.UserError(
            f"{folder}: loading this model runs code, {' and '.join(unknown)}, which {PARAMS} does not name. If you "
            f"trust it, add {' '.join(f'--trust {path}' for path in unknown)}"
        )
    sizes = tuple(sorted((name, tuple(v) if isinstance(v, list) else v) for name, v in fields["sizes"].items()))
    precision = fields.get("precision", "float32")  # a model of before has none
    network = Network(fields["path"], tuple(fields["inputs"]), tuple(fields["outputs"]), sizes, precision)
    try:
        import_model_class(network.path)
    except MemberError as error:
        raise files.UserError(f"{folder}: the model cannot be loaded: {error}") from None
    _require_same_code(folder, network, description)
    task: Task = build_member_validator("thalweg.tasks", Task)(description["task"])
    arrays = data_files.read_arrays(folder / "inputs.npz")
    try:
        members = weights.read_weights(folder / "weights.msgpack", network)
    except files.UserError:
        raise
    except Exception as error:  # the class may have changed in any way
        raise files.UserError(f"{folder}: model '{network.path}' has changed since it was trained ({error})") from None
    inputs = {name: arrays[name] for name in ("mean", "scale", "backgrounds")}
    value_range = tuple(description["value_range"]) if description["value_range"] else None
    classes, fit = tuple(description["classes"]), description["fit"]
    return TrainedModel(task, network, members, classes, value_range=value_range, fit=fit, **inputs)


def _require_same_code(folder: Path, network: Network, description: Mapping[str, Any]) -> None:
    """Raise `UserError` with each file of the network's code that is not as it was when its weights were made."""
    sources, before = find_model_code(network, description["task"]["kind"]), description["code"]
    now = {module: digest_source(file) for module, file in sources.items()}
    changed = [module for module in sorted(now.keys() | before.keys()) if now.get(module) != before.get(module)]
    if changed:
        named = join_first([f"{name} ({sources[name].name if name in sources else 'gone'})" for name in changed])
        advice = "Train anew with `thalweg run`, or bring the code back as it was"
        made = f"the weights were made by thalweg {description['thalweg']}, and this is {thalweg.__version__}"
        raise files.UserError(f"{folder}: the code of model '{network.path}' has changed: {named}; {made}. {advice}")
