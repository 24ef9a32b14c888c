"""The networks and losses of the case in PyTorch."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import case

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

LOSSES = {
    "l1": functional.l1_loss,
    "l2": functional.mse_loss,
    "huber": lambda prediction, truth: functional.huber_loss(prediction, truth, delta=case.DELTA),
}


def build_network(model: str) -> nn.Module:
    """Build a network from [B, 1, 32, 32] to [B] counts, with PyTorch's default initial weights."""
    layers: list[nn.Module] = []
    if model == "cnn":
        for inputs, outputs in itertools.pairwise((1, *case.CHANNELS)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        side = case.SIDE // 2 ** len(case.CHANNELS)
        width = case.CHANNELS[-1] * side * side
    else:
        width = case.SIDE * case.SIDE
    layers.append(nn.Flatten())
    for units in case.HIDDEN if model == "mlp" else ():
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Softplus(), nn.Flatten(0))


def load_arrays() -> tuple[Tensor, Tensor]:
    """Return inputs [N, 1, 32, 32] and counts [N] of all examples, on the device."""
    examples = case.draw_examples()
    inputs, count = torch.from_numpy(examples.compute_inputs()), torch.from_numpy(examples.count)
    return inputs[:, None].to(DEVICE), count.to(DEVICE)
