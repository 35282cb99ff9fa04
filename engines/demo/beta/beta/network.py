"""A small network for tables: standardised inputs, one hidden layer, gradient descent with momentum."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import nn

SEED = 11
MOMENTUM = 0.9

Tensors = Sequence[torch.Tensor]


class Network:
    """A regressor with scikit-learn's `fit` and `predict`."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.hidden = int(params["hidden"])
        self.epochs = int(params["epochs"])
        self.rate = float(params["rate"])
        self.decay = float(params["decay"])
        self.state: dict[str, torch.Tensor] = {}

    def _net(self, width: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(width, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 1))

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Train on rows `x` (n, width) and targets `y` (n)."""
        torch.manual_seed(SEED)
        rows, goal = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y, dtype=torch.float32)
        mean, spread = rows.mean(0), rows.std(0).clamp_min(1e-6)
        level, scale = goal.mean(), goal.std().clamp_min(1e-6)
        net = self._net(rows.shape[1])
        inputs, wanted = (rows - mean) / spread, (goal - level) / scale
        weights = list(net.parameters())
        speeds = [torch.zeros_like(weight) for weight in weights]
        for _ in range(self.epochs):
            loss = nn.functional.smooth_l1_loss(net(inputs).squeeze(1), wanted)
            self._step(weights, speeds, torch.autograd.grad(loss, weights))
        self.state = {"mean": mean, "spread": spread, "level": level, "scale": scale, **net.state_dict()}
        return self

    def _step(self, weights: Tensors, speeds: Tensors, slopes: Tensors) -> None:
        """Move the weights; written out because importing `torch.optim` costs seconds."""
        with torch.no_grad():
            for weight, speed, slope in zip(weights, speeds, slopes, strict=True):
                speed.mul_(MOMENTUM).add_(slope)
                weight.mul_(1 - self.rate * self.decay).sub_(self.rate * speed)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return one forecast a row."""
        state = dict(self.state)
        mean, spread, level, scale = (state.pop(name) for name in ("mean", "spread", "level", "scale"))
        net = self._net(len(mean))
        net.load_state_dict(state)
        rows = (torch.as_tensor(x, dtype=torch.float32) - mean) / spread
        with torch.no_grad():
            return (net(rows).squeeze(1) * scale + level).numpy().astype(float)


def save(model: Network, path: str) -> None:
    """Write settings and weights, without pickled code."""
    settings = {"hidden": model.hidden, "epochs": model.epochs, "rate": model.rate, "decay": model.decay}
    torch.save({"settings": settings, "state": model.state}, path)


def restore(path: str) -> Network:
    """Read what `save` wrote; only tensors and plain values are accepted."""
    kept = torch.load(path, weights_only=True)
    model = Network(kept["settings"])
    model.state = kept["state"]
    return model
