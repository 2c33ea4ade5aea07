"""The one training loop."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

import eapu_jax as ej
from chipsweep import Keys, in_stages
from eapu_jax.placement import Place, on_array
from experiments.learning.counted import counted, written
from experiments.learning.curves import Curves, Observer, Step
from experiments.learning.forward import forward
from experiments.learning.inputs import Data
from experiments.learning.recipe import Recipe
from experiments.learning.rules import Make, adapted, before, hardware
from thermo import natural_gradient


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
    strength: jax.Array | float = 1.0,
    products: str = "exact",
    place: Place | None = None,
    params: Any = None,
    observe: Observer | None = None,
    own: Mapping[str, Make] | None = None,
    optimizer: optax.GradientTransformationExtraArgs | None = None,
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
        strength: the rule's own number in units of its usual value, see `hardware`.
        products: "exact" or "array", see `forward`.
        place: which leaves live on an array; `eapu_jax.place` when None.
        params: starting weights; drawn from `keys.seed` when None.
        observe: called at every step with a `Step`; nothing is observed when None.
        own: rules with other numbers than the usual, see `hardware`.
        optimizer: instead of that of the recipe, learning rate included; its `update`
            is given the `curvature` of the batch, see `thermo.natural_gradient`.

    Returns:
        The `Curves` of this chip.
    """
    data, n_train = jax.tree.map(jnp.asarray, data), len(data.x_train)
    if params is None:
        params = first_weights(keys.seed, network, data)
    params = adapted(jr.fold_in(keys.seed, 2), rule, params)
    ahead = before(rule, optimizer or recipe.build(learning_rate, n_train))
    chip = crossbar or ej.Crossbar()
    array = hardware(
        keys.chip, rule, chip, threshold, strength=strength, place=place, own=own
    )
    apply = forward(products, network, rule, chip, place)
    steps = recipe.steps_per_epoch(n_train)
    # the draws of a rule and its writes are split off the same key: 0 and 1
    read, test = (jr.fold_in(keys.chip, purpose) for purpose in (2, 3))

    def mean_loss(logits, y):
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return jnp.mean(losses)

    @jax.value_and_grad
    def descend(params, wear, key, x, y):
        return mean_loss(apply(params, wear, key, x), y)

    def curved(params, wear, key, x, y):
        """What an optimizer may want to know besides."""
        if optimizer is None:
            return {}
        model, loss = lambda p: apply(p, wear, key, x), lambda z: mean_loss(z, y)
        return {"curvature": natural_gradient.gauss_newton(model, loss, params)}

    def step(carry, of):
        params, state, wear = carry
        number, batch = of
        x, y = data.x_train[batch], data.y_train[batch]
        at = params, wear, jr.fold_in(read, number), x, y
        loss, grads = descend(*at)
        bent = curved(*at)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            requested, state = ahead.update(grads, state, params, **bent)  # pyright: ignore[reportCallIssue]
        applied, wear = array.update(requested, wear, params, value=loss)
        params = optax.apply_updates(params, applied)
        writes, ratio = written(rule, params, wear, place)
        asked, made, now = (_layers(t, place) for t in (requested, applied, params))
        seen = observe and observe(Step(asked, made, now, writes))
        return (params, state, wear), (loss, ratio, seen)

    def epoch(carry, i):
        order = jr.permutation(jr.fold_in(jr.fold_in(keys.seed, 1), i), n_train)
        batches = order[: steps * recipe.batch_size].reshape(steps, recipe.batch_size)
        carry, by_step = jax.lax.scan(
            step, carry, (i * steps + jnp.arange(steps), batches)
        )
        params, _, wear = carry
        logits = apply(params, wear, jr.fold_in(test, i), data.x_test)
        return carry, (accuracy(logits, data.y_test), by_step)

    start = (params, ahead.init(params), array.init(params))
    (params, state, wear), records = in_stages(epoch, start, jnp.arange(recipe.epochs))
    test_accuracy, by_step = records
    loss, ratio, seen = jax.tree.map(_one_axis_of_steps, by_step)
    return Curves(
        loss=loss,
        test_accuracy=test_accuracy,
        update_ratio=ratio,
        observed=seen,
        writes=written(rule, params, wear, place)[0],
        params=params,
        arrays={} if rule == "ideal" else ej.view(wear),
        counts=counted(rule, params, (state, wear), place),
        optimizer=state,
    )


def _one_axis_of_steps(x: jax.Array) -> jax.Array:
    """Steps of all epochs in a row; there may be no layers behind them."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _layers(tree: Any, place: Place | None) -> list[jax.Array]:
    """What lives on the array."""
    return list(on_array(tree, place).values())
