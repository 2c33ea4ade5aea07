"""Many arrays as one: what acts on cells one by one acts on all of them at once.

A device works element by element, so the cells of all arrays that share a device
model lie in one buffer, and a step is compiled once, not once per layer.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from eapu_jax.crossbar import Crossbar

Arrays = dict[str, Any]
"""Something for every array, by path."""


def together(
    crossbars: dict[str, Crossbar],
    act: Callable[..., Any],
    key: jax.Array,
    *trees: Arrays,
) -> Arrays:
    """`act(key, device, *cells)` for every array, computed for all of them at once.

    Args:
        crossbars: by path.
        act: elementwise: arrays shaped like the cells, or trees of them, in and out.
        key: one draw serves all arrays of a device model.
        *trees: for every path a tree of arrays, all of the shape of its cells.

    Returns:
        What `act` returned, by path.
    """
    out: Arrays = {}
    for number, paths in enumerate(_alike(crossbars, trees[0])):
        devices = {p: crossbars[p].device for p in paths}
        chosen = [{p: tree[p] for p in paths} for tree in trees]
        here = lambda key, *args: act(key, args[-1], *args[:-1])  # noqa: E731
        out |= laid_out(here, jr.fold_in(key, number), *chosen, devices)
    return out


def laid_out(act: Callable[..., Any], key: jax.Array, *trees: Arrays) -> Arrays:
    """`act(key, *trees)` on all arrays of one precision as one buffer.

    Args:
        act: elementwise.
        key: random key.
        *trees: by path; the leaves of the first have the shapes of the arrays, those
            of the others broadcast to them. What all arrays share and is one number
            stays one number.

    Returns:
        What `act` returned, by path, in the shapes of the arrays.
    """
    out: Arrays = {}
    for number, paths in enumerate(_same_precision(trees[0])):
        subkey = jr.fold_in(key, number) if number else key
        shapes = [jax.tree.leaves(trees[0][p])[0].shape for p in paths]
        chosen = [[tree[p] for p in paths] for tree in trees]
        if len(paths) == 1:  # nothing to join, and the shape of the cells is kept
            out[paths[0]] = act(subkey, *(several[0] for several in chosen))
            continue
        join = lambda *parts, shapes=shapes: _joined(parts, shapes)  # noqa: E731
        done = act(subkey, *(jax.tree.map(join, *several) for several in chosen))
        for path, at, shape in zip(paths, _offsets(shapes), shapes, strict=True):
            part = lambda x, at=at, shape=shape: _part(x, at, shape)  # noqa: E731
            out[path] = jax.tree.map(part, done)
    return out


def _alike(crossbars: dict[str, Crossbar], cells: Arrays) -> list[list[str]]:
    """Paths grouped by device model, each in the order given."""
    groups: dict[Any, list[str]] = {}
    for path, crossbar in crossbars.items():
        kind = jax.tree.structure((crossbar.device, cells[path]))
        groups.setdefault(kind, []).append(path)
    return list(groups.values())


def _same_precision(tree: Arrays) -> list[list[str]]:
    groups: dict[Any, list[str]] = {}
    for path, leaves in tree.items():
        groups.setdefault(jax.tree.leaves(leaves)[0].dtype, []).append(path)
    return list(groups.values())


def _joined(parts: tuple[Any, ...], shapes: list[tuple[int, ...]]) -> Any:
    one = parts[0]
    if jnp.ndim(one) == 0 and all(_same(part, one) for part in parts):
        return one
    pairs = zip(parts, shapes, strict=True)
    return jnp.concatenate([jnp.broadcast_to(x, shape).ravel() for x, shape in pairs])


def _same(a: Any, b: Any) -> bool:
    """Whether two constants are known to be one and the same number."""
    numbers = (int, float, np.ndarray, np.generic, jax.Array)
    if a is b:
        return True
    if any(
        isinstance(x, jax.core.Tracer) or not isinstance(x, numbers) for x in (a, b)
    ):
        return False
    return bool(np.ndim(a) == np.ndim(b) == 0 and np.asarray(a) == np.asarray(b))


def _part(x: jax.Array, at: int, shape: tuple[int, ...]) -> jax.Array:
    if jnp.ndim(x) == 0:
        return x
    return jax.lax.slice(x, (at,), (at + math.prod(shape),)).reshape(shape)


def _offsets(shapes: list[tuple[int, ...]]) -> list[int]:
    ends = [0]
    for shape in shapes:
        ends.append(ends[-1] + math.prod(shape))
    return ends[:-1]
