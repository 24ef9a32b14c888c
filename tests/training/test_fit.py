"""Training seen from within: a model that writes down what it is shown, on problems that NumPy solves beside it.

Image i is bright in pixel i alone, so weight i belongs to example i and what was visited can be read from the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from thalweg.core import rng
from thalweg.core.network import Network
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import LaneMap, map_sequential, map_vmapped
from thalweg.tasks import Task
from thalweg.training import batches
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

SIDE = 6
BATCH = 4
STEPS = 3
EPOCHS = 12
EVERY = 2
PATIENCE = 2
RATE = 0.5
N = SIDE * SIDE
FOLDS = (np.arange(0, 14), np.arange(20, 36))
VALIDATION = (np.arange(14, 20), np.arange(16, 19))
IMAGES = (255 * np.eye(N, dtype=np.uint8)).reshape(N, SIDE, SIDE, 1)
TARGETS = np.random.default_rng(0).normal(size=N).astype(np.float32)


class Line(Task):
    """One number as the network gives it."""

    kind: Literal["line"] = "line"
    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = {"mse": "min", "score": "max"}

    @property
    def loss_families(self) -> dict[str, str]:
        return {"value": "regression"}

    @property
    def allowed_augmentations(self) -> tuple[str, ...]:
        return ()

    def find_data_faults(self, examples: Examples) -> list[str]:
        return [] if "value" in examples.labels else ["the data has no `value`"]

    def select_labels(self, examples: Examples) -> dict[str, np.ndarray]:
        return {"value": examples.labels["value"]}

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:  # noqa: ARG002
        return (1,)

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:  # noqa: ARG002
        return labels

    def build_loss_terms(self, outputs: jax.Array, targets: Tree) -> dict[str, Term]:
        return {"value": Term(outputs[:, 0], targets["value"])}

    def decode_outputs(self, outputs: jax.Array) -> jax.Array:
        return outputs[:, 0]

    def compute_metrics(self, predictions: jax.Array, targets: Tree, weight: jax.Array) -> dict[str, jax.Array]:
        error = jnp.where(weight > 0, weight * (predictions - targets["value"]) ** 2, 0).sum() / weight.sum()
        return {"mse": error, "score": -error}

    def build_prediction_columns(self, predictions: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {"prediction": predictions}

    def list_true_values(self, examples: Examples) -> np.ndarray:
        return examples.labels["value"]

    def compute_errors(self, predictions: np.ndarray, examples: Examples) -> np.ndarray:
        result: np.ndarray = np.abs(predictions - examples.labels["value"])
        return result


class Witness(nnx.Module):
    """A matrix that counts, in training, how often it has seen each pixel bright, and in which batch last."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.weight = nnx.Param(jax.random.normal(rngs.params(), (N, 1)))
        self.batches, self.visits, self.last = (nnx.Variable(jnp.zeros(shape)) for shape in ((), N, N))
        self.training = True

    def __call__(self, x: jax.Array) -> jax.Array:
        flat = x.reshape(len(x), -1)
        if self.training:
            self.batches[...] += 1
            self.visits[...] += flat.sum(0)
            self.last[...] = jnp.where(flat.any(0), self.batches[...], self.last[...])
        return flat @ self.weight[...]

    def train(self, **attributes: Any) -> None:  # noqa: ARG002
        self.training = True

    def eval(self, **attributes: Any) -> None:  # noqa: ARG002
        self.training = False


NETWORK = Network(f"{Witness.__module__}.Witness", (SIDE, SIDE, 1), (1,))
PLAN = NetworkProgram(
    Line(),
    DataSpec((SIDE, SIDE, 1)),
    NETWORK,
    "gradient_descent",
    False,
    (),
    BATCH,
    STEPS,
    EPOCHS,
    EVERY,
    PATIENCE,
    "mse",
)
HYPER = NetworkHyper(
    learning_rate=np.float32(RATE),
    clip=np.float32(np.inf),
    optimizer={},
    schedule={"kind": np.int32(0), "warmup": np.float32(0)},
    loss={"value": {"kind": np.int32(1), "weight": np.float32(1), "delta": np.float32(1)}},
    balance=np.int32(0),
    augment={},
)


