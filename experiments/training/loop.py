"""The one training loop: a network, a chip, a recipe; curves come out."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key

import eapu_jax as ej
from eapu_jax.placement import on_array
from experiments.networks import Network
from experiments.training.array import Scalar, hardware, layer_names
from experiments.training.curves import Curves, Observer, see_nothing
from experiments.training.inputs import Data
from experiments.training.recipe import Recipe


def accuracy(logits: Float[Array, "n c"], labels: Int[Array, " n"]) -> Array:
    """Fraction right; NaN if any logit is not finite."""
    right = jnp.mean(jnp.argmax(logits, axis=-1) == labels)
    return jnp.where(jnp.all(jnp.isfinite(logits)), right, jnp.nan)


def first_weights(key: Key[Array, ""], network: Network, data: Data) -> Any:
    """The weights that every chip of the seed `key` starts from."""
    return network.init(jr.fold_in(key, 0), data.x_train[:1])


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
        asked, made = (list(on_array(t).values()) for t in (requested, applied))
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
    writes = [] if rule == "ideal" else list(ej.writes_per_cell(wear).values())
    return Curves(
        loss=flat(loss),
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        update_ratio=flat(ratio),
        observed=jax.tree.map(flat, seen),
        writes=writes,
        params=params,
    )
