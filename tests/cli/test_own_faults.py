"""A user's mistakes in own code, of each of its ten kinds: what `check` says of them, and what a stage says."""

import re
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_study import set_values
from tests.helpers.tiny_pipeline import write_params
from tests.stages.test_own_code import EXAMPLES, MODULES, TREE, list_check_lines
from thalweg.core import network, own_functions
from thalweg.stages import runner
from thalweg.system import files
from thalweg.training import build

WriteProject = Callable[..., None]


@pytest.fixture
def write_project(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteProject]:
    """Write the project of docs/own-code.md with a piece of a file replaced, and other values in params.yaml."""
    monkeypatch.syspath_prepend(str(empty_folder))
    caches: Any = (own_functions._check_callable, build._check_network, network._build_structure)

    def write(file: str, old: str, new: str, values: dict[str, Any] | None = None) -> None:
        assert EXAMPLES[file].count(old) == 1
        for name, text in EXAMPLES.items():
            files.write_text(Path(name), text.replace(old, new) if name == file else text)
        tree = deepcopy(TREE)
        set_values(tree, values or {})
        write_params(tree)

    yield write
    for name in [name for name in sys.modules if name in MODULES or name.partition(".")[0] == "my_report"]:
        del sys.modules[name]
    for cache in caches:
        cache.cache_clear()