def pad_fold(parts: Sequence[np.ndarray], fill: int) -> np.ndarray:
    longest = max(map(len, parts))
    return np.stack([np.pad(part, (0, longest - len(part)), constant_values=fill) for part in parts]).astype(np.int32)


DATA = TrainingData(
    images=IMAGES,
    labels={"value": TARGETS},
    background_index=np.zeros(N, np.int32),
    backgrounds=np.zeros((0, SIDE, SIDE, 1), np.uint8),
    mean=np.zeros(1, np.float32),
    scale=np.ones(1, np.float32),
    train_rows=pad_fold(FOLDS, 15),
    train_sizes=np.array([14, 16], np.int32),
    validation_rows=pad_fold(VALIDATION, 0),
    validation_weights=(np.arange(6) < np.array([[6], [3]])).astype(np.float32),
)


def compile_alone(plan: NetworkProgram, each: LaneMap = map_sequential) -> Callable[..., LaneState]:
    """A function that advances a lone lane: (hyper, state, data, until) -> state."""

    def run(hyper: NetworkHyper, state: LaneState, data: TrainingData, until: jax.Array) -> LaneState:
        block = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (hyper, state, until))
        after = fit.advance_block(plan, each, block[0], block[1], data, block[2])
        result: LaneState = jax.tree.map(lambda leaf: leaf[0], after)
        return result

    return jax.jit(run)


run = compile_alone(PLAN)
start = jax.jit(partial(fit.init_state, PLAN))


def train_lane(
    hyper: NetworkHyper = HYPER, seed: int = 0, fold: int = 0, data: TrainingData = DATA, until: int = EPOCHS
) -> LaneState:
    return run(hyper, start(jnp.int32(seed), jnp.int32(fold)), data, jnp.int32(until))


def draw_batches(seed: int, fold: int, epoch: int) -> np.ndarray:
    """The mini-batches of an epoch [STEPS, BATCH], by the named stream that draws them."""
    draws = np.array(jax.random.uniform(rng.derive_key(seed, "shuffle", epoch), (16,)))
    real = len(FOLDS[fold])
    return FOLDS[fold][np.argsort(draws[:real], kind="stable")[: STEPS * BATCH]].reshape(STEPS, BATCH)


def get_weights(state: LaneState) -> np.ndarray:
    return np.asarray(state.learner.parameters["weight"][...], np.float64)[:, 0]


def are_equal_states(first: Any, second: Any) -> bool:
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: np.array_equal(a, b, equal_nan=True), first, second)))


@pytest.mark.parametrize(("seed", "fold"), [(0, 0), (3, 1)])
def test_gradient_descent_matches_numpy(seed: int, fold: int) -> None:
    wanted = get_weights(start(jnp.int32(seed), jnp.int32(fold)))
    for epoch in range(EVERY):
        for batch in draw_batches(seed, fold, epoch):
            wanted[batch] -= RATE * 2 / BATCH * (wanted[batch] - TARGETS[batch])
    np.testing.assert_allclose(get_weights(train_lane(seed=seed, fold=fold, until=EVERY)), wanted, rtol=1e-5, atol=1e-6)


def train_with_noise(each: LaneMap) -> LaneState:
    augmented = replace(PLAN, augmentation_names=("noise",), augmentation_searched=False)
    hyper, state = replace(HYPER, augment={"noise": np.float32(0.1)}), start(jnp.int32(0), jnp.int32(0))
    return compile_alone(augmented, each)(hyper, state, DATA, jnp.int32(EVERY))


@pytest.fixture(scope="module", params=[map_sequential, pytest.param(map_vmapped, marks=pytest.mark.slow)])
def in_one_stretch(request: pytest.FixtureRequest) -> tuple[LaneMap, LaneState]:
    return request.param, train_with_noise(request.param)


