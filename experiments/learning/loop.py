"""The one training loop."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

import eapu_jax as ej
from chipsweep import Keys, in_stages
from eapu_jax.placement import on_array
from experiments.learning.curves import Curves, Observer, Step
from experiments.learning.inputs import Data
from experiments.learning.recipe import Recipe
from experiments.learning.rules import hardware


def accuracy(logits: Float[Array, "n c"], labels: Int[Array, " n"]) -> Array:
    """Fraction right; NaN if any logit is not finite."""
    right = jnp.mean(jnp.argmax(logits, axis=-1) == labels)
    return jnp.where(jnp.all(jnp.isfinite(logits)), right, jnp.nan)


def first_weights(key: Key[Array, ""], network: nn.Module, data: Data) -> Any:
    """The weights that every chip of the seed `key` starts from."""
    return network.init(jr.fold_in(key, 0), jnp.asarray(data.x_train[:1]))["params"]


def train(
    keys: Keys,
    network: nn.Module,
    data: Data,
    recipe: Recipe,
    rule: str,
    *,
    learning_rate: jax.Array | float = 1e-3,
    crossbar: Any = None,
    threshold: jax.Array | float = 2 / 80,
    params: Any = None,
    observe: Observer | None = None,
) -> Curves:
    """Train one chip from its first weights to its last.

    Chips of one seed differ by their physics alone, and curves of two thresholds by
    the threshold alone: all draws follow from `keys` (common random numbers).

    Args:
        keys: of the seed (starting weights, order of images) and of the chip (draws
            of the rule, errors of the writes).
        network: what is trained: matrices live on the array, vectors are digital.
        data: the images.
        recipe: optimizer, schedule, length.
        rule: what happens to an update, see `hardware`.
        learning_rate: at the start; may be traced, as may be what follows.
        crossbar: of all layers, or a tree of them like the weights;
            `eapu_jax.Crossbar()` when None.
        threshold: dW_th in units of the weights.
        params: starting weights; drawn from `keys.seed` when None.
        observe: called at every step with a `Step`; nothing is observed when None.

    Returns:
        The `Curves` of this chip.
    """
    data, n_train = jax.tree.map(jnp.asarray, data), len(data.x_train)
    if params is None:
        params = first_weights(keys.seed, network, data)
    optimizer = recipe.build(learning_rate, n_train)
    array = hardware(keys.chip, rule, crossbar or ej.Crossbar(), threshold)
    steps = recipe.steps_per_epoch(n_train)

    def apply(params, x) -> Any:
        return network.apply({"params": params}, x)

    @jax.value_and_grad
    def descend(params, x, y):
        logits = apply(params, x)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return jnp.mean(losses)

    def step(carry, batch):
        params, state, wear = carry
        x, y = data.x_train[batch], data.y_train[batch]
        loss, grads = descend(params, x, y)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            requested, state = optimizer.update(grads, state, params)
        applied, wear = array.update(requested, wear, params)
        params = optax.apply_updates(params, applied)
        writes, ratio = _written(rule, params, wear)
        asked, made, now = (_layers(t) for t in (requested, applied, params))
        seen = observe and observe(Step(asked, made, now, writes))
        return (params, state, wear), (loss, ratio, seen)

    def epoch(carry, i):
        order = jr.permutation(jr.fold_in(jr.fold_in(keys.seed, 1), i), n_train)
        batches = order[: steps * recipe.batch_size].reshape(steps, recipe.batch_size)
        carry, by_step = jax.lax.scan(step, carry, batches)
        return carry, (accuracy(apply(carry[0], data.x_test), data.y_test), by_step)

    start = (params, optimizer.init(params), array.init(params))
    (params, _, wear), records = in_stages(epoch, start, jnp.arange(recipe.epochs))
    test_accuracy, by_step = records
    loss, ratio, seen = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), by_step)
    return Curves(
        loss=loss,
        test_accuracy=test_accuracy,
        update_ratio=ratio,
        observed=seen,
        writes=_written(rule, params, wear)[0],
        params=params,
    )


def _layers(tree: Any) -> list[jax.Array]:
    """What lives on the array."""
    return list(on_array(tree).values())


def _written(rule: str, params: Any, wear: Any) -> tuple[list[jax.Array], jax.Array]:
    """Writes of every cell, and the fraction written in the last step, by layer."""
    if rule == "ideal":
        layers = _layers(params)
        return [jnp.zeros(w.shape, jnp.uint32) for w in layers], jnp.zeros(len(layers))
    ratios = ej.layer_update_ratio(wear)
    return list(ej.writes_per_cell(wear).values()), jnp.stack(list(ratios.values()))