LOSS = "return jnp.maximum(share * error, (share - 1) * error)"
STEP = "return optax.chain(optax.scale_by_sign(), optax.scale_by_learning_rate(learning_rate))"
OUTLINE = "return self.read_examples(path, seed).examples"
READ = "return ReadResult(Examples(light.astype(np.uint8), names, names, split, labels))"
FAMILIES = 'return {"number": "signed"}'
FAULTS = [
    # model
    ("my_models.py", "class Flat", "class Flatt", "is not there: .*; did you mean `my_models.Flatt`?"),
    ("my_models.py", "class Flat(nnx.Module)", "class Flat", "must be a subclass of `flax.nnx.module.Module`"),
    ("my_models.py", "import math", "import math\nraise SystemExit", r"fails: SystemExit \(my_models.py, line 2\)"),
    (
        "my_models.py",
        "outputs, *, width",
        "*, width",
        r"takes \(self, inputs, \*, width=32, rngs\); a model takes \(self",
    ),
    ("my_models.py", "width: int = 32", "width: int = 32, kind: int = 3", "has a size `kind`; give it another name"),
    ("my_models.py", "width: int = 32", "width: int = 32, model_config: int = 3", "has a size `model_config`; give"),
    ("my_models.py", "width: int = 32", "width: int = 32, json: int = 3", "has a size `json`; give it another name"),
    ("my_models.py", "width: int = 32", "width: int = 32, act=print", "has a size `act` whose default is not text"),
    (
        "my_models.py",
        "width: int = 32",
        "width: int = 32, act: print = None",
        "has a size `act` whose annotation is no",
    ),
    ("my_models.py", "self.outputs = outputs", "raise KeyError('a')", r"KeyError: 'a' \(my_models.py, line 10\)$"),
    ("my_models.py", "len(x), *self.outputs)", "len(x), *self.outputs), 1", "returns no array for 2 examples"),
    ("my_models.py", "len(x), *self.outputs)", "len(x), *self.outputs) * float('nan')", "returns nan at ordinary argu"),
    # loss
    ("my_losses.py", "share: Share = 0.5", "share: Share = 0.5, model_config=1.0", "has a number `model_config`; give"),
    ("my_losses.py", "share: Share = 0.5", "share: Share = 0.5, copy=1.0", "has a number `copy`; give it another name"),
    ("my_losses.py", "share: Share = 0.5", "share: Share = 5.0", "has 5.0 as default of `share`, which is outside"),
    ("my_losses.py", "(prediction, target", "(prediction", r"takes \(prediction, \*, share=0.5\); a loss takes"),
    ("my_losses.py", LOSS, "raise ValueError('a\\nb')", r"fails: ValueError: a \(my_losses.py, line 8\)"),
    ("my_losses.py", LOSS, LOSS + " * float('nan')", "returns nan at ordinary arguments"),
    ("my_losses.py", LOSS, "return jnp.sqrt(error * 0)", "has a derivative of nan at ordinary arguments"),
    # metric
    ("my_metrics.py", ".max()", ".max() * float('nan')", "returns nan at ordinary arguments"),
    ("my_metrics.py", ".max()", ".max() - 100", "returns -.*, outside of its bounds 0 and inf"),
    ("my_metrics.py", "weight > 0", "weight > -1", "counts an example of weight 0, which is padding"),
    ("my_metrics.py", '"min", low=0.0', '"min", label=3', "has the label 3; it must be text"),
    ("my_metrics.py", "low=0.0", "low=1.0, high=0.0", "has the bounds 1.0 and 0.0; `low` must be below `high`"),
    ("my_metrics.py", "low=0.0", "low='a'", "has the bounds 'a' and inf; `low` must be below `high`"),
    ("my_metrics.py", '"min"', '["min"]', r"has the direction \['min'\]; it must be min, max or zero"),
    # augmentation
    ("my_augmentations.py", "1.0 - image, image)", "jnp.nan, image)", "returns images with nan at ordinary arguments"),
    (
        "my_augmentations.py",
        'return batch | {"image": ',
        "return {'image': ",
        "adds or drops `count`; it must return the",
    ),
    # schedule
    ("my_schedules.py", "1.0 + epoch / every", "-1.0 - epoch", "returns nan for epoch 0 of 2; a factor is 0 or more"),
    ("my_schedules.py", "return 1.0 / jnp.sqrt(1.0 + epoch / every)", "return -epoch", "for epoch 0.25 of 2; a factor"),
    # optimizer
    ("my_optimizers.py", "learning_rate))", "learning_rate * float('nan')))", "gives steps with nan at ordinary arg"),
    ("my_optimizers.py", STEP, "return optax.GradientTransformation(lambda w: (), lambda g, s, p: g)", "than a pair"),
    ("my_optimizers.py", STEP, "return optax.GradientTransformation(lambda w: 'a', lambda g, s, p: (g, s))", "keeps a"),
    ("my_optimizers.py", STEP, "return optax.GradientTransformation(lambda w: 1 / 0, optax.sgd(1).update)", "ZeroDivi"),
    # source
    (
        "my_sources.py",
        "draw = np.random.default_rng(seed)",
        "raise KeyError('a')",
        r"fails: KeyError: 'a' \(my_sources",
    ),
    ("my_sources.py", OUTLINE, "return []", "returns from `build_outline` no `thalweg.data.examples.Examples`"),
    ("my_sources.py", OUTLINE, "raise KeyError('a')", r"fails: KeyError: 'a' \(my_sources.py, line 18\)"),
    (
        "my_sources.py",
        "def build_outline(self, path, seed)",
        "def build_outline(self)",
        "fails: TypeError: .* positional",
    ),
    ("my_sources.py", "labels = {", "labels = [1]\n        {", "labels that are no dict of arrays by name"),
    (
        "my_sources.py",
        "light.astype(np.uint8)",
        "light.tolist()",
        "images as a value of type list; it must be a NumPy ar",
    ),
    (
        "my_sources.py",
        'np.full(len(count), "")',
        'np.full(len(count), "dev")',
        "'dev' as a split; it must be '', train",
    ),
    ("my_sources.py", "examples: int = 96", "examples: 'Nope' = 96", "fails: PydanticUserError: `Bright` is not fully"),
    (
        "my_sources.py",
        "examples: int = 96",
        "examples: int = 96\n    def model_post_init(self, _): {}['a']",
        "fails: KeyEr",
    ),
    # task
    (
        "my_tasks.py",
        '    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = metrics.list_directions("mae", "rmse", "bias")\n',
        "",
        "MET",
    ),
    (
        "my_tasks.py",
        'metrics.list_directions("mae", "rmse", "bias")',
        '{"mae": "down"}',
        "needs `METRIC_DIRECTIONS`, a",
    ),
    ("my_tasks.py", FAMILIES, "return ['number']", "needs the property `loss_families`, a dict from each term"),
    ("my_tasks.py", FAMILIES, "raise KeyError('a')", r"fails: KeyError: 'a' \(my_tasks.py, line 13\)"),
    ("my_tasks.py", FAMILIES, 'return {"number": "sgned"}', "has the loss family 'sgned'; families are regression,"),
    (
        "my_tasks.py",
        'return [] if "count" in examples.labels else',
        "return None and",
        "something else from `find_data_f",
    ),
    (
        "my_tasks.py",
        'return {"count": examples.labels["count"]}',
        "return [1]",
        "a value of type list from `select_labels`",
    ),
    ("my_tasks.py", "return (1,)", "return 1", "returns 1 from `output_shape`; it must be a tuple of whole numbers"),
    ("my_tasks.py", "return labels", "raise KeyError('a')", r"fails: KeyError: 'a' \(my_tasks.py, line 25\)"),
    ("my_tasks.py", "return labels", "return [1]", "a value of type list from `build_targets`; it must be a dict"),
    (
        "my_tasks.py",
        'return {"number": Term',
        'return {"nmber": Term',
        "dict from `number` to a `thalweg.core.types.Term`",
    ),
    ("my_tasks.py", "return outputs[:, 0]", "pass", "returns nothing from `decode_outputs`; it must be an array"),
    (
        "my_tasks.py",
        "return metrics.compute",
        "return {} and metrics.compute",
        "a dict with mae, rmse, bias from `comp",
    ),
    # section
    ("my_report/spread.py", "def build_findings(tables)", "def build_findings()", r"takes \(\); a section's function"),
    (
        "my_report/spread.py",
        "ORDER = 15",
        "ORDER, is_applicable = 15, True",
        r"needs a function `is_applicable\(tables\)`",
    ),
    (
        "my_report/spread.py",
        'TITLE = "Spread"',
        'TITLE = "Result"',
        "has the name or the title of the section `result`",
    ),
    # sampler
    ("my_samplers.py", "return RandomSampler(seed=seed)", "raise KeyError('a')", r"fails: KeyError: 'a' \(my_samplers"),
]
NAMED = {
    "my_models.py": "model.kind",
    "my_losses.py": "loss.terms.number.kind",
    "my_metrics.py": "task.metrics.0",
    "my_augmentations.py": "augment.online.my_augmentations.invert",
    "my_schedules.py": "schedule.kind",
    "my_optimizers.py": "optimizer.kind",
    "my_sources.py": "data.source.kind",
    "my_tasks.py": "task.kind",
    "my_report/spread.py": "report.sections.0",
    "my_samplers.py": "study.sampler",
}


