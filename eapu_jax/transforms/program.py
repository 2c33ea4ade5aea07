"""The write itself: what the array made of the update that was asked for."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Int, Key, PyTree

from eapu_jax.checks import number, typed_key
from eapu_jax.crossbar import (
    Crossbar,
    array_mask,
    check_crossbars,
    spread_over,
    working_dtype,
)
from eapu_jax.devices.base import Scalar
from eapu_jax.transforms.once import computed_once
from prng import unrolled


class Cells(NamedTuple):
    """What the cells of one leaf remember, for a device that moves by itself.

    Attributes:
        g: conductance, µS.
        age: time since the last write, s.
    """

    g: jax.Array
    age: jax.Array


class ProgramState(NamedTuple):
    """The chip, as far as training has to remember it.

    Attributes:
        step: updates so far.
        key: the root; update `n` draws from `fold_in(key, n)`.
        writes: writes of every cell so far (requests that the device answers with a
            pulse), a tree like the array leaves.
        update_ratio: fraction of the cells of each leaf written at the last step.
        cells: a tree of `Cells` where the device is volatile, else of None: there
            the weights themselves say what the conductances are.
    """

    step: Int[Array, ""]
    key: Key[Array, ""]
    writes: PyTree
    update_ratio: PyTree
    cells: PyTree


def program(
    crossbar: PyTree[Crossbar], *, key: Key[Array, ""], step_time: Scalar = 0.0
) -> optax.GradientTransformationExtraArgs:
    r"""Replace the update that was asked for with the one the array makes.

    Cells whose update is zero are not touched and not changed, unless they are
    stuck elsewhere or the device is volatile: there the first weights count as
    written without error at the first step, and relax from then on. Put it last
    in the chain: its output is written, $W \leftarrow W + \Delta W$, by
    `optax.apply_updates`, and its state is the chip.

    Leaves of fewer than two axes are digital and pass unchanged.

    Args:
        crossbar: one crossbar for all leaves, or a tree of them that is a prefix
            of the parameters (`sample_chip` makes one).
        key: typed key. Under `vmap` build the transform inside the mapped
            function, or every chip makes the same errors.
        step_time: time that passes per training step, s; it matters to volatile
            devices only.

    Raises:
        ValueError: on a device constant out of bounds, a negative `step_time`, a
            key that is not one typed key, or a missing `params`.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import AdditiveError, Crossbar, eapu
        >>> k1, k2 = jax.random.split(jax.random.key(0))
        >>> crossbar = Crossbar(device=AdditiveError(write_noise=2.0), r_wg=1 / 80)
        >>> tx = optax.chain(
        ...     optax.sgd(0.01), eapu(2 / 80, key=k1), program(crossbar, key=k2)
        ... )
        >>> w = jnp.ones((100, 10))
        >>> state = tx.init(w)
        >>> for _ in range(300):
        ...     updates, state = tx.update(w, state, w)  # the gradient of w**2 / 2
        ...     w = optax.apply_updates(w, updates)
        >>> bool(jnp.abs(w).mean() < 0.1)  # backpropagation alone would leave 0.05
        True
        >>> bool(optax.tree.get(state, "writes").mean() < 50)  # of 300 steps
        True
    """
    typed_key("key", key)
    number("step_time", step_time, at_least=0)
    check_crossbars(crossbar)

    def init_fn(params):
        def blank(p, crossbar):
            g = crossbar.conductance(p.astype(working_dtype(p)))
            return Cells(g, jnp.zeros_like(g)) if crossbar.device.volatile else None

        return ProgramState(
            step=jnp.zeros((), jnp.int32),
            key=key,
            writes=jax.tree.map(lambda p: jnp.zeros(p.shape, jnp.int32), params),
            update_ratio=jax.tree.map(lambda p: jnp.zeros((), jnp.float32), params),
            cells=jax.tree.map(blank, params, spread_over(crossbar, params)),
        )

    def update_fn(updates, state, params=None, **extra_args):
        del extra_args
        if params is None:
            raise ValueError("program writes on top of params: pass params to update")
        _check_same_form(updates, params)
        updates = computed_once(updates, state.step)
        dice = jr.fold_in(unrolled(state.key), state.step)
        keys = optax.tree.split_key_like(dice, updates)
        write = functools.partial(_write, step_time=step_time)
        crossbars = spread_over(crossbar, updates)
        written = jax.tree.map(write, keys, updates, params, state.cells, crossbars)
        hit = _pick("hit", written)
        return _pick("update", written), ProgramState(
            step=state.step + 1,
            key=state.key,
            writes=jax.tree.map(lambda n, h: n + h.astype(n.dtype), state.writes, hit),
            update_ratio=jax.tree.map(_fraction, hit),
            cells=_pick("cells", written),
        )

    inner = optax.GradientTransformationExtraArgs(init_fn, update_fn)
    return optax.masked(inner, array_mask)


def _check_same_form(updates: PyTree, params: PyTree) -> None:
    asked, held = jax.tree.structure(updates), jax.tree.structure(params)
    if asked != held:
        raise ValueError(f"params must have the structure {asked}, got {held}")
    for u, p in zip(jax.tree.leaves(updates), jax.tree.leaves(params), strict=True):
        if u.shape != p.shape:
            raise ValueError(f"params must have the shape {u.shape}, got {p.shape}")


class _Written(NamedTuple):
    update: jax.Array
    hit: jax.Array
    cells: Cells | None


def _write(key, update, weight, cells, crossbar, *, step_time) -> _Written:
    """Let one leaf age, write it, and say by how much its weights moved."""
    # Other dice than `eapu`, given its key too. The barrier: see `stochastic`
    key_relax, key_write = jax.lax.optimization_barrier(jr.split(key))
    dtype = working_dtype(weight)
    w = weight.astype(dtype)
    dg = crossbar.conductance(update.astype(dtype))
    hit = crossbar.device.pulsed(dg)
    if cells is None:
        g = crossbar.conductance(w)
        moved = crossbar.hold_stuck(crossbar.device.write(key_write, g, dg)) - g
        return _Written(crossbar.weight(moved).astype(update.dtype), hit, None)
    g = crossbar.device.relax(key_relax, cells.g, cells.age, step_time)
    g = crossbar.hold_stuck(crossbar.device.write(key_write, g, dg))
    age = jnp.where(hit, 0, cells.age + step_time)
    moved = jnp.where(g == cells.g, 0, crossbar.weight(g) - w)  # 0: no rounding either
    return _Written(moved.astype(update.dtype), hit, Cells(g, age))


def _pick(field: str, written: PyTree) -> PyTree:
    """One field of every leaf's outcome, as a tree."""
    return jax.tree.map(
        lambda leaf: getattr(leaf, field),
        written,
        is_leaf=lambda x: isinstance(x, _Written),
    )


def _fraction(hit: jax.Array) -> jax.Array:
    """Mean of a mask. Along the long axis in integers: that is what vectorises."""
    columns = jnp.sum(hit, axis=tuple(range(hit.ndim - 1)), dtype=jnp.int32)
    return jnp.sum(columns, dtype=jnp.float32) / hit.size
