"""How many chips of a batch are good enough, against spread and stuck cells.

Every chip has its own devices, its own stuck cells, its own starting weights and
its own dice; a small network learns on each. What a hardware team needs to know:
which spread and which rate of stuck cells still give the yield it wants.

The kinds of imperfection are ASSUMED: log-normal write noise, from chip to chip
and again from cell to cell with the same relative spread, and cells that are
stuck, equally often, at zero or at either stuck level.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
import xarray as xr

import eapu_jax as ej
from eapu_jax.placement import on_array
from experiments.claims import Claim
from experiments.data import Images
from experiments.memristor.chip_yield_figure import plot as plot
from experiments.memristor.setting import PUBLIC_R_WG, images, require_images
from experiments.networks import Network, mlp
from experiments.sweep import (
    Fraction,
    Histogram,
    Moments,
    Quantiles,
    Reported,
    sweep,
)
from experiments.training import accuracy, prepare
from experiments.validate import (
    Count,
    CountOrZero,
    Distinct,
    NonNegative,
    Positive,
    Proportion,
    Seed,
    Width,
    check,
)
from experiments.work import Work

REPRODUCES = "nothing published: accuracy, lifetime and yield of 128 to 10,000 chips"
MINUTES = 0.5


@dataclass(frozen=True, kw_only=True)
class Training:
    """What one training depends on; numbers may be swept, see `one_chip`.

    Attributes:
        write_noise: SD of one write error of the nominal device, uS.
        threshold: of EaPU, uS.
        r_wg: weight per conductance, 1/uS.
        spread: relative log-normal spread of the write noise, from chip to chip
            and again from cell to cell.
        stuck_rate: probability that a cell is stuck.
        stuck_level: conductance at which cells stick, of either sign or zero, uS.
        learning_rate: of Adam.
        batch: which chips: another batch, other devices.
        hidden: width of the hidden layer (structural).
        epochs: passes over the training images (structural).
        batch_size: images per step (structural).
        n_train: training images (structural).
        n_test: test images (structural).
    """

    write_noise: NonNegative = 2.0
    threshold: Positive = 2.0
    r_wg: Positive = PUBLIC_R_WG
    spread: NonNegative = 0.0
    stuck_rate: Proportion = 0.0
    stuck_level: NonNegative = 40.0
    learning_rate: Positive = 3e-3
    batch: Seed = 0
    hidden: Width = 32
    epochs: Count = 3
    batch_size: Count = 32
    n_train: Count = 1440
    n_test: Count = 355

    def __post_init__(self):
        """Check every field; the digits must be there, and fill a batch."""
        check(self)
        require_images(self, "digits")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Train a batch of chips at every spread and every rate of stuck cells.

    Attributes:
        seed: root of every random key.
        n_chips: chips at every point.
        spreads: relative spreads of the write noise.
        stuck_rates: fractions of stuck cells.
        required: accuracies for which the yield is told.
        hidden: width of the hidden layer.
        epochs: passes over the digits.
        learning_rate: of Adam.
        chunk: chips per device and call; measured when 0.
    """

    seed: Seed = 0
    n_chips: Count = 128
    spreads: Distinct[NonNegative] = (0.0, 0.5, 1.0)
    stuck_rates: Distinct[Proportion] = (0.0, 0.05, 0.1, 0.2)
    required: Distinct[Proportion] = (0.75, 0.8, 0.85)
    hidden: Width = 32
    epochs: Count = 3
    learning_rate: Positive = 3e-3
    chunk: CountOrZero = 0

    __post_init__ = check

    def base(self) -> Training:
        """What all chips share."""
        names = ("hidden", "epochs", "learning_rate")
        return Training(**{name: getattr(self, name) for name in names})


PRESETS = {
    "smoke": Config(
        n_chips=6,
        spreads=(0.0, 1.0),
        stuck_rates=(0.0, 0.3),
        required=(0.2, 0.5),
        hidden=8,
        epochs=1,
    ),
    "large": Config(n_chips=10_000),
    # The figure of merit: 10,000 chips x 3 epochs within 3 minutes and 4 GB.
    "batch": Config(n_chips=10_000, spreads=(0.5,), stuck_rates=(0.02,)),
}


