"""Optuna and PyTorch as in Optuna's examples: `study.optimize`, a DataLoader, a loop in Python."""

import time

import optuna
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import case
from benchmarks.contest import parse_request, print_answer
from benchmarks.peers import asking
from benchmarks.peers.nets import DEVICE, LOSSES, build_network, load_arrays


def main() -> None:
    request = parse_request()
    inputs, count = load_arrays()
    data_sets = [TensorDataset(inputs[rows], count[rows]) for rows in (slice(case.TRAIN), slice(case.TRAIN, None))]
    trained = 0

    def objective(trial: optuna.trial.BaseTrial) -> float:
        nonlocal trained
        values = asking.suggest_values(trial)
        model = build_network(request.model).to(DEVICE)
        optimizer = torch.optim.SGD(model.parameters(), lr=values["learning_rate"], momentum=values["momentum"])
        loss = LOSSES[values["loss"]]
        training = DataLoader(data_sets[0], batch_size=case.BATCH, shuffle=True)
        validation = DataLoader(data_sets[1], batch_size=case.BATCH)
        best = float("inf")
        for epoch in range(request.epochs):
            model.train()
            for images, targets in training:
                optimizer.zero_grad()
                loss(model(images), targets).backward()
                optimizer.step()
            model.eval()
            total_error = 0.0
            with torch.no_grad():
                for images, targets in validation:
                    total_error += (model(images) - targets).abs().sum().item()
            error = total_error / len(data_sets[1])
            best, trained = min(best, error), trained + 1
            trial.report(error, epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    def train_seed(trial: optuna.trial.BaseTrial, seed: int) -> float:
        torch.manual_seed(seed)
        return objective(trial)

    torch.manual_seed(0)
    began = time.perf_counter()
    study = asking.create_study(request.prune, optuna.pruners.MedianPruner(), request.trials)
    study.optimize(objective, n_trials=request.trials)
    seconds, epochs = time.perf_counter() - began, trained
    winner = asking.train_winner(study, train_seed, request.winner_seeds)
    print_answer(seconds, epochs, asking.list_errors(study), winner)


if __name__ == "__main__":
    main()
