"""Memristor training: the price of noisy writes over the bare optimiser.

Every figure comes from whole training runs in one `lax.scan`, so that what fuses
in a real run fuses here. All states, counters of writes included, are kept.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from sklearn.datasets import load_digits

import eapu_jax as ej
from benchmarks.clock import interleaved, row
from experiments.data import load_images

R_WG = 1 / 80
THRESHOLD = 2 / 80
LEARNING_RATE = 1e-3
CROSSBAR = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=R_WG)

TORCH = "recorded on another day: torch EaPU of its authors x3.1 of torch Adam"
SOFT = "recorded on another day: aihwkit pulsed SGD on soft bounds 128"
LOOP = "recorded on another day: torch SGD loop 19, aihwkit 86 to 595"


def rows() -> list[dict[str, Any]]:
    """All figures of merit of the memristor half."""
    return [*training_step(), *chip_epoch(), *many_chips()]


def training_step(repeats: int = 5) -> list[dict[str, Any]]:
    """EaPU and the write on the MLP 784-256-128-10 at batch 64, over Adam alone."""
    key, steps = jr.key(0), 620  # ten epochs: a whole training, not its wild start
    xs, ys = mnist(batch=64, steps=steps)
    params = init(key, (784, 256, 128, 10))
    chains = {
        "adam": optax.adam(LEARNING_RATE),
        "gate": gate(key),
        "eapu": optax.chain(gate(key), write(key)),
        "noisy": optax.chain(optax.adam(LEARNING_RATE), ej.write_all(), write(key)),
    }
    runs = {name: jax.jit(trainer(tx, xs, ys)) for name, tx in chains.items()}
    early = 40
    first = jax.jit(trainer(chains["eapu"], xs[:early], ys[:early]))
    calls = {n: lambda f=f: f(params) for n, f in runs.items()}
    took = interleaved(calls | {"early": lambda: first(params)}, repeats)
    took["early"] *= steps / early
    ratio = {name: seconds / took["adam"] for name, seconds in took.items()}
    share = mean_share(runs["eapu"](params)[1], steps)
    early_share = mean_share(first(params)[1], early)
    name = "training step 784-256-128-10, batch 64"
    return [
        row(
            f"{name}: EaPU and write over Adam",
            ratio["eapu"],
            "x",
            target="<= 1.3",
            note=f"{share:.1%} written. {TORCH}",
        ),
        row(
            f"{name}: EaPU and write over Adam, the first {early} steps",
            ratio["early"],
            "x",
            target="<= 1.45",
            note=f"{early_share:.1%} written",
        ),
        row(f"{name}: the gate alone over Adam", ratio["gate"], "x"),
        row(f"{name}: noisy backpropagation over Adam", ratio["noisy"], "x"),
        row(f"{name}: Adam", took["adam"] / steps * 1e3, "CPU ms"),
    ]


def chip_epoch(chips: int = 64, repeats: int = 9) -> list[dict[str, Any]]:
    """Digits, 64-32-10, batch 32, 45 steps: chips trained side by side."""
    xs, ys = digits(batch=32, steps=45)
    params = init(jr.key(0), (64, 32, 10))

    def bare(key):
        return trainer(optax.adam(LEARNING_RATE), xs, ys)(
            jax.tree.map(lambda p: p + 0 * jr.uniform(key), params)
        )

    def chip(key):
        return trainer(optax.chain(gate(key), write(key)), xs, ys)(params)

    def soft(key):
        crossbar = ej.Crossbar(device=ej.SoftBounds(), r_wg=R_WG)
        pulsed = ej.program(crossbar, key=jr.fold_in(key, 1))
        return trainer(optax.chain(gate(key), pulsed), xs, ys)(params)

    keys = jr.split(jr.key(1), chips)
    of = {"adam": bare, "eapu": chip, "soft": soft}
    runs = {name: jax.jit(jax.vmap(one)) for name, one in of.items()}
    took = interleaved({n: lambda f=f: f(keys) for n, f in runs.items()}, repeats)
    name = f"chip-epoch, digits 64-32-10, {chips} chips vmapped"
    per = 1e3 / chips
    return [
        row(
            f"{name}: EaPU",
            took["eapu"] * per,
            "CPU ms",
            floor=took["adam"] * per,
            note=f"floor: Adam alone, same chips. {LOOP}",
        ),
        row(
            f"{name}: EaPU over Adam", took["eapu"] / took["adam"], "x", target="<= 1.6"
        ),
        row(
            f"{name}: EaPU on soft bounds",
            took["soft"] * per,
            "CPU ms",
            target="<= 3",
            note=SOFT,
        ),
    ]


def many_chips(chips: int = 1000, repeats: int = 3) -> list[dict[str, Any]]:
    """1,000 different chips at three thresholds: a sweep that is one compiled call."""
    xs, ys = digits(batch=32, steps=45)
    params = init(jr.key(0), (64, 10))
    spread = ej.Spread(chip_to_chip={"write_noise": 0.1}, stuck_rate=0.01)
    arrays = ej.sample_chips(jr.key(2), chips, CROSSBAR, params, spread)
    keys, thresholds = jr.split(jr.key(1), chips), THRESHOLD * jnp.array([0.5, 1, 2])
    traced = []

    def chip(key, array, threshold):
        traced.append(threshold)
        write = ej.program(array, key=jr.fold_in(key, 1))
        return trainer(optax.chain(gate(key, threshold), write), xs, ys)(params)[0]

    over_chips = jax.vmap(chip, in_axes=(0, 0, None))
    sweep = jax.jit(jax.vmap(over_chips, in_axes=(None, None, 0)))
    took = interleaved({"sweep": lambda: sweep(keys, arrays, thresholds)}, repeats)
    name = f"{chips} chips x 3 thresholds, digits 64-10, 45 steps"
    return [
        row(f"{name}: whole sweep", took["sweep"], "CPU s"),
        row(f"{name}: compiled calls", len(traced), "", target="<= 1"),
    ]


def gate(key: jax.Array, threshold: Any = THRESHOLD):
    """Adam and the decision which cells to write."""
    return optax.chain(optax.adam(LEARNING_RATE), ej.eapu(threshold, key=key))


def write(key: jax.Array):
    """The write, with other draws than the gate."""
    return ej.program(CROSSBAR, key=jr.fold_in(key, 1))


def mnist(batch: int, steps: int) -> tuple[jax.Array, jax.Array]:
    """Batches of the 4,000 bundled training images, in an order of their own."""
    images = load_images("mnist5k")
    order = jr.randint(jr.key(0), (steps, batch), 0, len(images.y_train))
    return jnp.asarray(images.x_train).reshape(-1, 784)[order], images.y_train[order]


def trainer(tx: optax.GradientTransformation, xs: jax.Array, ys: jax.Array) -> Callable:
    """`train(params) -> params, state` over all batches."""

    def step(carry, batch):
        params, state = carry
        updates, state = tx.update(jax.grad(loss)(params, *batch), state, params)
        return (optax.apply_updates(params, updates), state), None

    return lambda params: jax.lax.scan(step, (params, tx.init(params)), (xs, ys))[0]


def init(key: jax.Array, sizes: tuple[int, ...]) -> list[Any]:
    """Weights and biases of a multilayer perceptron, He's scale."""
    keys = jr.split(key, len(sizes) - 1)
    pairs = zip(keys, sizes, sizes[1:], strict=False)
    return [(jr.normal(k, (m, n)) * np.sqrt(2 / m), jnp.zeros(n)) for k, m, n in pairs]


def loss(params: list[Any], x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross-entropy."""
    *hidden, (w, b) = ej.merged(params)
    for v, c in hidden:
        x = jax.nn.relu(x @ v + c)
    return optax.softmax_cross_entropy_with_integer_labels(x @ w + b, y).mean()


def digits(batch: int, steps: int) -> tuple[jax.Array, jax.Array]:
    """Batches of scikit-learn's digits, scaled to 0 to 1."""
    x, y = load_digits(return_X_y=True)
    x, y = x[: batch * steps] / 16, y[: batch * steps]
    return jnp.asarray(x.reshape(steps, batch, 64), jnp.float32), jnp.asarray(
        y.reshape(steps, batch), jnp.int32
    )


def mean_share(state: Any, steps: int) -> float:
    """Share of the cells that one step writes, over the whole run."""
    writes = ej.writes_per_cell(state).values()
    return float(sum(n.sum() for n in writes) / sum(n.size for n in writes) / steps)