@pytest.mark.parametrize(("file", "old", "new", "fault"), FAULTS)
def test_check_says_one_sentence(file: str, old: str, new: str, fault: str, write_project: WriteProject) -> None:
    write_project(file, old, new)
    (line,) = list_check_lines()
    assert re.fullmatch(rf"params\.yaml:\d+: {NAMED[file]}: `my_.*{fault}.*", line)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            {"report.sections": ["my_report.spread", "my_report.deep.spread"]},
            "name or the title of the section `my_rep",
        ),
        ({"report.sections": ["my_report.spread.Finding"]}, "is no module; a section is a file with a `TITLE` and fun"),
        ({"model.kind": "no_such_file.Model"}, "no file `no_such_file.py` lies beside params.yaml, and no package"),
        ({"optimizer.kind": "optax.lbfgs"}, "fails: TypeError: "),
    ],
)
def test_check_names_what_fits_nowhere(values: dict[str, Any], fault: str, write_project: WriteProject) -> None:
    write_project("my_report/spread.py", "ORDER = 15", "ORDER = 16", values)
    files.write_text(Path("my_report/deep/spread.py"), EXAMPLES["my_report/spread.py"])
    (line,) = list_check_lines()
    assert re.search(rf"^params\.yaml:\d+: .*{fault}", line)


def test_optimizers_of_optax_fit(write_project: WriteProject) -> None:
    write_project("my_report/spread.py", "ORDER = 15", "ORDER = 16", {"optimizer.kind": "optax.adabelief"})
    assert list_check_lines() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "my_sources.py",
            READ,
            "return {}['a']",
            r"data\.source\.kind: `my_sources\.Bright` fails: KeyError: 'a' \(my_so",
        ),
        (
            "my_sources.py",
            READ,
            "pass",
            r"data\.source\.kind: `my_sources\.Bright` returns no `thalweg\.data\.examples\.R",
        ),
        (
            "my_tasks.py",
            'return [] if "count"',
            'return {}["a"] if "count"',
            r"task\.kind: `my_tasks\.Tally` fails: KeyError",
        ),
    ],
)
def test_stage_names_the_line_of_params(file: str, old: str, new: str, fault: str, write_project: WriteProject) -> None:
    write_project(file, old, new)
    if file == "my_sources.py":  # what check knows of it beforehand is nothing
        text = Path(file).read_text()
        files.write_text(Path(file), text.replace(OUTLINE, "return None"))
    with pytest.raises(files.UserError, match=rf"^params\.yaml:\d+: {fault}"):
        runner.run_stage("prepare")
