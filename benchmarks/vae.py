"""Training the lecture's variational autoencoder: igviz against eager PyTorch, in one run.

    python run.py bench vae

What both do is an epoch: all 1,257 binary digits in random order, in batches of 64, through an encoder of
64-64-64-4 and a decoder of 2-64-64-64 units with tanh between them; fresh noise, the ELBO and its
reparameterised gradient, a step of Adam at rate 2e-3; and the sum of the ELBOs as they were met.

- igviz: the walk behind `VAE.fit`.
- PyTorch: two `torch.nn.Sequential`, `binary_cross_entropy_with_logits`, and `torch.optim.Adam` as it comes.
  Images are picked by tensors of indices; there is no `DataLoader`.
- PyTorch, fused: the same, with `fused=True` for Adam, its fastest on processors.

Before anything is timed, the sides take a step from the same weights with the same images and noise; their
losses before and after it must agree. Then they take turns, a few epochs each, from the same weights, and the
times are medians over the rounds. Each has one thread, and what is measured is the processor's time, so that
whatever else the machine does costs neither side: two threads that wait for each other would be measured
instead.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Protocol

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from igviz.models.images import digits  # noqa: E402
from igviz.models.network import Network  # noqa: E402
from igviz.models.vae import BATCH, RATE, VAE  # noqa: E402
from igviz.models.vae_training import loss  # noqa: E402

EPOCHS = 5  # of one side before it is the other's turn
FASTER = 2.0
SAME = {"float32": 1e-5, "float64": 1e-12}  # relative, of losses of about 40 nats
SIDES = ("igviz", "PyTorch", "PyTorch, fused")


class Side(Protocol):
    """What trains."""

    def step(self, images: np.ndarray, noise: np.ndarray) -> float:
        """Take one step; return the loss before it, in nats an image."""

    def epoch(self) -> float:
        """Pass once over the digits; return the mean ELBO as met, in nats."""


class Igviz:
    """Ours."""

    def __init__(self, dtype: str) -> None:
        self.vae = VAE(dtype=dtype)
        self.vae.make(64)
        self.images = digits().training.astype(dtype)

    def step(self, images: np.ndarray, noise: np.ndarray) -> float:
        walk = self.vae.training.walk
        made = loss(walk.encoder, walk.decoder, images, noise, 1.0)
        walk.adams[0].step(walk.encoder.parameters, made.encoder, RATE)
        walk.adams[1].step(walk.decoder.parameters, made.decoder, RATE)
        return float(np.mean(made.kl - made.reconstruction))

    def epoch(self) -> float:
        reconstruction, kl = self.vae.training.walk.advance(self.images, 1.0, BATCH, RATE)
        return reconstruction - kl


class PyTorch:
    """The peer, from the same weights."""

    def __init__(self, dtype: str, fused: bool) -> None:
        start = Igviz(dtype)
        self.images = torch.tensor(start.images)
        self.encoder, self.decoder = (as_torch(one) for one in (start.vae.encoder, start.vae.decoder))
        weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.adam = torch.optim.Adam(weights, lr=RATE, fused=True if fused else None)

    def descend(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        mean, log_std = self.encoder(images).chunk(2, dim=1)
        logits = self.decoder(mean + log_std.exp() * noise)
        cost = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        kl = 0.5 * (mean.square() + (2.0 * log_std).exp() - 2.0 * log_std - 1.0).sum()
        value = (cost + kl) / len(images)
        self.adam.zero_grad()
        value.backward()
        self.adam.step()
        return value.detach()

    def step(self, images: np.ndarray, noise: np.ndarray) -> float:
        return self.descend(torch.from_numpy(images), torch.from_numpy(noise)).item()

    def epoch(self) -> float:
        total = torch.zeros((), dtype=self.images.dtype)
        for rows in torch.randperm(len(self.images)).split(BATCH):
            noise = torch.randn(len(rows), 2, dtype=self.images.dtype)
            total -= len(rows) * self.descend(self.images[rows], noise)
        return total.item() / len(self.images)


def as_torch(network: Network) -> torch.nn.Sequential:
    """Return the network with the same weights as PyTorch has it."""
    layers: list[torch.nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        layer = torch.nn.Linear(*weight.shape)
        layer.weight = torch.nn.Parameter(torch.tensor(weight.T.copy()))
        layer.bias = torch.nn.Parameter(torch.tensor(bias))
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def sides(dtype: str) -> dict[str, Side]:
    torch.manual_seed(0)
    made = (Igviz(dtype), PyTorch(dtype, fused=False), PyTorch(dtype, fused=True))
    return dict(zip(SIDES, made, strict=True))


def apart(dtype: str) -> float:
    """Return by how much the losses before and after a step differ, relatively; raise if by too much."""
    rng = np.random.default_rng(0)
    images = digits().training[:BATCH].astype(dtype)
    noise = rng.standard_normal((BATCH, 2)).astype(dtype)
    losses = np.array([[side.step(images, noise) for _ in range(2)] for side in sides(dtype).values()])
    found = float(np.max(np.abs(losses / losses[0] - 1.0)))
    if not found <= SAME[dtype] or not np.all(losses[:, 1] < losses[:, 0]):
        raise ArithmeticError(f"{dtype}: the losses of a step differ by {found:.1e}: {losses.tolist()}")
    return found


def measure(dtype: str, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the seconds of an epoch, and the ELBO that was met in the last one."""
    trained = sides(dtype)
    seconds: dict[str, list[float]] = {name: [] for name in trained}
    met = {}
    for turn in range(1 + rounds):  # what is loaded and laid out at first use is not timed
        note(f"{dtype}, round {turn} of {rounds}")
        for name, side in trained.items():
            start = time.process_time()
            for _ in range(EPOCHS):
                met[name] = side.epoch()
            if turn:
                seconds[name].append((time.process_time() - start) / EPOCHS)
    note("")
    return {name: median(some) for name, some in seconds.items()}, met


def compare(rounds: int) -> tuple[list[str], list[str]]:
    """Return the table, and how the aim was met."""
    times, met = {}, {}
    for dtype in SAME:
        times[dtype], met[dtype] = measure(dtype, rounds)
    lines = [
        "\nAn epoch:\n",
        "| | " + " | ".join(f"{dtype}, ms | ELBO, nats" for dtype in times) + " |",
        "|---|" + "---:|" * (2 * len(times)),
    ]
    for name in SIDES:
        cells = [f"{1000 * times[dtype][name]:.1f} | {met[dtype][name]:.1f}" for dtype in times]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    words = []
    for dtype, some in times.items():
        ratios = {name: some[name] / some["igviz"] for name in SIDES[1:]}
        told = ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
        met_aim = verdict(ratios["PyTorch"] >= FASTER)
        words.append(f"- {dtype}: {told} times igviz's time ({met_aim})")
    return lines, words


def verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


def note(text: str) -> None:
    """Say on a terminal what is going on; an empty text wipes it away."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help=f"times that each side does {EPOCHS} epochs")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")

    for dtype in SAME:
        print(f"{dtype}: relative difference of the losses before and after a step {apart(dtype):.0e}")
    lines, words = compare(options.rounds)
    print("\n".join(lines))
    print(f"\nAim: PyTorch takes at least {FASTER:g} times as long:\n")
    print("\n".join(words))
    print(
        f"\n{options.rounds} rounds of {EPOCHS} epochs; {os.cpu_count()} cores, one thread, "
        f"Python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