@pytest.mark.parametrize("batches", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_chunked_epoch_equals_whole_epoch(
    monkeypatch: pytest.MonkeyPatch, batches: int, in_one_stretch: tuple[LaneMap, LaneState]
) -> None:
    """Of the 3 steps of an epoch: one at a time, or two and then the one that is left."""
    each, whole = in_one_stretch
    monkeypatch.setattr(fit, "CHUNK_BYTES", batches * BATCH * (N + 1) * 4)
    parted = train_with_noise(each)
    assert np.asarray(whole.learner.model_state["batches"][...]) == EVERY * STEPS
    np.testing.assert_allclose(get_weights(parted), get_weights(whole), rtol=1e-6)
    np.testing.assert_allclose(parted.curves["train_spread"], whole.curves["train_spread"], rtol=1e-5)
    np.testing.assert_array_equal(parted.learner.model_state["last"][...], whole.learner.model_state["last"][...])


def test_lane_has_its_schedule_and_loss() -> None:
    """A linear schedule to 0 and absolute error: each visit moves a weight by the rate of its step over the batch."""
    schedule = {"kind": np.int32(5), "warmup": np.float32(0), "final": np.float32(0)}
    loss = {"value": {"kind": np.int32(0), "weight": np.float32(3), "delta": np.float32(1)}}
    wanted, step = get_weights(start(jnp.int32(0), jnp.int32(0))), 0
    for epoch in range(EVERY):
        for batch in draw_batches(0, 0, epoch):
            rate = RATE * (1 - step / (EPOCHS * STEPS))
            wanted[batch] -= rate * 3 / BATCH * np.sign(wanted[batch] - TARGETS[batch])
            step += 1
    ended = train_lane(replace(HYPER, schedule=schedule, loss=loss), until=EVERY)
    np.testing.assert_allclose(get_weights(ended), wanted, rtol=1e-5, atol=1e-6)
    assert ended.curves["learning_rate"][0] == pytest.approx(RATE * (1 - (step - 1) / (EPOCHS * STEPS)))


@pytest.mark.parametrize("fold", [0, 1])
def test_epoch_visits_its_fold_once(fold: int) -> None:
    seen = train_lane(fold=fold, until=EVERY).learner.model_state
    visits, last = np.asarray(seen["visits"][...]), np.asarray(seen["last"][...])
    second = last > STEPS
    assert visits.sum() == EVERY * STEPS * BATCH
    assert visits.max() == EVERY
    assert second.sum() == STEPS * BATCH
    assert set(np.flatnonzero(visits)) <= set(FOLDS[fold].tolist())
    for step, batch in enumerate(draw_batches(0, fold, 1)):
        assert sorted(np.flatnonzero(last == STEPS + step + 1)) == sorted(batch)


def test_epoch_order_depends_on_seed() -> None:
    orders = [draw_batches(0, 0, epoch).ravel().tolist() for epoch in range(4)]
    assert len({tuple(one) for one in orders}) == 4
    slow = train_lane(replace(HYPER, learning_rate=np.float32(0.01)), until=EVERY)
    assert are_equal_states(slow.learner.model_state, train_lane(until=EVERY).learner.model_state)
    assert not are_equal_states(slow.learner.model_state, train_lane(seed=1, until=EVERY).learner.model_state)


def test_validation_updates_nothing() -> None:
    """The network in inference mode writes nothing down, and the batches counted are those trained on."""
    state = train_lane(until=EVERY)
    assert int(state.learner.model_state["batches"][...]) == EVERY * STEPS
    other = replace(DATA, validation_rows=DATA.validation_rows[:, ::-1].copy())
    moved = train_lane(data=other, until=EVERY)
    assert are_equal_states(
        (state.learner.parameters, state.learner.model_state), (moved.learner.parameters, moved.learner.model_state)
    )


def build_turning_data() -> TrainingData:
    """Validation images like training's, their targets halfway: the error falls to nothing and rises again."""
    images = IMAGES.copy()
    images[14:20] = images[:6]
    targets = np.where(np.arange(N) < 14, 10, 0).astype(np.float32)
    targets[14:20] = 7
    return replace(DATA, images=images, labels={"value": targets})


@pytest.fixture(scope="module")
def patience_run() -> tuple[LaneState, np.ndarray, TrainingData]:
    """A run with patience, and the same computed in NumPy: state, the metric of each validation."""
    data = build_turning_data()
    w, curve = get_weights(start(jnp.int32(0), jnp.int32(0))), []
    for epoch in range(EPOCHS):
        for batch in draw_batches(0, 0, epoch):
            w[batch] -= 0.4 * 2 / BATCH * (w[batch] - 10)
        curve.append(np.square(w[:6] - 7).mean())
    return (
        train_lane(replace(HYPER, learning_rate=np.float32(0.4)), data=data),
        np.array(curve[EVERY - 1 :: EVERY]),
        data,
    )


def test_patience_stops_lane(
    patience_run: tuple[LaneState, np.ndarray, TrainingData],
) -> None:
    state, curve, _ = patience_run
    best = int(curve.argmin())
    ends = best + 1 + PATIENCE
    assert 0 < best < len(curve) - PATIENCE - 1
    np.testing.assert_allclose(state.curves["mse"][:ends], curve[:ends], rtol=1e-4)
    assert all(np.isnan(values[ends:]).all() for values in state.curves.values())
    assert int(state.step) == ends * EVERY * STEPS
    assert int(state.best_epoch) == (best + 1) * EVERY
    assert are_equal_states(state, run(HYPER, state, DATA, jnp.int32(EPOCHS)))


def infer_outputs(network: Network, weights: tuple[Any, Any], data: TrainingData, rows: jax.Array) -> jax.Array:
    """What the network gives in inference mode for examples `rows`."""
    return network.apply(
        *weights, batches.normalise_images(data, rows, batches.gather_images(data, rows)), train=False
    )[0]


def test_best_weights_are_kept(
    patience_run: tuple[LaneState, np.ndarray, TrainingData],
) -> None:
    state, curve, data = patience_run
    rows, data = jnp.asarray(VALIDATION[0]), jax.tree.map(jnp.asarray, data)
    outputs = infer_outputs(NETWORK, state.best_weights, data, rows)
    metric = PLAN.task.compute_metrics(outputs[:, 0], batches.gather_targets(PLAN, data, rows), jnp.ones(len(rows)))[
        "mse"
    ]
    assert float(metric) == pytest.approx(float(state.best_value), rel=1e-5)
    assert float(metric) == pytest.approx(curve.min(), rel=1e-4)
    assert not are_equal_states(state.best_weights[0], state.learner.parameters)


def test_maximized_metric_keeps_highest(patience_run: tuple[LaneState, np.ndarray, TrainingData]) -> None:
    upward = replace(PLAN, objective="score")
    state = compile_alone(upward)(
        replace(HYPER, learning_rate=np.float32(0.4)),
        fit.init_state(upward, jnp.int32(0), jnp.int32(0)),
        patience_run[2],
        jnp.int32(EPOCHS),
    )
    assert int(state.best_epoch) == int(patience_run[0].best_epoch)
    assert float(state.best_value) == -float(patience_run[0].best_value)


def test_keep_last_keeps_final_weights() -> None:
    plan = replace(PLAN, keep="last", patience=0, validate_every=EPOCHS)
    state = compile_alone(plan)(
        HYPER, fit.init_state(plan, jnp.int32(0), jnp.int32(0)), build_turning_data(), jnp.int32(EPOCHS)
    )
    assert are_equal_states(state.best_weights, (state.learner.parameters, state.learner.model_state))
    assert int(state.best_epoch) == EPOCHS


def test_diverged_lane_keeps_best() -> None:
    """At rate r a visit multiplies the error by 1 - 2 r / B, so NumPy in float32 knows when its square overflows."""
    rate = np.float32(1e6)
    w, bad = np.asarray(start(jnp.int32(0), jnp.int32(0)).learner.parameters["weight"][...])[:, 0].copy(), None
    with np.errstate(over="ignore", invalid="ignore"):
        for step, batch in enumerate(batch for epoch in range(EPOCHS) for batch in draw_batches(0, 0, epoch)):
            error = w[batch] - TARGETS[batch]
            if bad is None and not np.isfinite(np.square(error).mean()):
                bad = step
            w[batch] -= rate * np.float32(2 / BATCH) * error
    state = train_lane(replace(HYPER, learning_rate=rate))
    assert bad
    assert int(state.diverged_step) == bad
    assert int(state.step) % (EVERY * STEPS) == 0
    assert bad < int(state.step) <= bad + EVERY * STEPS
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.best_weights))


