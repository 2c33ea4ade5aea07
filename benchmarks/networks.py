"""What EaPU adds to a whole training step of the paper's ResNet-34.

Its 21,265,088 array weights learn from images of CIFAR's shape. The forward and the
backward pass are one program, whoever updates: a step takes as long as this pass and
the update of its own. Only the pass grows with the batch, so that the share is that of
the batch which is named: the authors' 128 on a GPU, less on one core.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax

from benchmarks.clock import interleaved, row
from benchmarks.eapu import LEARNING_RATE, gate, mean_share, write
from experiments.learning.networks import resnet34

ON_A_CORE, ON_A_GPU = 32, 128
"""Images in a step."""


def rows(batch: int = 0, repeats: int = 2) -> list[dict[str, Any]]:
    """A training step with EaPU and the write, over one with Adam or SGD alone."""
    on_cpu = jax.default_backend() == "cpu"
    batch = batch or (ON_A_CORE if on_cpu else ON_A_GPU)
    key, net = jr.key(0), resnet34()
    x, y = jr.normal(key, (batch, 32, 32, 3)), jnp.arange(batch) % 10
    chains = {
        "adam": optax.adam(LEARNING_RATE),
        "sgd": optax.sgd(0.1, momentum=0.9),
        "eapu": optax.chain(gate(key), write(key)),
    }
    bench = Steps(chains, gradient(net, x, y), jax.jit(net.init)(key, x[:1]))
    calls = {name: lambda n=name: bench.update(n) for name in chains}
    took = interleaved({"pass": bench.learn} | calls, repeats)
    step = {name: took["pass"] + took[name] for name in chains}
    share = mean_share(bench.states["eapu"], repeats + 1)
    name, unit = f"training step, ResNet-34 at 32x32, batch {batch}", "CPU s"
    return [
        row(
            f"{name}: EaPU and write over Adam",
            step["eapu"] / step["adam"],
            "x",
            target="<= 1.05",
            note=f"{share:.1%} written, as at the start of a training",
        ),
        row(f"{name}: EaPU and write over SGD", step["eapu"] / step["sgd"], "x"),
        row(f"{name}: forward and backward", took["pass"], unit if on_cpu else "s"),
        *(
            row(f"{name}: update, {which}", took[which], unit if on_cpu else "s")
            for which in chains
        ),
    ]


class Steps:
    """One training, by EaPU, whose gradients all contestants are given in turn."""

    def __init__(self, chains: dict[str, Any], gradient: Callable, variables: Any):
        self.gradient, self.rest = gradient, dict(variables)
        first = self.rest.pop("params")
        self.params = {name: jax.tree.map(jnp.copy, first) for name in chains}
        self.states = {name: tx.init(first) for name, tx in chains.items()}
        self.updates = {name: updating(tx) for name, tx in chains.items()}

    def learn(self):
        """Forward and backward at the weights that EaPU has reached."""
        self.grads, self.rest = self.gradient(self.params["eapu"], self.rest)
        return self.grads

    def update(self, name: str):
        """The update of one contestant by the last gradients."""
        held = self.params[name], self.states[name]
        self.params[name], self.states[name] = self.updates[name](self.grads, *held)
        return self.params[name]


def updating(tx: optax.GradientTransformation) -> Callable:
    """`update(gradients, params, state) -> params, state`, in the same memory."""

    def update(grads, params, state):
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    return jax.jit(update, donate_argnums=(1, 2))


def gradient(net: Any, x: jax.Array, y: jax.Array) -> Callable:
    """`gradient(params, statistics) -> gradients, statistics` of one batch."""

    def loss(params, rest):
        variables = {"params": params, **rest}
        logits, moved = net.apply(variables, x, train=True, mutable=list(rest))
        each = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return each.mean(), moved

    return jax.jit(jax.grad(loss, has_aux=True))
