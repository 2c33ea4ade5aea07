"""Put a trained model on arrays."""

import warnings

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, PyTree

from eapu_jax.array import ArrayState, deploy_one, weights
from eapu_jax.checks import traced, typed_key
from eapu_jax.crossbar import Crossbar, crossbars_at, refuse_unknown
from eapu_jax.placement import Place, on_array, put


def deploy(
    key: Key[Array, ""],
    crossbar: PyTree[Crossbar],
    params: PyTree,
    place: Place | None = None,
) -> tuple[PyTree, dict[str, ArrayState]]:
    """The arrays that stand for a model, and the weights that they read out.

    Weights beyond the window of the device end at its limit; how many did is said by
    a warning (not while traced).

    Args:
        key: typed key, for devices whose fresh cells are drawn.
        crossbar: one crossbar, or a tree of them that serves the paths of the weights.
        params: the model.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Returns:
        The parameters as the arrays hold them, and the array of every path.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
        >>> params, arrays = deploy(jax.random.key(0), Crossbar(), params)
        >>> arrays["kernel"].cells.g
        Array([[80., 80.],
               [80., 80.]], dtype=float32)
    """
    typed_key("key", key)
    leaves = on_array(params, place)
    crossbars = crossbars_at(crossbar, list(leaves))
    refuse_unknown(crossbar, params)
    keys = dict(zip(leaves, jr.split(key, max(len(leaves), 1)), strict=False))
    arrays = {p: deploy_one(keys[p], crossbars[p], w) for p, w in leaves.items()}
    held = {
        p: weights(crossbars[p], a).astype(leaves[p].dtype) for p, a in arrays.items()
    }
    for path, w in leaves.items():
        _say_what_was_clipped(path, w, held[path])
    return put(params, held), arrays


def _say_what_was_clipped(path: str, asked: jax.Array, held: jax.Array) -> None:
    off = jnp.abs(asked - held) > 1e-3 * jnp.abs(asked)
    if traced(off) or not bool(jnp.any(off)):
        return
    warnings.warn(
        f"{int(off.sum())} of {off.size} weights of {path!r} do not fit the array and "
        "were put at the nearest value it can hold",
        stacklevel=3,
    )