def test_non_finite_is_never_best() -> None:
    """The likeliest of NaNs is the first class, so accuracy stays a number; the loss does not."""

    class Hidden(Line):
        def metrics(self, predictions: jax.Array, targets: Tree, weight: jax.Array) -> dict[str, jax.Array]:  # noqa: ARG002
            return {"mse": jnp.float32(0.5), "score": jnp.where(jnp.isfinite(predictions).all(), 0.25, 0.75)}

    plan = replace(PLAN, task=Hidden(), objective="score")
    state = compile_alone(plan)(
        replace(HYPER, learning_rate=np.float32(1e38)),
        fit.init_state(plan, jnp.int32(0), jnp.int32(0)),
        DATA,
        jnp.int32(EPOCHS),
    )
    assert int(state.diverged_step) >= 0
    assert int(state.best_epoch) == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.best_weights))


def test_fold_padding_changes_nothing() -> None:
    """Fold 1 has two examples to validate on fewer, fold 0 two to train on fewer than the arrays are wide."""
    other = replace(DATA, validation_rows=pad_fold(VALIDATION, 30), train_rows=pad_fold(FOLDS, 33))
    for fold in (0, 1):
        assert are_equal_states(train_lane(fold=fold, until=EVERY), train_lane(fold=fold, data=other, until=EVERY))


