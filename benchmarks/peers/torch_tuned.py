"""Optuna and PyTorch tuned by hand: tensors instead of a DataLoader, one process per core, a lean step.

The options are the variants tried; the defaults were the fastest on two cores (README.md).
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from threading import Barrier
from typing import Any

import optuna
import torch
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from torch import Tensor, nn

from benchmarks import case
from benchmarks.contest import Request, count_cores, parse_request, print_answer
from benchmarks.peers import asking
from benchmarks.peers.nets import DEVICE, LOSSES, build_network, load_arrays

NAME = "tuned"


def main() -> None:
    request = parse_request(processes=0, threads=1, sgd="foreach", layout="plain")
    processes = request.more["processes"] or (1 if DEVICE.type == "cuda" else count_cores())
    if processes == 1:
        began = time.perf_counter()
        study = asking.create_study(request.prune, asking.build_halving(), request.trials, study_name=NAME)
        trials_left = multiprocessing.get_context("spawn").Value("i", request.trials)
        started: list[float] = []
        epochs = train_trials(request, trials_left, lambda: study, lambda: started.append(time.perf_counter()))
        seconds = time.perf_counter() - max(began, started[0])
        print_answer(seconds, epochs, asking.list_errors(study), train_winner(request, study))
        return
    with tempfile.TemporaryDirectory() as folder:
        run_processes(request, processes, Path(folder))


def run_processes(request: Request, processes: int, folder: Path) -> None:
    """Run a study in several processes. The clock starts when all of them have their data."""
    context = multiprocessing.get_context("spawn")
    barrier, trials_left, epochs = context.Barrier(processes + 1), context.Value("i", request.trials), context.Queue()
    workers = [
        context.Process(target=_run_worker, args=(request, str(folder / "journal"), barrier, trials_left, epochs))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    began = time.perf_counter()
    study = asking.create_study(
        request.prune, asking.build_halving(), request.trials, storage=_build_storage(folder / "journal")
    )
    barrier.wait()
    trained = sum(epochs.get() for _ in workers)
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    print_answer(seconds, trained, asking.list_errors(study), train_winner(request, study))


def train_winner(request: Request, study: optuna.Study) -> list[float]:
    """Train the best trial's values with other seeds."""
    torch.set_num_threads(request.more["threads"])
    inputs, count = load_arrays()

    def train_seed(trial: optuna.trial.BaseTrial, seed: int) -> float:
        torch.manual_seed(seed)
        return _train_trial(request, trial, inputs, count)[0]

    return asking.train_winner(study, train_seed, request.winner_seeds)


def _build_storage(file: Path) -> BaseStorage:
    return JournalStorage(JournalFileBackend(str(file)))


def _run_worker(request: Request, file: str, barrier: Barrier, trials_left: "Synchronized[int]", epochs: Any) -> None:
    def open_study() -> optuna.Study:
        storage = _build_storage(Path(file))
        (name,) = (study.study_name for study in storage.get_all_studies())
        sampler = optuna.samplers.TPESampler(constant_liar=True) if request.prune else optuna.samplers.RandomSampler()
        pruner = asking.build_halving() if request.prune else optuna.pruners.NopPruner()
        return optuna.load_study(study_name=name, storage=storage, sampler=sampler, pruner=pruner)

    def wait_for_data() -> None:
        barrier.wait()  # all processes have their data: the clock starts
        barrier.wait()  # the study exists

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    epochs.put(train_trials(request, trials_left, open_study, wait_for_data))


def train_trials(
    request: Request,
    trials_left: "Synchronized[int]",
    open_study: Callable[[], optuna.Study],
    wait_for_data: Callable[[], None],
) -> int:
    """Train trials until none are left; return the number of epochs."""
    torch.set_num_threads(request.more["threads"])
    torch.manual_seed(0)
    inputs, count = load_arrays()
    wait_for_data()
    study, trained = open_study(), 0
    while _take_trial(trials_left):
        trial = study.ask()
        best, epochs, pruned = _train_trial(request, trial, inputs, count)
        trained += epochs
        study.tell(trial, None if pruned else best, optuna.trial.TrialState.PRUNED if pruned else None)
    return trained


def _take_trial(trials_left: "Synchronized[int]") -> bool:
    with trials_left.get_lock():
        trials_left.value -= 1
        return trials_left.value >= 0


def _train_trial(
    request: Request, trial: optuna.trial.BaseTrial, inputs: Tensor, count: Tensor
) -> tuple[float, int, bool]:
    """Train a trial; return its best error, its epochs, and whether it was pruned."""
    values = asking.suggest_values(trial)
    model = build_network(request.model).to(DEVICE)
    if request.more["layout"] == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    step = _build_update(request.more["sgd"], model, values)
    loss, best = LOSSES[values["loss"]], float("inf")
    for epoch in range(1, request.epochs + 1):
        order = torch.randperm(case.TRAIN, device=DEVICE)
        # one gather per epoch, then views: cheaper than one gather per batch
        batches = zip(inputs[order].split(case.BATCH), count[order].split(case.BATCH), strict=True)
        for images, targets in batches:
            loss(model(images), targets).backward()
            step()
        with torch.inference_mode():
            error = (model(inputs[case.TRAIN :]) - count[case.TRAIN :]).abs().mean().item()
        best = min(best, error)
        trial.report(error, epoch)
        if request.prune and trial.should_prune():
            return best, epoch, True
    return best, request.epochs, False


def _build_update(kind: str, model: nn.Module, values: dict[str, Any]) -> Callable[[], None]:
    """Return a step that updates with momentum and clears gradients: PyTorch's optimizer, or its bare arithmetic."""
    weights, rate, momentum = list(model.parameters()), values["learning_rate"], values["momentum"]
    if kind != "bare":
        variant = {"foreach": {"foreach": True}, "fused": {"fused": True}, "loop": {"foreach": False}}[kind]
        optimizer = torch.optim.SGD(weights, lr=rate, momentum=momentum, **variant)

        def step() -> None:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        return step
    velocities = [torch.zeros_like(weight) for weight in weights]

    def update_bare() -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        with torch.no_grad():
            torch._foreach_mul_(velocities, momentum)
            torch._foreach_add_(velocities, gradients)
            torch._foreach_add_(weights, velocities, alpha=-rate)
        for weight in weights:
            weight.grad = None

    return update_bare


if __name__ == "__main__":
    main()
