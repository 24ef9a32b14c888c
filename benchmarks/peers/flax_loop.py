"""Optuna, Flax and Optax as in their guides: one jitted step per trial, a loop over batches."""

import itertools
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optuna
from flax import nnx
from jax import Array

from benchmarks import case
from benchmarks.contest import parse_request, print_answer
from benchmarks.peers import asking

LOSSES = {
    "l1": lambda prediction, targets: jnp.abs(prediction - targets),
    "l2": optax.squared_error,
    "huber": lambda prediction, targets: optax.huber_loss(prediction, targets, delta=case.DELTA),
}


class Network(nnx.Module):
    """[B, 32, 32, 1] -> [B] counts."""

    def __init__(self, model: str, rngs: nnx.Rngs) -> None:
        channels = (1, *case.CHANNELS) if model == "cnn" else (1,)
        pairs = itertools.pairwise(channels)
        self.convs = nnx.List([nnx.Conv(i, o, (3, 3), strides=2, rngs=rngs) for i, o in pairs])
        side = case.SIDE // 2 ** len(self.convs)
        widths = (channels[-1] * side * side, *(case.HIDDEN if model == "mlp" else ()))
        self.hidden = nnx.List([nnx.Linear(i, o, rngs=rngs) for i, o in itertools.pairwise(widths)])
        self.head = nnx.Linear(widths[-1], 1, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        for conv in self.convs:
            x = nnx.relu(conv(x))
        x = x.reshape(len(x), -1)
        for layer in self.hidden:
            x = nnx.relu(layer(x))
        return nnx.softplus(self.head(x))[:, 0]


def main() -> None:
    request = parse_request()
    examples = case.draw_examples()
    inputs, count = examples.compute_inputs()[..., None], examples.count
    shuffle = np.random.default_rng(0)
    trained, first_steps = 0, 0.0

    def train_trial(trial: optuna.trial.BaseTrial, seed: int = 0) -> float:
        nonlocal trained, first_steps
        values = asking.suggest_values(trial)
        model = Network(request.model, nnx.Rngs(seed))
        gradient_step = optax.sgd(values["learning_rate"], values["momentum"])
        optimizer = nnx.Optimizer(model, gradient_step, wrt=nnx.Param)
        update, compute_error = _compile_functions(values["loss"])
        best = float("inf")
        for epoch in range(request.epochs):
            order = shuffle.permutation(case.TRAIN)
            for start in range(0, case.TRAIN, case.BATCH):
                began = time.perf_counter()
                rows = order[start : start + case.BATCH]
                update(model, optimizer, inputs[rows], count[rows])
                if not (epoch or start):
                    first_steps += time.perf_counter() - began
            error = float(compute_error(model, inputs[case.TRAIN :], count[case.TRAIN :]))
            best, trained = min(best, error), trained + 1
            trial.report(error, epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    began = time.perf_counter()
    study = asking.create_study(request.prune, optuna.pruners.MedianPruner(), request.trials)
    study.optimize(train_trial, n_trials=request.trials)
    seconds, epochs, compile_seconds = time.perf_counter() - began, trained, first_steps
    winner = asking.train_winner(study, train_trial, request.winner_seeds)
    print_answer(seconds, epochs, asking.list_errors(study), winner, compile_seconds=compile_seconds)


def _compile_functions(loss: str) -> tuple[Any, Any]:
    """Return the step and the measurement, compiled for one trial."""

    @nnx.jit
    def update(model: Network, optimizer: nnx.Optimizer[Network], images: Array, targets: Array) -> None:
        def compute_mean_loss(model: Network) -> Array:
            error: Array = LOSSES[loss](model(images), targets).mean()
            return error

        optimizer.update(model, nnx.grad(compute_mean_loss)(model))

    @nnx.jit
    def compute_error(model: Network, images: Array, targets: Array) -> Array:
        error: Array = jnp.abs(model(images) - targets).mean()
        return error

    return update, compute_error


if __name__ == "__main__":
    # JAX's default: no compiled program is kept between runs
    jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]
    main()
