"""What rules with several arrays per weight share: state, order, read-out, counts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key, PyTree, UInt32

from eapu_jax.array import ArrayState, deploy_one, working_dtype
from eapu_jax.checks import number
from eapu_jax.crossbar import Crossbar, crossbars_at, is_crossbar, refuse_unknown
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put
from eapu_jax.rows import Arrays
from eapu_jax.transforms.keys import Root, following
from eapu_jax.transforms.links import refuse_programmed, same_form, sign
from eapu_jax.transforms.per_array import thresholds_at
from eapu_jax.transforms.rule import Rule, Update
from eapu_jax.transforms.several import Several, at_rest
from eapu_jax.transforms.sharding import gathered, spread_like
from prng.once import computed_once


class TilesState(NamedTuple):
    """The chip of a rule with several arrays per weight; `eapu_jax.view` shows them.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
        tiles: the arrays, by name of the tile and path. Their ledgers count a read of
            one line as one read, and a cell that two writes of an update pulsed twice.
        memory: the digital numbers of the rule, by name and path.
        largest: the largest weight, abs, that every read-out has stood for so far,
            the parts of all tiles added up without their signs.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    tiles: dict[str, dict[str, ArrayState]]
    memory: dict[str, dict[str, Array]]
    largest: dict[str, Float[Array, ""]]


def tiles(
    rule: Rule,
    crossbars: dict[str, PyTree[Crossbar]],
    *,
    key: Key[Array, ""],
    place: Place | None,
    step_time: Scalar,
) -> optax.GradientTransformationExtraArgs:
    """The transform of a rule: it holds the arrays, and emits how its read-out moves.

    Args:
        rule: what happens to the arrays of one weight.
        crossbars: what every tile is made of, one crossbar or a tree of them.
        key: typed key.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.
    """
    root = Root(key)
    number("step_time", step_time, at_least=0)
    for tile in crossbars:
        _at(crossbars, tile, [])

    def init_fn(params):
        leaves = gathered(on_array(params, place))
        leaves = {p: w.astype(working_dtype(w)) for p, w in leaves.items()}
        for tile in crossbars:
            _named(tile, refuse_unknown, crossbars[tile], params)
        made = {t: _at(crossbars, t, list(leaves)) for t in crossbars}
        keys = jr.split(key, (max(len(leaves), 1), len(crossbars) + 1))
        held: dict[str, dict[str, ArrayState]] = {t: {} for t in crossbars}
        for (path, w), draws in zip(leaves.items(), keys, strict=False):
            starts = rule.start(draws[-1], w)
            for draw, tile in zip(draws, crossbars, strict=False):
                held[tile][path] = deploy_one(draw, made[tile][path], starts[tile])
        memories = {p: rule.memory(w) for p, w in leaves.items()}
        names = next(iter(memories.values()), {})
        memory = {n: {p: memories[p][n] for p in leaves} for n in names}
        state = TilesState(jnp.zeros((), jnp.int32), root.words(), held, memory, {})
        every = _each(rule, crossbars, state, leaves, draws=0)
        largest = {p: rule.read_out(one)[1] for p, one in every.items()}
        return state._replace(largest=largest)

    def update_fn(updates, state, params=None, *, value=None, **extra_args):
        del extra_args
        if params is None:
            raise ValueError(
                f"{rule.name} writes on top of params: pass params to update"
            )
        same_form(updates, params)
        refuse_programmed(rule.name, updates)
        asked, held = (on_array(tree, place) for tree in (updates, params))
        dws, ws = gathered(asked), gathered(held)
        key_step = root.at(state.key, state.step)
        draws = rule.draws + len(crossbars) + 1
        needs = rule.threshold is not None
        theta = thresholds_at(rule.threshold, updates, place) if needs else {}
        every = _each(rule, crossbars, state, dws, draws, key_step, theta, value)
        moved, after, largest = {}, {}, {}
        for path, one in every.items():
            act = Update(rule, step_time, rule.rounding(dws[path], ws[path]))
            moved[path], after[path], largest[path] = act(
                one, dws[path], ws[path], state.largest[path]
            )
        moved = sign(spread_like(asked, moved), "program")
        held = {t: {p: after[p].arrays[t] for p in after} for t in state.tiles}
        memory = {n: {p: after[p].memory[n] for p in after} for n in state.memory}
        state = TilesState(following(state.step), state.key, held, memory, largest)
        return put(updates, moved), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def _each(
    rule: Rule,
    crossbars: dict[str, PyTree[Crossbar]],
    state: TilesState,
    leaves: Arrays,
    draws: int,
    key: Any = None,
    threshold: Arrays | None = None,
    value: Any = None,
) -> dict[str, Several]:
    """The arrays of every weight, with keys of their own."""
    made = {t: _at(crossbars, t, list(leaves)) for t in crossbars}
    keys: Any = [None] * len(leaves)
    if key is not None and leaves:
        keys = jr.split(key, (len(leaves), draws))
        words = computed_once(jr.key_data(keys), state.step)
        keys = jr.wrap_key_data(words, impl=jr.key_impl(keys))
    return {
        path: Several(
            {t: made[t][path] for t in crossbars},
            {t: at_rest(state.tiles[t][path]) for t in crossbars},
            {n: kept[path] for n, kept in state.memory.items()},
            _spread(threshold[path], leaf) if threshold else None,
            keys[number],
            state.step,
            value=value,
        )
        for number, (path, leaf) in enumerate(leaves.items())
    }


def _spread(threshold: jax.Array, leaf: jax.Array) -> jax.Array:
    return jnp.broadcast_to(threshold, leaf.shape)


def both_ways(tile: str, crossbar: PyTree[Crossbar]) -> None:
    """Refuse what is no crossbar, and cells that cannot be pulsed up and down.

    Raises:
        ValueError: naming the tile and the device.
    """
    crossbars_only(tile, crossbar)
    for one in jax.tree.leaves(crossbar, is_leaf=is_crossbar):
        if is_crossbar(one) and set(one.device.directions) != {-1, 1}:
            raise ValueError(
                f"{tile} must be of a device that is pulsed in the directions (-1, 1), "
                f"got {one.device.directions} of {type(one.device).__name__}: what is "
                "written there must be able to fall again"
            )


def crossbars_only(tile: str, crossbar: PyTree[Crossbar]) -> None:
    """Refuse what is no crossbar, nor a tree of them, by the name of the tile."""
    _named(tile, crossbars_at, crossbar, [])


def _at(crossbars: dict, tile: str, paths: list[str]) -> dict[str, Crossbar]:
    return _named(tile, crossbars_at, crossbars[tile], paths)


def _named(tile: str, look: Callable, *given: Any) -> Any:
    try:
        return look(*given)
    except ValueError as error:
        raise ValueError(f"{tile}: {error}") from None
