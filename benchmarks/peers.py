"""What others need for the same: PyTorch and IBM's analog hardware kit, where they are.

Neither is a dependency: without them there are no rows. The optimizer in PyTorch is
the published rule in our words, on top of `torch.optim.Adam`; the kit's layers are as
the kit has them. One thread.
"""

import importlib
import itertools
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.clock import interleaved, row
from benchmarks.eapu import LEARNING_RATE, R_WG, THRESHOLD, digits, mnist

WRITE_NOISE = 2.0 * R_WG
"""Standard deviation of one write, in units of the weights."""


def rows() -> list[dict[str, Any]]:
    """Rows of the peers that are installed."""
    found = []
    if find_spec("torch"):
        found += training_step()
    if find_spec("aihwkit"):
        found += chip_epoch()
    return found


def training_step(repeats: int = 5, steps: int = 620) -> list[dict[str, Any]]:
    """EaPU and the write over Adam alone, MLP 784-256-128-10, batch 64, in PyTorch."""
    xs, ys = _tensors(*mnist(batch=64, steps=steps))
    rules = {"adam": _adam, "eapu": _eapu, "noisy": _noisy}
    calls = {
        name: lambda rule=rule: _trained(_mlp(784, 256, 128, 10), rule, xs, ys)
        for name, rule in rules.items()
    }
    took = interleaved(calls, repeats)
    name = "torch, training step 784-256-128-10, batch 64"
    return [
        row(f"{name}: EaPU and write over Adam", took["eapu"] / took["adam"], "x"),
        row(f"{name}: noisy over Adam", took["noisy"] / took["adam"], "x"),
        row(f"{name}: EaPU and write", took["eapu"] / steps * 1e3, "CPU ms"),
        row(f"{name}: Adam", took["adam"] / steps * 1e3, "CPU ms"),
    ]


def chip_epoch(repeats: int = 5) -> list[dict[str, Any]]:
    """One chip of the kit on soft bounds, digits 64-32-10, batch 32, 45 steps."""
    torch = _torch()
    nn, optim, configs = (
        importlib.import_module(f"aihwkit.{part}")
        for part in ("nn", "optim", "simulator.configs")
    )
    xs, ys = _tensors(*digits(batch=32, steps=45))
    config = configs.SingleRPUConfig(device=configs.SoftBoundsDevice())

    def pulsed() -> None:
        first = nn.AnalogLinear(64, 32, True, config)
        last = nn.AnalogLinear(32, 10, True, config)
        net = nn.AnalogSequential(first, torch.nn.ReLU(), last)
        optimizer = optim.AnalogSGD(net.parameters(), lr=0.1)
        optimizer.regroup_param_groups(net)
        _steps(net, optimizer.step, xs, ys)

    took = interleaved({"pulsed": pulsed}, repeats)
    name = "aihwkit, chip-epoch, digits 64-32-10: pulsed SGD on soft bounds"
    return [row(name, took["pulsed"] * 1e3, "CPU ms")]


def _torch() -> Any:
    return importlib.import_module("torch")


def _tensors(xs: Any, ys: Any) -> tuple[Any, Any]:
    """Batches as tensors, copied."""
    torch = _torch()
    torch.set_num_threads(1)
    told = np.array(jnp.asarray(ys), np.int64)
    return torch.from_numpy(np.array(xs)), torch.from_numpy(told)


def _mlp(*sizes: int) -> Any:
    torch = _torch()
    layers: list[Any] = []
    for m, n in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(m, n), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _trained(net: Any, rule: Callable[..., Callable[[], Any]], xs: Any, ys: Any) -> Any:
    _steps(net, rule(net), xs, ys)
    return net


def _steps(net: Any, step: Callable[[], Any], xs: Any, ys: Any) -> None:
    """One pass over all batches."""
    torch = _torch()
    for x, y in zip(xs, ys, strict=True):
        net.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(x), y).backward()
        step()


def _adam(net: Any) -> Callable[[], Any]:
    torch = _torch()
    return torch.optim.Adam(net.parameters(), lr=LEARNING_RATE).step


def _eapu(net: Any) -> Callable[[], Any]:
    return _written(net, THRESHOLD)


def _noisy(net: Any) -> Callable[[], Any]:
    return _written(net, None)


def _written(net: Any, threshold: float | None) -> Callable[[], Any]:
    r"""Adam's update, sent to an array: by EaPU, or all of it without a threshold.

    A cell is written with the probability $\min(1, |\Delta W| / \Delta W_{th})$, by
    $\Delta W$ or by the threshold with its sign, whichever is larger, and misses by
    $\mathcal N(0, s^2)$. Vectors are digital.
    """
    torch = _torch()
    adam = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    arrays = [p for p in net.parameters() if p.ndim == 2]

    @torch.no_grad()
    def step() -> None:
        before = [p.clone() for p in arrays]
        adam.step()
        for p, old in zip(arrays, before, strict=True):
            asked = p - old
            sent = asked + WRITE_NOISE * torch.randn_like(p)
            if threshold is not None:
                size = asked.abs()
                pulse = asked.sign() * size.clamp(min=threshold)
                hit = torch.rand_like(p) * threshold < size
                sent = torch.where(hit, pulse + (sent - asked), 0.0)
            p.copy_(old + sent)

    return step
