"""The one training loop: a network, a chip, a recipe; curves come out.

Everything is a pure function of (seed, chip): the seed fixes the starting
weights and the order of the images, the chip fixes its own dice and write
errors. Chips of one seed therefore differ by their physics alone, and curves
of two thresholds differ by the threshold alone (common random numbers).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key

import eapu_jax as ej
from experiments.data import Images
from experiments.networks import Network
from experiments.population import over_chips

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "drop", "cosine")
RULES = ("ideal", "noisy", "eapu", "drop_below", "lift_above")
Scalar = jax.Array | float


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long, how fast and with which optimizer: hashable, so static to jit.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step; an incomplete last batch is left out.
        optimizer: "adam" (0.9, 0.999) or "sgd" (momentum 0.9).
        learning_rate: at the start.
        schedule: "constant"; "drop" to a tenth for the last third; "cosine" to zero.
    """

    epochs: int = 15
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "drop"

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1, got {getattr(self, name)}"
                )
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(
                f"learning_rate must be positive and finite, got {self.learning_rate}"
            )
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {OPTIMIZERS}, got {self.optimizer!r}"
            )
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"schedule must be one of {SCHEDULES}, got {self.schedule!r}"
            )

    def steps_per_epoch(self, n_train: int) -> int:
        """Whole batches in one pass over `n_train` images."""
        if n_train < self.batch_size:
            raise ValueError(
                f"batch_size must be at most n_train = {n_train}, got {self.batch_size}"
            )
        return n_train // self.batch_size

    def rates(self, n_train: int) -> np.ndarray:
        """The learning rate of every step of a training on `n_train` images.

        Example:
            >>> Recipe(epochs=1, batch_size=2, schedule="drop").rates(6)
            array([0.001 , 0.001 , 0.0001], dtype=float32)
        """
        steps = self.epochs * self.steps_per_epoch(n_train)
        progress = np.arange(steps) / steps
        shape = {
            "constant": np.ones(steps),
            "drop": np.where(progress < 2 / 3, 1.0, 0.1),
            "cosine": (1 + np.cos(np.pi * progress)) / 2,
        }[self.schedule]
        return (self.learning_rate * shape).astype(np.float32)

    def build(self, rates: Float[Array, " steps"]) -> optax.GradientTransformation:
        """The optimizer, whose step `n` has learning rate `rates[n]`."""
        if self.optimizer == "adam":
            return optax.adam(lambda step: rates[step])
        return optax.sgd(lambda step: rates[step], momentum=0.9)


class Data(NamedTuple):
    """Standardised images, channels last, and integer labels."""

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any


def prepare(images: Images, pool: int = 1) -> Data:
    """The images as training takes them: shrunk, then standardised.

    Means over `pool` x `pool` pixels; then every channel gets mean 0 and standard
    deviation 1 over the training images, as in the authors' code (STATED).

    Raises:
        ValueError: if `pool` does not divide the sides of the images.

    Example:
        >>> from experiments.data import load_images
        >>> prepare(load_images("digits", 100, 50), pool=2).x_test.shape
        (50, 4, 4, 1)
    """

    def shrink(x):
        n, h, w, c = x.shape
        if pool < 1 or h % pool or w % pool:
            raise ValueError(f"pool must divide the image sides {h} x {w}, got {pool}")
        return x.reshape(n, h // pool, pool, w // pool, pool, c).mean((2, 4))

    x_train, x_test = shrink(images.x_train), shrink(images.x_test)
    mean, sd = x_train.mean((0, 1, 2)), x_train.std((0, 1, 2)) + 1e-6
    x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd
    return Data(x_train, images.y_train, x_test, images.y_test)


class Curves(NamedTuple):
    """What one chip did while it learned.

    Accuracies are fractions, NaN once the chip's weights are no longer finite;
    `update_ratio` is NaN for the ideal rule, which writes no device.
    """

    loss: Float[Array, " steps"]
    train_accuracy: Float[Array, " epochs"]  # of the batches, while learning
    test_accuracy: Float[Array, " epochs"]  # after each epoch
    update_ratio: Float[Array, "steps layers"]  # written / cells, array layers only
    observed: Any  # what `observe` returned, leading axis steps
    writes: Any  # per cell, a list over array layers; empty for the ideal rule
    params: Any  # at the end


Observer = Callable[[list[jax.Array], list[jax.Array], Scalar, Scalar], Any]


def see_nothing(requested, applied, threshold, write_error):
    """Record nothing: the default observer."""
    del requested, applied, threshold, write_error


def layer_names(params: Any) -> list[str]:
    """Names of the layers that live on the array, in the order of `Curves`.

    Example:
        >>> layer_names({"Dense_0": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}})
        ['Dense_0']
    """
    leaves = jax.tree.leaves_with_path(params)
    return [str(path[0].key) for path, leaf in leaves if ej.is_on_array(leaf)]


def on_array(tree: Any, params: Any) -> list[jax.Array]:
    """The leaves of `tree` that belong to array layers of `params`."""
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(params), strict=True)
    return [leaf for leaf, param in pairs if ej.is_on_array(param)]


