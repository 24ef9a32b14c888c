"""docs/how-training-works.md: its tables and examples against the code, its studies against their reports."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ruamel.yaml import YAML

from docs import tutorial
from thalweg.config.load import load_config
from thalweg.core import losses, optimizers
from thalweg.core.network import Network
from thalweg.reporting.sections.health import verdict_map

TEXT = tutorial.PAGE.read_text()
LESSONS = tutorial.read_lessons(TEXT)
FOLDER = tutorial.PAGE.parent
LARGEST = 60_000
"""Bytes of a picture."""


def read_table(name: str) -> list[list[str]]:
    """The cells of a table's rows, its head left out; marks of code are taken off."""
    match = re.search(rf"<!-- table: {name} -->\n(?:\|.*\n){{2}}((?:\|.*\n)+)", TEXT)
    assert match, name
    # a bar within a cell stands behind a backslash
    return [
        [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in match[1].split("\n")[:-1]
    ]


def format_like(value: float, as_in: str) -> str:
    """A number with as many digits after its point as a cell has."""
    places = len(as_in.partition(".")[2])
    return f"{round(value, places) + 0.0:.{places}f}"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_tutorial_studies_are_valid(lesson: tutorial.Lesson, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    YAML().dump(lesson.params, file)
    load_config(file)


def test_changes_replace_values() -> None:
    base = {"a": {"b": 1, "c": 2}, "study": {"trials": 3, "space": {"x": 1}}, "d": 4}
    merged = tutorial.merge_trees(base, {"a": {"c": 5}, "study": {"space": {"y": 2}}, "d": {"e": 6}})
    assert merged == {"a": {"b": 1, "c": 5}, "study": {"trials": 3, "space": {"y": 2}}, "d": {"e": 6}}
    assert base["study"] == {"trials": 3, "space": {"x": 1}}


def test_pictures_exist_and_are_small() -> None:
    pictures = tutorial.list_pictures(TEXT)
    assert len(pictures) == TEXT.count("](training/")
    assert {name for name, _ in pictures} <= {lesson.name for lesson in LESSONS}
    files = sorted(f"{name}-{figure}" for name, figure in pictures)
    assert files == sorted(file.name for file in (FOLDER / "training").iterdir())
    assert max((FOLDER / "training" / file).stat().st_size for file in files) < LARGEST


def test_parameter_count_matches_page() -> None:
    model = LESSONS[0].params["model"]
    sizes = tuple((name, value) for name, value in model.items() if name != "kind")
    parameters, _ = Network(model["kind"], (32, 32, 3), (1,), sizes).init(jax.random.key(0))
    count = sum(leaf.size for leaf in jax.tree.leaves(parameters))
    assert set(re.findall(r"(\d,\d{3})", TEXT.split("<!-- base -->")[1])) == {f"{count:,}"}


def test_best_constants_minimize_losses() -> None:
    rows, answers = read_table("losses"), jnp.arange(0.0, 9.0, 0.01)
    assert [row[0] for row in rows] == list(losses.list_losses("regression"))
    truths = jnp.array([0.0, 0.0, 0.0, 1.0, 9.0])
    for name, _, answer in rows:
        cost = get_regression_loss(name)(*jnp.broadcast_arrays(answers[:, None], truths)).mean(1)
        assert format_like(float(answers[cost.argmin()]), answer) == answer, name


def get_regression_loss(name: str) -> Any:
    return losses.FAMILIES["regression"][losses.list_losses("regression").index(name)]


class TestAxioms:
    """Every yes and no of the table, by search over triples of points at all scales."""

    @staticmethod
    def measured(name: str) -> tuple[Any, Any]:
        """A loss as a function of two points, and a draw of so many points."""
        draw = np.random.default_rng(0)

        def counts(many: int) -> Any:
            return jnp.asarray(10.0 ** draw.uniform(-4, 2, many))

        def chances(many: int) -> Any:
            return jax.nn.softmax(jnp.asarray(draw.normal(size=(many, 3)) * 10.0 ** draw.uniform(-1, 0.7, (many, 1))))

        def surprise(predicted: Any, true: Any) -> Any:
            each = [losses.cross_entropy(jnp.log(predicted), jnp.full(len(true), label)) for label in range(3)]
            return (jnp.stack(each, 1) * true).sum(1)

        if name == "cross_entropy":
            return surprise, chances
        if name == "root of l2":
            return lambda p, y: jnp.sqrt(losses.l2(p, y)), counts
        return get_regression_loss(name), counts

    @pytest.mark.parametrize(("name", "identity", "symmetry", "triangle"), read_table("axioms"))
    def test_axiom_table_is_right(self, name: str, identity: str, symmetry: str, triangle: str) -> None:
        with jax.enable_x64(True):
            far, points = self.measured(name)
            one, two, three = (points(20_000) for _ in range(3))
            there, back, longer, home = far(one, two), far(two, one), far(two, three), far(one, one)
            slack = 1e-9 * (1.0 + abs(there) + abs(longer))
            apart = abs(one - two).reshape(len(one), -1).max(1) > 1e-5
            holds_by_axiom = [
                (abs(home) < slack).all() & (there[apart] > 0).all(),
                (abs(there - back) <= slack).all(),
                (far(one, three) <= there + longer + slack).all(),
            ]
        assert [identity, symmetry, triangle] == ["yes" if bool(holds) else "no" for holds in holds_by_axiom]

    def test_axiom_table_is_complete(self) -> None:
        assert {row[0] for row in read_table("axioms")} >= {*losses.list_losses("regression"), "cross_entropy"}


def compute_curve(w: Any, x: float = 0.5) -> Any:
    """The page's function of three parameters."""
    a, b, c = w
    return a + b * x + math.exp(c * x)


def test_gradient_example_prints_as_shown() -> None:
    match = re.search(r"<!-- example: gradient -->\n```python\n(.*?)```\n\n```\n(.*?)```", TEXT, re.DOTALL)
    assert match
    command = [sys.executable, "-c", match[1]]
    run = subprocess.run(command, cwd=tutorial.PAGE.parents[1], capture_output=True, text=True, check=True)
    assert run.stdout == match[2]


def test_difference_errors_match_table() -> None:
    right = 2 * (compute_curve((1, 2, -1)) - 3) * 0.5 * math.exp(-0.5)
    for h, slope, error in read_table("differences"):
        above, below = ((compute_curve((1, 2, -1 + sign * float(h))) - 3) ** 2 for sign in (1, -1))
        difference = (above - below) / (2 * float(h))
        assert format_like(difference, slope) == slope
        assert f"{abs(difference - right):.0e}".replace("e-0", "e-") == error


def take_steps(kind: str, rate: float, gradient: Any, steps: int, **numbers: float) -> list[float]:
    """Where w = 1 goes in so many updates, the start left out."""
    optimizer = optimizers.build_optimizer(kind, {n: jnp.float32(v) for n, v in numbers.items()}, rate, None)
    w, ways = jnp.float32(1.0), []
    state = optimizer.init(w)
    for _ in range(steps):
        updates, state = optimizer.update(gradient(w), state, w)
        w = optax.apply_updates(w, updates)
        ways.append(float(w))
    return ways


def test_one_step_matches_page() -> None:
    error = compute_curve((1, 2, -1)) - 3
    gradient = (2 * error, error, error * math.exp(-0.5))
    after = [w - 0.1 * g for w, g in zip((1, 2, -1), gradient, strict=True)]
    loss = (compute_curve(after) - 3) ** 2
    numbers = f"({', '.join(f'{w:.3f}' for w in after)}), and the loss from {error**2:.3f} to {loss:.3f}"
    assert numbers in " ".join(TEXT.split())


def test_descent_table_matches_valley() -> None:
    for rate, *places, _ in read_table("descent"):
        ways = take_steps("gradient_descent", float(rate), lambda w: 2 * w, 10)
        assert [format_like(ways[i - 1], cell) for i, cell in zip((1, 2, 3, 10), places, strict=True)] == places
    assert optimizers.stability_limit("gradient_descent", {}, 1.0) == 2.0


def test_momentum_table_matches_heavy_ball() -> None:
    for momentum, *speeds in read_table("momentum"):
        ways = [1.0, *take_steps("heavy_ball", 1.0, jnp.ones_like, 100, momentum=float(momentum))]
        steps = [ways[i - 1] - ways[i] for i in (1, 2, 3, 10, 100)]
        assert [format_like(v, cell) for v, cell in zip(steps, speeds, strict=True)] == speeds


def test_every_verdict_is_explained() -> None:
    assert {row[0] for row in read_table("verdicts")} == verdict_map.VERDICT_MARKS.keys()


def has_lower_place(outcome: tutorial.Outcome) -> bool:
    """Say whether the plane of the path has a lower training loss than the path's end."""
    plane, path = outcome.tables.landscape["plane"], outcome.tables.landscape["path"]
    return bool(plane.query("plane == 'path' and part == 'train'")["loss"].min() < path["train"].iloc[-1])


HOLDS: dict[str, list[Callable[[tutorial.Outcome], bool]]] = {
    # trial 0 is `l2` at 0.001, the file's own point of the grid
    "losses": [
        lambda outcome: outcome.values[0] < outcome.values[3],
        lambda outcome: outcome.values[5] < outcome.values[9],
    ],
    "gradient": [lambda outcome: sorted(outcome.tables.gradients["direction"].unique()) == ["a[0]", "b[0]", "c[0]"]],
    "batches": [
        lambda outcome: outcome.tables.manifest["examples"]["train"] == 400,
        lambda outcome: min(outcome.values[i] for i in (2, 5, 8)) > 1.1 * min(outcome.values[i] for i in (1, 4, 7)),
        lambda outcome: outcome.values[8] < min(outcome.values[2], outcome.values[5]),
        lambda outcome: outcome.values[6] > 1.1 * outcome.values[7],
    ],
    # trial 8 has the rate 0.014
    "rates": [lambda outcome: [outcome.kinds[i] for i in (1, 8, 13)] == ["rate too low", "rate too high", "diverged"]],
    "schedules": [lambda outcome: outcome.values[8] > sum(outcome.values[i] for i in (9, 10, 11)) / 3],
    "momentum": [
        lambda outcome: outcome.values[1] > 1.1 * outcome.values[0],
        lambda outcome: outcome.values[11] > 1.1 * outcome.values[0],
    ],
    # trials 1 and 2 have the lowest rates
    "overfitting": [
        lambda outcome: outcome.tables.manifest["examples"]["train"] == 146,
        lambda outcome: {i for i, kind in outcome.kinds.items() if kind == "overfitting"} == {0, 3, 4, 5},
    ],
    "augmentation": [lambda outcome: list(outcome.kinds.values()).count("overfitting") < 3],
    "landscape": [has_lower_place],
}
"""What the page says of each study's trials, beside the verdicts that it quotes."""


def test_outcomes_match_lessons() -> None:
    assert HOLDS.keys() == {lesson.name for lesson in LESSONS}


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_outcomes_match_page(lesson: tutorial.Lesson, tmp_path: Path) -> None:
    outcome = tutorial.run_study(lesson.params, tmp_path)
    for verdict_part in lesson.said:
        assert any(verdict_part in verdict for verdict in outcome.verdicts), (verdict_part, outcome.verdicts)
    for number, holds in enumerate(HOLDS[lesson.name]):
        assert holds(outcome), (lesson.name, number, outcome.values, outcome.kinds)
    for name, figure in tutorial.list_pictures(TEXT):
        if name == lesson.name:
            assert tutorial.render_picture(outcome.figures, figure)
