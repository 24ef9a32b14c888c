"""Failures known in advance: missing data, mini-batches and models that do not fit the data."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.paths import EXPERIMENT, ROOT
from thalweg.cli import preflight
from thalweg.config.checks import find_problems
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.write import rewrite_params
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.sources.idx import Idx
from thalweg.data.sources.scenes import Scenes
from thalweg.schema.problem import Problem
from thalweg.stages import prepare
from thalweg.system import files, machine
from thalweg.training import trace

TREE = load_config(EXPERIMENT).model_dump(mode="json")
FOLDER = {"kind": "folder", "size": [48, 48]}


def change_config(values: dict[str, Any]) -> dict[str, Any]:
    return Config.model_validate(TREE).replace_values(values).model_dump()


def list_problem_lines(tree: dict[str, Any]) -> list[str]:
    return [problem.describe_problem() for problem in preflight.find_data_problems(tree, find_problems(tree))]


@pytest.mark.parametrize(
    "file", [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))], ids=lambda f: f.stem
)
def test_shipped_params_lack_only_data(file: Path) -> None:
    tree = YAML(typ="safe", pure=True).load(file)
    assert find_problems(tree) == []
    assert {problem.path for problem in preflight.find_data_problems(tree, [])} <= {("data", "path")}


@pytest.mark.parametrize("copies", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("by", ["fraction", pytest.param("group", marks=pytest.mark.slow), "folds"])
def test_largest_batch_is_smallest_train_split(by: str, copies: int) -> None:
    small = {"data.source.examples": 60, "data.source.size": [24, 24], "data.split.by": by}
    tree = change_config(small | {"augment.offline.copies": copies})
    config = Config.model_validate(tree)
    examples = config.data.source.read_examples(Path("nowhere"), rng.derive_seed(config.seed, "source")).examples
    parts = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    largest = min(map(len, parts.train)) * (1 + copies)
    space = {"training.batch_size": {"choices": [8, largest, largest + 1]}}
    assert (
        list_problem_lines(change_config({**small, "augment.offline.copies": copies, "training.batch_size": largest}))
        == []
    )
    assert list_problem_lines(
        change_config(
            {**small, "augment.offline.copies": copies, "training.batch_size": largest + 1, "study.space": space}
        )
    ) == [
        f"{path}: {largest + 1} is more than the {largest} training examples; use at most {largest}"
        for path in ("training.batch_size", "study.space.training.batch_size.choices.2")
    ]


def test_too_few_groups_are_named() -> None:
    (line,) = list_problem_lines(change_config({"data.source.places": 2}))
    assert line.startswith("data.split: `by: group` needs at least 3 groups, one for each set; the data has 2.")


def test_missing_data_lists_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree = change_config({"data.path": "photos", "data.source": FOLDER})
    what = "set it to the folder with labels.csv and the images"
    assert list_problem_lines(tree) == [f'data.path: "photos" does not exist; {what}']
    Path("photos").mkdir()
    assert list_problem_lines(tree) == [f'data.path: "photos" has no labels.csv; {what}']
    Path("photos", "a.png").touch()
    assert list_problem_lines(tree) == [f'data.path: "photos" has no labels.csv; {what}']
    assert list_problem_lines(change_config({"data.path": ".", "data.source": FOLDER})) == [
        f'data.path: "." has no labels.csv; {what}'
    ]
    for name in ("cats", "dogs"):
        Path("photos", name).mkdir()
    others = "or set data.source.kind, for `imagefolder` finds there what it needs"
    assert list_problem_lines(tree) == [f'data.path: "photos" has no labels.csv; {what}; {others}']
    Path("photos", "labels.csv").touch()
    assert list_problem_lines(tree) == []
    tree = change_config({"data.path": "photos", "data.source": {"kind": "idx"}, "task": {"kind": "classify"}})
    (line,) = (problem.describe_problem() for problem in preflight.find_data_problems(tree, []))
    assert line.startswith('data.path: "photos" has no train-images-idx3-ubyte; set it to the folder with train-')


@pytest.mark.parametrize(
    "source", [FOLDER, pytest.param(TREE["data"]["source"], marks=pytest.mark.slow)], ids=["folder", "scenes"]
)
@pytest.mark.parametrize(
    ("task", "background"),
    [({"kind": "count"}, ""), ({"kind": "detect"}, ""), ({"kind": "count", "density": 4}, "place")],
)
def test_unsuited_model_lists_others(
    tmp_path: Path, source: dict[str, Any], task: dict[str, Any], background: str
) -> None:
    (tmp_path / "labels.csv").touch()
    tree = TREE | {"task": task, "model": {"kind": "unet"}}
    tree |= {"data": TREE["data"] | {"path": str(tmp_path), "source": source, "background": background}}
    (line,) = (problem.describe_problem() for problem in preflight.find_data_problems(tree, []))
    assert line.startswith("model.kind: `unet` cannot be built for this data: a U-Net turns an image of (48, 48)")
    fit = line.partition("allowed: ")[2].split(", ")
    assert {"linear", "cnn"} <= set(fit)
    for kind in fit:
        assert list_problem_lines(tree | {"model": {"kind": kind}}) == []


def test_unserved_task_lists_others() -> None:
    tree = TREE | {"task": {"kind": "classify"}, "model": {"kind": "unet"}}
    (line,) = (problem.describe_problem() for problem in preflight.find_data_problems(tree, []))
    assert line == (
        "task.kind: the data does not suit `classify`: the data has no `label`; allowed: count, detect, enhance"
    )


def test_preflight_skips_invalid_sections() -> None:
    tree = change_config({"training.batch_size": 5000}) | {"model": {"kind": "unet"}}
    assert len(list(preflight.find_data_problems(tree, []))) == 2
    for part, count in {"data": 0, "seed": 0, "training": 1, "augment": 1, "task": 1, "model": 1, "study": 2}.items():
        assert len(list(preflight.find_data_problems(tree, [Problem((part,), "is wrong")]))) == count


@pytest.mark.parametrize("part", ["seed", "data", "augment", "task", "model", "training", "study"])
def test_preflight_skips_misspelt_sections(part: str) -> None:
    tree = change_config({})
    tree[f"{part}x"] = tree.pop(part)
    lines = list_problem_lines(tree)
    assert [problem.suggestion for problem in find_problems(tree)] == [part]
    assert lines == []


def test_preflight_accepts_unknown_classes(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    tree = TREE | {"task": {"kind": "classify"}, "data": TREE["data"] | {"path": str(tmp_path), "source": FOLDER}}
    assert list(preflight.find_data_problems(tree, [])) == []


def test_folder_without_room_for_a_batch_is_named(tmp_path: Path) -> None:
    rows = "".join(f"{index}.png,1,{index % 10}\n" for index in range(20))
    (tmp_path / "labels.csv").write_text(f"image,count,group\n{rows}")
    tree = change_config({"data.path": str(tmp_path), "data.source": FOLDER, "training.batch_size": 13})
    assert list_problem_lines(tree) == ["training.batch_size: 13 is more than the 12 training examples; use at most 12"]
    assert (
        list_problem_lines(
            change_config({"data.path": str(tmp_path), "data.source": FOLDER, "training.batch_size": 12})
        )
        == []
    )
    tree = change_config({"data.path": str(tmp_path), "data.source": FOLDER, "task": {"kind": "classify"}})
    tree |= {"loss": {"terms": {"label": {"kind": "cross_entropy"}}}}
    (line, *_) = (problem.describe_problem() for problem in preflight.find_data_problems(tree, []))
    assert line.startswith(f"training.batch_size: {TREE['training']['batch_size']} is more than the 12")


def test_idx_header_is_enough(tmp_path: Path) -> None:
    source = Idx.write_example(tmp_path)
    split = {"by": "fraction", "validation": 0.34, "test": 0.0}
    tree = change_config(
        {
            "data.path": str(tmp_path),
            "data.source": source.model_dump(),
            "data.split": split,
            "task": {"kind": "classify"},
            "loss.terms": {"label": {"kind": "cross_entropy"}},
            "study.objective": "accuracy",
            "study.space": {},
            "training.batch_size": 3,
        }
    )
    assert list_problem_lines(tree) == ["training.batch_size: 3 is more than the 2 training examples; use at most 2"]


def test_memory_is_said_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"data.source.examples": 200, "data.source.size": [24, 24]}
    needed = 2 * 200 * 24 * 24 * 3
    monkeypatch.setattr(machine, "count_free_bytes", lambda: needed)
    assert list_problem_lines(change_config(small)) == []
    monkeypatch.setattr(machine, "count_free_bytes", lambda: needed - 1)
    message = "200 images of 24 x 24 x 3 bytes need 691,200 bytes of memory; 691,199 are free."
    assert list_problem_lines(change_config(small)) == [f"data.source: {message} Use smaller or fewer images."]
    with pytest.raises(files.UserError, match=message):
        prepare.main(Config.model_validate(change_config(small)))


@pytest.mark.parametrize("depth", [14, 22])
def test_too_large_network_is_said_in_bytes(depth: int) -> None:
    """Channels double with each stage."""
    (problem,) = list_problem_lines(change_config({"model": {"kind": "cnn", "width": 12, "depth": depth}}))
    assert re.fullmatch(
        r"model.kind: training the network needs at least [\d,]{15,} bytes of memory, 3 times its weights, and [\d,]+ "
        r"are free; use a smaller network; allowed: .*",
        problem,
    )
    space = {"model.depth": {"choices": [2, depth]}}
    (problem,) = list_problem_lines(change_config(SMALL | {"model": {"kind": "cnn"}, "study.space": space}))
    assert problem.startswith(
        f"study.space.model.depth: with model.depth {depth} training cannot be built: training the network needs"
    )


@pytest.mark.parametrize("kind", ["cnn", "resnet", "mlp"])
@pytest.mark.parametrize("width", [2**31, 2**63, 10**30])
def test_layer_beyond_all_arrays_is_named(kind: str, width: int) -> None:
    """JAX would speak of classes and types."""
    (problem,) = list_problem_lines(change_config({"model": {"kind": kind, "width": width}}))
    assert re.fullmatch(
        rf"model.kind: `{kind}` cannot be built for this data: a layer would have [\d,]+ inputs and [\d,]+ outputs; "
        r"use a smaller network; allowed: .*",
        problem,
    )


def test_free_memory_is_within_the_machine() -> None:
    assert 2**20 < machine.count_free_bytes() < 2**50


SMALL = {"data.source.examples": 200, "data.source.size": [24, 24], "training.batch_size": 8}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("Scaled", ""),
        ("Growing", "changes the shape of its state; create each nnx.Variable in the constructor"),
        ("Narrowing", "changes the shape of its state; create each nnx.Variable in the constructor"),
        ("Whole", "returns values of type int32; the task needs floats"),
    ],
)
def test_own_models_are_built_in_every_place(model: str, message: str) -> None:
    path = f"tests.helpers.networks.{model}"
    space = {"model.kind": {"choices": ["linear", path]}}
    for tree in (
        change_config(SMALL | {"model": {"kind": path}}),
        change_config(SMALL | {"model": {"kind": "linear"}, "study.space": space}),
    ):
        lines = list_problem_lines(Config.model_validate(tree).dump_written())
        assert [message in line for line in lines] == [True] * bool(message)


def test_each_program_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[Any] = []
    monkeypatch.setattr(trace, "trace_training", lambda *arguments: traced.append(arguments[0]))
    space = {
        "model.kind": {"choices": ["linear", "mlp", "cnn"]},
        "optimizer.kind": {"choices": ["adam", "heavy_ball"]},
        "optimizer.clip": {"choices": [None, 1.0]},
        "optimizer.learning_rate": {"low": 0.1, "high": 0.2},
        "model.depth": {"choices": [1, 2], "when": {"model.kind": ["mlp", "cnn"]}},
    }
    tree = Config.model_validate(change_config(SMALL)).replace_values(
        {"model": {"kind": "linear"}, "study.space": space}
    )
    assert list_problem_lines(tree.dump_written()) == []
    assert len(traced) == len(set(traced))
    kinds = {(plan.network.path, plan.optimizer_kind, dict(plan.network.sizes).get("depth")) for plan in traced}
    assert {kind[:2] for kind in kinds} >= {(m, o) for m in ("linear", "mlp", "cnn") for o in ("adam", "heavy_ball")}
    assert {kind[::2] for kind in kinds} == {("linear", None), *((m, d) for m in ("mlp", "cnn") for d in (1, 2))}
    assert list(preflight.list_unbuilt(tree)) == []


def test_what_is_not_built_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    tree = Config.model_validate(change_config({"data.path": str(tmp_path), "data.source": FOLDER}))
    assert list(preflight.list_unbuilt(tree)) == [
        "no program was built, because the examples are not known before they are read"
    ]
    widths = {f"model.{name}": {"choices": list(range(1, 13))} for name in ("width", "depth")}
    (line,) = preflight.list_unbuilt(Config.model_validate(change_config({"study.space": widths})))
    assert line == "100 combinations of the space were built; 44 pairs of values are in none of them"


def test_outline_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built, build_outline = list[Path](), Scenes.build_outline

    def count(source: Scenes, path: Path, seed: int) -> Any:
        built.append(path)
        return build_outline(source, path, seed)

    monkeypatch.setattr(Scenes, "build_outline", count)
    assert list(preflight.find_data_problems(TREE, [])) == []
    assert len(built) == 1


@pytest.mark.parametrize("kind", ["linear", "mlp", "cnn"])
def test_winner_of_several_networks_can_be_searched_on(kind: str, tmp_path: Path) -> None:
    """The report advises to copy winner.yaml to params.yaml."""
    sizes = {"model.width": 32} if kind == "mlp" else {"model.width": 32, "model.norm": True} if kind == "cnn" else {}
    text = (ROOT / "presets" / "digits.yaml").read_text()
    (tmp_path / "winner.yaml").write_text(rewrite_params(text, {"model.kind": kind} | sizes))
    assert list_problem_lines(YAML(typ="safe", pure=True).load(tmp_path / "winner.yaml")) == []