def one_chip(
    point: Any, chip: Any, key: jax.Array, trace: bool = False
) -> dict[str, Any]:
    """Build chip number `chip`, train it, test it.

    Args:
        point: fields of `Training`.
        chip: index; the devices and the stuck cells follow from it and `batch`.
        key: starting weights, order of the images, dice of the rule, write errors.
        trace: also return every step's weights, conductances and writes.

    Returns:
        `accuracy` after each epoch, `final` accuracy, `lifetime` (training steps
        per write of a cell).
    """
    digits, network = _digits(point), mlp((point.hidden, 10))
    data = jax.tree.map(jnp.asarray, prepare(digits))
    key_start, key_order, key_rule, key_write = jr.split(key, 4)
    params = network.init(key_start, data.x_train[:1])
    crossbars = _hardware(point, chip, params)
    optimizer = optax.chain(
        optax.adam(point.learning_rate),
        ej.eapu(point.threshold * point.r_wg, key=key_rule),
        ej.program(crossbars, key=key_write),
    )
    steps = point.n_train // point.batch_size

    def step(carry, batch):
        params, state = carry
        grads = jax.grad(_loss)(
            params, network, data.x_train[batch], data.y_train[batch]
        )
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            updates, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), _seen(params, state, point.r_wg) if trace else {}

    def epoch(carry, i):
        order = jr.permutation(jr.fold_in(key_order, i), point.n_train)
        batches = order[: steps * point.batch_size].reshape(steps, point.batch_size)
        carry, seen = jax.lax.scan(step, carry, batches)
        return carry, (
            accuracy(network.apply(carry[0], data.x_test), data.y_test),
            seen,
        )

    start = (params, optimizer.init(params))
    (_, state), (curve, seen) = jax.lax.scan(epoch, start, jnp.arange(point.epochs))
    writes = ej.writes_per_cell(state)
    found = {
        "accuracy": curve,
        "final": curve[-1],
        "lifetime": ej.lifetime_factor(writes, steps * point.epochs),
    }
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in seen.items()}
    return {**found, **flat}


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Sweep spread and stuck cells; what a chip did is kept as statistics only."""
    work = work or Work()
    path = work.path("sweep")
    found = sweep(
        one_chip,
        {"spread": config.spreads, "stuck_rate": config.stuck_rates},
        chips=config.n_chips,
        base=config.base(),
        key=config.seed,
        dims={"accuracy": ("epoch",)},
        reduce={
            "accuracy": Moments(),
            "final": [
                Moments(),
                Quantiles(),
                Histogram(low=0.0, high=1.0, bins=100),
                Fraction(at_least=config.required),
            ],
            "lifetime": [Moments(), Quantiles()],
        },
        chunk=config.chunk or None,
        store=path and path.with_suffix(""),
        watch=Reported(work.report, "chips"),
    )
    names = {"final_at_least": "required", "final_fraction": "yield"}
    data = _digits(config.base()).provenance
    shown = "median, middle half and middle nine tenths"
    attrs = {"data": f"{data}; {config.n_chips} chips per point, {shown}"}
    return found.rename(names).drop_vars(["reason", "chip", "seed"]).assign_attrs(attrs)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: no such figure is published."""
    del dataset
    return []


def _hardware(point: Any, chip: Any, params: Any) -> Any:
    """The crossbars of one chip: perturbed devices and stuck cells."""
    key_devices, key_stuck = jr.split(jr.fold_in(jr.key(point.batch), 7))
    nominal = ej.Crossbar(
        device=ej.AdditiveError(write_noise=point.write_noise), r_wg=point.r_wg
    )
    sigma = {"write_noise": point.spread}
    spread = ej.Spread(chip_to_chip=sigma, cell_to_cell=sigma)
    drawn = ej.sample_chip(key_devices, chip, nominal, params, spread)
    leaves, tree = jax.tree.flatten(drawn, is_leaf=lambda x: isinstance(x, ej.Crossbar))
    shapes = [p.shape for p in jax.tree.leaves(params)]
    keys = jr.split(jr.fold_in(key_stuck, chip), len(leaves))
    stuck = [
        replace(leaf, **_stuck(k, point, shape)) if len(shape) > 1 else leaf
        for k, leaf, shape in zip(keys, leaves, shapes, strict=True)
    ]
    return jax.tree.unflatten(tree, stuck)


def _stuck(key: jax.Array, point: Any, shape: tuple[int, ...]) -> dict[str, jax.Array]:
    """Which cells are stuck, and at which conductance; the rate may be traced."""
    key_who, key_where = jr.split(key)
    level = point.stuck_level * jr.randint(key_where, shape, -1, 2).astype(jnp.float32)
    return {"stuck": jr.uniform(key_who, shape) < point.stuck_rate, "stuck_at": level}


def _seen(params: Any, state: Any, r_wg: Any) -> dict[str, jax.Array]:
    """Weights, conductances (uS) and writes of all array layers, flattened."""
    flat = lambda leaves: jnp.concatenate([x.ravel() for x in leaves])  # noqa: E731
    weights = flat(on_array(params).values())
    writes = flat(jax.tree.leaves(ej.writes_per_cell(state)))
    return {"weights": weights, "conductances": weights / r_wg, "writes": writes}


def _loss(params: Any, network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    logits = network.apply(params, x)
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y))


def _digits(point: Any) -> Images:
    return images("digits", point.n_train, point.n_test)