def test_fold_validates_its_rows() -> None:
    for fold, rows in enumerate(VALIDATION):
        state = train_lane(fold=fold, until=EVERY)
        wanted = np.square(get_weights(state)[rows] - TARGETS[rows]).mean()
        assert float(state.curves["mse"][0]) == pytest.approx(wanted, rel=1e-5)
        assert float(state.curves["val_loss"][0]) == pytest.approx(wanted, rel=1e-5)


def test_resumed_run_equals_one_run() -> None:
    half = train_lane(until=4)
    assert int(half.step) == 4 * STEPS
    assert are_equal_states(run(HYPER, half, DATA, jnp.int32(EPOCHS)), train_lane())


def test_second_channel_is_background_difference() -> None:
    backgrounds = np.stack([np.full((SIDE, SIDE, 1), 51, np.uint8), np.full((SIDE, SIDE, 1), 102, np.uint8)])
    data = replace(
        DATA,
        images=np.full((2, SIDE, SIDE, 1), 153, np.uint8),
        background_index=np.array([0, 1], np.int32),
        backgrounds=jnp.asarray(backgrounds),
        mean=np.array([0.1, 0.2], np.float32),
        scale=np.array([1.0, 10.0], np.float32),
    )
    sees = Network(f"{Mirror.__module__}.Mirror", (SIDE, SIDE, 2), (SIDE, SIDE, 2))
    seen = infer_outputs(sees, sees.init(jax.random.key(0)), jax.tree.map(jnp.asarray, data), jnp.array([0, 1]))
    np.testing.assert_allclose(seen[..., 0], 0.5, rtol=1e-5)
    np.testing.assert_allclose(seen[0, ..., 1], (0.4 - 0.2) * 10, rtol=1e-5)
    np.testing.assert_allclose(seen[1, ..., 1], 0.0, atol=1e-5)


