"""The one training loop."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from flax import linen as nn
from jaxtyping import Array, Key

import eapu_jax as ej
from chipsweep import Keys, in_stages
from eapu_jax.placement import Place, on_array
from experiments.learning.counted import counted, written
from experiments.learning.curves import Curves, Observer, Step
from experiments.learning.forward import Pass, first_variables, forward
from experiments.learning.inputs import Data
from experiments.learning.recipe import Recipe
from experiments.learning.rules import Make, adapted, before, hardware
from experiments.learning.task import CLASSIFY, Task, scored_in_pieces
from thermo import natural_gradient


def first_weights(key: Key[Array, ""], network: nn.Module, data: Data) -> Any:
    """The weights that every chip of the seed `key` starts from."""
    return _first(key, network, data, CLASSIFY)[0]


def _first(
    key: Key[Array, ""], network: nn.Module, data: Data, task: Task
) -> tuple[Any, dict[str, Any]]:
    one = jnp.asarray(data.x_train[:1]), jnp.asarray(data.y_train[:1])
    x, _ = task.enter(jr.fold_in(key, _TEST), *one, False)
    return first_variables(jr.fold_in(key, 0), network, x)


_ENTER, _DROPOUT, _TEST = 16, 17, 18
"""Of the seed: what batches, dropout and the test draw. 0 to 2 are weights, order and
adapters; 3 to 15 are left to experiments."""


def train(
    keys: Keys,
    network: nn.Module,
    data: Data,
    recipe: Recipe,
    rule: str,
    *,
    task: Task = CLASSIFY,
    learning_rate: jax.Array | float = 1e-3,
    crossbar: Any = None,
    threshold: Any = 2 / 80,
    strength: jax.Array | float = 1.0,
    products: str = "exact",
    place: Place | None = None,
    params: Any = None,
    collections: Mapping[str, Any] | None = None,
    observe: Observer | None = None,
    own: Mapping[str, Make] | None = None,
    optimizer: optax.GradientTransformationExtraArgs | None = None,
    test_at_once: int | None = None,
) -> Curves:
    """Train one chip from its first weights to its last.

    Chips of one seed differ by their physics alone, and curves of two thresholds by
    the threshold alone: all draws follow from `keys` (common random numbers).

    Args:
        keys: of the seed (starting weights, order of images, how they enter, dropout)
            and of the chip (draws of the rule, errors of the writes).
        network: what is trained: matrices live on the array, vectors are digital, and
            so are its other collections. It is told whether it is trained if its call
            takes `train`.
        data: the examples.
        recipe: optimizer, schedule, length.
        rule: what happens to an update, see `hardware`.
        task: how batches enter, loss, score.
        learning_rate: at the start; may be traced, as may be what follows.
        crossbar: of all layers, or a tree of them like the weights;
            `eapu_jax.Crossbar()` when None.
        threshold: ΔW_th in units of the weights.
        strength: the rule's own number in units of its usual value, see `hardware`.
        products: "exact" or "array", see `forward`.
        place: which leaves live on an array; `eapu_jax.place` when None.
        params: starting weights; drawn from `keys.seed` when None.
        collections: what else the network starts from; drawn like them when None.
        observe: called at every step with a `Step`; nothing is observed when None.
        own: rules with other numbers than the usual, see `hardware`.
        optimizer: instead of that of the recipe, learning rate included; its `update`
            is given the `curvature` of the batch, see `thermo.natural_gradient`.
        test_at_once: see `scored_in_pieces`.

    Returns:
        The `Curves` of this chip.
    """
    data, n_train = jax.tree.map(jnp.asarray, data), len(data.x_train)
    if params is None or collections is None:
        drawn = _first(keys.seed, network, data, task)
        params = drawn[0] if params is None else params
        collections = drawn[1] if collections is None else collections
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
    entering, dropping, tested = (
        jr.fold_in(keys.seed, purpose) for purpose in (_ENTER, _DROPOUT, _TEST)
    )

    def descend(at: Pass, x: Any, y: Any) -> Any:
        def loss(params):
            outputs, moved = apply(at._replace(params=params), x)
            return task.loss(outputs, y), moved

        return jax.value_and_grad(loss, has_aux=True)(at.params)

    def step(carry, of):
        params, held, state, wear = carry
        number, batch = of
        reads, enters, drops = (
            jr.fold_in(key, number) for key in (read, entering, dropping)
        )
        x, y = task.enter(enters, data.x_train[batch], data.y_train[batch], True)
        at = Pass(params, held, wear, reads, drops, True)
        (loss, held), grads = descend(at, x, y)
        bent = _curved(
            optimizer, task, lambda p: apply(at._replace(params=p), x)[0], at.params, y
        )
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            requested, state = ahead.update(grads, state, params, **bent)  # pyright: ignore[reportCallIssue]
        applied, wear = array.update(requested, wear, params, value=loss)
        params = optax.apply_updates(params, applied)
        writes, ratio = written(rule, params, wear, place)
        asked, made, now = (_layers(t, place) for t in (requested, applied, params))
        seen = observe and observe(Step(asked, made, now, writes))
        return (params, held, state, wear), (loss, ratio, seen)

    def epoch(carry, i):
        order = jr.permutation(jr.fold_in(jr.fold_in(keys.seed, 1), i), n_train)
        batches = order[: steps * recipe.batch_size].reshape(steps, recipe.batch_size)
        carry, by_step = jax.lax.scan(
            step, carry, (i * steps + jnp.arange(steps), batches)
        )
        params, held, _, wear = carry
        at = Pass(params, held, wear, jr.fold_in(test, i), dropping, False)

        def score(x, y):
            x, y = task.enter(tested, x, y, False)
            return task.score(apply(at, x)[0], y)

        found = scored_in_pieces(score, data.x_test, data.y_test, test_at_once)
        return carry, (found, by_step)

    start = (params, dict(collections), ahead.init(params), array.init(params))
    last, records = in_stages(epoch, start, jnp.arange(recipe.epochs))
    params, held, state, wear = last
    scores, by_step = records
    loss, ratio, seen = jax.tree.map(_one_axis_of_steps, by_step)
    return Curves(
        loss=loss,
        score=scores,
        update_ratio=ratio,
        observed=seen,
        writes=written(rule, params, wear, place)[0],
        params=params,
        collections=held,
        arrays={} if rule == "ideal" else ej.view(wear),
        counts=counted(rule, params, (state, wear), place),
        optimizer=state,
    )


def _curved(optimizer: Any, task: Task, model: Any, params: Any, y: Any) -> Any:
    """What an optimizer may want to know besides the gradient."""
    if optimizer is None:
        return {}
    loss = partial(_swapped, task.loss, y)
    return {"curvature": natural_gradient.gauss_newton(model, loss, params)}


def _outputs(apply: Any, at: Pass, x: Any, params: Any) -> Any:
    return apply(at._replace(params=params), x)[0]


def _swapped(loss: Any, y: Any, outputs: Any) -> jax.Array:
    return loss(outputs, y)


def _one_axis_of_steps(x: jax.Array) -> jax.Array:
    """Steps of all epochs in a row; there may be no layers behind them."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _layers(tree: Any, place: Place | None) -> list[jax.Array]:
    """What lives on the array."""
    return list(on_array(tree, place).values())