def mean_update_ratio(curves: Curves) -> np.ndarray:
    """R_up of each chip of a population over its whole training; NaN for ideal."""
    steps = curves.loss.shape[1]
    if not curves.writes:
        return np.full(len(curves.loss), np.nan, np.float32)
    total = np.sum([n.sum((1, 2), dtype=np.float64) for n in curves.writes], axis=0)
    cells = sum(n[0].size for n in curves.writes)
    return np.asarray(total / (cells * steps), np.float32)


def hardware(
    key: Key[Array, ""],
    rule: str,
    *,
    write_noise: Scalar,
    threshold: Scalar,
    r_wg: Scalar,
) -> optax.GradientTransformationExtraArgs:
    """What stands between the optimizer and the weights under `rule`.

    Args:
        key: dice of the rule and errors of the writes.
        rule: "ideal" (nothing), "noisy" (every update is written), "eapu", or one
            of the authors' deterministic ablations "drop_below", "lift_above".
        write_noise: SD of one write error, uS.
        threshold: dW_th in conductance, uS.
        r_wg: weight per conductance, 1/uS.

    Returns:
        The tail of the chain.

    Raises:
        ValueError: if `rule` is unknown.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
    if rule == "ideal":
        return optax.with_extra_args_support(optax.identity())
    key_rule, key_write = jr.split(key)
    gate = {
        "noisy": ej.write_all,
        "eapu": lambda: ej.eapu(threshold * r_wg, key=key_rule),
        "drop_below": lambda: ej.drop_below(threshold * r_wg),
        "lift_above": lambda: ej.lift_above(threshold * r_wg),
    }[rule]()
    device = ej.AdditiveError(write_noise=write_noise)
    crossbar = ej.Crossbar(device=device, r_wg=r_wg)
    return optax.chain(gate, ej.program(crossbar, key=key_write))


def accuracy(logits: Float[Array, "n c"], labels: Int[Array, " n"]) -> Array:
    """Fraction right; NaN if any logit is not finite."""
    right = jnp.mean(jnp.argmax(logits, axis=-1) == labels)
    return jnp.where(jnp.all(jnp.isfinite(logits)), right, jnp.nan)


def first_weights(key: Key[Array, ""], network: Network, data: Data) -> Any:
    """The weights that every chip of the seed `key` starts from."""
    return network.init(jr.fold_in(key, 0), data.x_train[:1])


_first_weights = jax.jit(first_weights, static_argnums=1)


def train(
    key: Key[Array, ""],
    network: Network,
    data: Data,
    recipe: Recipe,
    rule: str,
    *,
    chip: Int[Array, ""] | int = 0,
    write_noise: Scalar = 2.0,
    threshold: Scalar = 2.0,
    r_wg: Scalar = 1 / 80,
    params: Any = None,
    rates: Float[Array, " steps"] | None = None,
    observe: Observer = see_nothing,
) -> Curves:
    """Train one chip from its first weights to its last.

    Written for one chip: map `chip` over indices for a population; the images
    and the starting weights are then shared. Chip 17 alone draws what chip 17
    draws among many.

    Args:
        key: the seed: starting weights, order of images, and root of all chips.
        network: what is trained (static).
        data: the images.
        recipe: optimizer, schedule, length (static).
        rule: what happens to an update, see `hardware` (static).
        chip: index of the chip.
        write_noise: SD(eps_cell), uS.
        threshold: dW_th / R_wg, uS.
        r_wg: weight per conductance, 1/uS.
        params: starting weights; drawn from `key` when None.
        rates: learning rate of every step; the recipe's when None.
        observe: called at every step as `observe(requested, applied, threshold,
            write_error)`, in units of the weights and with lists over the array
            layers; its results are stacked in `Curves.observed`.

    Returns:
        The `Curves` of this chip.
    """
    data = jax.tree.map(jnp.asarray, data)
    if params is None:
        params = first_weights(key, network, data)
    key_batches, key_chips = jr.fold_in(key, 1), jr.fold_in(key, 2)
    steps = recipe.steps_per_epoch(len(data.x_train))
    own = recipe.rates(len(data.x_train)) if rates is None else rates
    optimizer = recipe.build(jnp.asarray(own))
    array = hardware(
        jr.fold_in(key_chips, chip),
        rule,
        write_noise=write_noise,
        threshold=threshold,
        r_wg=r_wg,
    )
    n_layers = len(layer_names(params))

    def loss_and_logits(params, x, y):
        logits = network.apply(params, x)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return jnp.mean(losses), logits

    def step(carry, batch):
        params, state, wear = carry
        x, y = data.x_train[batch], data.y_train[batch]
        value, grads = jax.value_and_grad(loss_and_logits, has_aux=True)(params, x, y)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            requested, state = optimizer.update(grads, state, params)
        applied, wear = array.update(requested, wear, params)
        asked, made = on_array(requested, params), on_array(applied, params)
        seen = observe(asked, made, threshold * r_wg, write_noise * r_wg)
        if rule == "ideal":
            ratio = jnp.full(n_layers, jnp.nan)
        else:
            ratio = jnp.stack(jax.tree.leaves(ej.layer_update_ratio(wear)))
        params = optax.apply_updates(params, applied)
        loss, logits = value
        return (params, state, wear), (loss, accuracy(logits, y), ratio, seen)

    def epoch(carry, i):
        order = jr.permutation(jr.fold_in(key_batches, i), len(data.x_train))
        batches = order[: steps * recipe.batch_size].reshape(steps, recipe.batch_size)
        carry, (loss, right, ratio, seen) = jax.lax.scan(step, carry, batches)
        test = accuracy(network.apply(carry[0], data.x_test), data.y_test)
        return carry, (loss, jnp.mean(right), test, ratio, seen)

    start = (params, optimizer.init(params), array.init(params))
    (params, _, wear), records = jax.lax.scan(epoch, start, jnp.arange(recipe.epochs))
    loss, train_accuracy, test_accuracy, ratio, seen = records
    flat = lambda x: x.reshape(-1, *x.shape[2:])  # noqa: E731
    writes = [] if rule == "ideal" else jax.tree.leaves(ej.writes_per_cell(wear))
    return Curves(
        loss=flat(loss),
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        update_ratio=flat(ratio),
        observed=jax.tree.map(flat, seen),
        writes=writes,
        params=params,
    )


def population(
    network: Network, recipe: Recipe, rule: str, observe: Observer = see_nothing
) -> Callable[..., Curves]:
    """`train` for many chips of one seed, compiled once for all noises.

    Returns:
        `f(key, data, n_chips, write_noise, threshold, r_wg, params, rates)`, the
        last three as in `train`, whose curves are NumPy arrays led by the chip.
    """

    def one(chip, key, data, write_noise, threshold, r_wg, params, rates):
        return train(
            key,
            network,
            data,
            recipe,
            rule,
            chip=chip,
            write_noise=write_noise,
            threshold=threshold,
            r_wg=r_wg,
            params=params,
            rates=rates,
            observe=observe,
        )

    many = over_chips(one, in_axes=(0, *[None] * 7))

    def run(
        key,
        data,
        n_chips,
        write_noise=2.0,
        threshold=2.0,
        r_wg=1 / 80,
        params=None,
        rates=None,
    ):
        chips = np.arange(n_chips)
        if params is None:  # outside the big program, which then compiles faster
            params = _first_weights(key, network, data)
        if rates is None:
            rates = recipe.rates(len(data.x_train))
        return many(chips, key, data, write_noise, threshold, r_wg, params, rates)

    return run