class Mirror(nnx.Module):
    """Gives back what it is shown."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.one, self.none = nnx.Param(jnp.ones(())), nnx.Variable(jnp.zeros(()))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.one[...]


def test_forward_pass_keeps_row_order() -> None:
    rows = jnp.array([5, 0, 3, 3, 9, 1, 7])
    state = start(jnp.int32(0), jnp.int32(0))
    data = jax.tree.map(jnp.asarray, DATA)
    wanted = get_weights(state)[np.asarray(rows)]
    for size in (1, 3, 7, 100):
        pieces = jax.lax.map(
            partial(infer_outputs, NETWORK, PLAN.select_weights(state.learner), data), batches.split_chunks(rows, size)
        )
        outputs = batches.join_chunks(pieces, len(rows))
        np.testing.assert_allclose(outputs[:, 0], wanted, rtol=1e-6)


@cache
def compile_block(each: LaneMap) -> Callable[..., LaneState]:
    """A function that advances a block of lanes."""
    return jax.jit(partial(fit.advance_block, PLAN, each))


def train_several(each: LaneMap, rates: Sequence[float], until: Sequence[int]) -> list[LaneState]:
    """Lanes of seed 0 that differ in their rates, each to its own epoch, as one block."""
    hypers = [replace(HYPER, learning_rate=np.float32(rate)) for rate in rates]
    states = [start(jnp.int32(0), jnp.int32(0)) for _ in rates]
    block = jax.tree.map(lambda *leaves: jnp.stack(leaves), *zip(hypers, states, strict=True))
    ended = compile_block(each)(*block, DATA, jnp.array(until, jnp.int32))
    return [jax.tree.map(lambda leaf, i=i: leaf[i], ended) for i in range(len(rates))]


RATES = (0.5, 1e38, 0.01, 0.2, 0.3)
UNTIL = (EPOCHS, EPOCHS, EVERY, 0, 2 * EVERY)


def test_lanes_are_independent() -> None:
    for lane, rate, until in zip(train_several(map_sequential, RATES, UNTIL), RATES, UNTIL, strict=True):
        wanted = train_lane(replace(HYPER, learning_rate=np.float32(rate)), until=until)
        assert are_equal_states(lane, wanted)


def test_vmapped_lanes_match_to_rounding() -> None:
    for lane, other in zip(
        train_several(map_sequential, RATES, UNTIL), train_several(map_vmapped, RATES, UNTIL), strict=True
    ):
        assert int(lane.step) == int(other.step)
        assert int(lane.diverged_step) == int(other.diverged_step)
        for a, b in zip(jax.tree.leaves(lane.best_weights), jax.tree.leaves(other.best_weights), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("each", [map_sequential, map_vmapped])
def test_shared_augmentation_equals_own(each: LaneMap) -> None:
    """With equal strengths it is the same whether a mini-batch is augmented once for all or for each lane."""
    plan, ended = replace(PLAN, augmentation_names=("flip", "noise")), []
    hyper = replace(HYPER, augment={"flip": np.float32(0.5), "noise": np.float32(0.1)})
    for tuned in (True, False):
        state = start(jnp.int32(0), jnp.int32(0))
        train_alone = compile_alone(replace(plan, augmentation_searched=tuned), each)
        ended.append(train_alone(hyper, state, DATA, jnp.int32(EVERY)))
    assert are_equal_states(ended[0].learner.model_state, ended[1].learner.model_state)
    np.testing.assert_allclose(get_weights(ended[0]), get_weights(ended[1]), rtol=1e-5, atol=1e-6)
    assert not are_equal_states(ended[0].learner.model_state, train_lane(until=EVERY).learner.model_state)


def test_searched_augmentation_is_per_lane() -> None:
    plan = replace(PLAN, augmentation_names=("flip",))
    hypers = [replace(HYPER, augment={"flip": np.float32(share)}) for share in (0.0, 1.0)]
    states = [start(jnp.int32(0), jnp.int32(0))] * 2
    block = jax.tree.map(lambda *leaves: jnp.stack(leaves), *zip(hypers, states, strict=True))
    ended = jax.jit(partial(fit.advance_block, plan, map_sequential))(
        *block, DATA, jnp.array([EVERY, EVERY], jnp.int32)
    )
    first, second = np.asarray(ended.learner.model_state["visits"][...])
    assert np.array_equal(first, np.asarray(train_lane(until=EVERY).learner.model_state["visits"][...]))
    assert not np.array_equal(first, second)
