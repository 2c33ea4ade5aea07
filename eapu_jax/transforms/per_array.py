"""A rule that looks at updates and thresholds of the leaves on the array."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from eapu_jax.array import working_dtype
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, path_name


def thresholds_at(
    threshold: PyTree[Scalar],
    updates: PyTree,
    place: Place | None,
    name: str = "threshold",
) -> dict[str, Any]:
    """The threshold of every leaf on the array, by path, in its working precision.

    Args:
        threshold: one number, or a tree of them that is a prefix of the updates.
        updates: what was asked for.
        place: which leaves live on an array.
        name: what the number is called.

    Raises:
        ValueError: if a threshold has a shape that does not fit its update.
    """
    leaves = on_array(updates, place)
    try:
        every = jax.tree.broadcast(threshold, updates)
    except ValueError as error:
        raise ValueError(f"{name} must be a prefix of the updates: {error}") from None
    spread = _at(every, leaves)
    return {p: _fitting(name, p, spread[p], u) for p, u in leaves.items()}


def _at(tree: PyTree, leaves: dict[str, Any]) -> dict[str, Any]:
    """The leaves of `tree`, arrays or plain numbers, at the paths of `leaves`."""
    named = jax.tree_util.tree_leaves_with_path(tree)
    return {path_name(path): leaf for path, leaf in named if path_name(path) in leaves}


def _fitting(name: str, path: str, threshold: Any, update: jax.Array) -> jax.Array:
    with jax.ensure_compile_time_eval():  # a known threshold stays known under jit
        theta = jnp.asarray(threshold, working_dtype(update))
    try:
        fits = jnp.broadcast_shapes(theta.shape, update.shape) == update.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name} of {path!r} must fit the update {update.shape}, "
            f"got the shape {theta.shape}"
        )
    return theta
