"""A model becomes analog by its leaves."""

import dataclasses
from collections.abc import Collection, Mapping

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, PyTree

from eapu_jax.analog import Analog
from eapu_jax.array import ArrayState
from eapu_jax.checks import one_of, typed_key
from eapu_jax.crossbar import Crossbar, crossbars_at, refuse_unknown
from eapu_jax.matvec import Gradient, Noise
from eapu_jax.placement import Place, on_array, place, put


def wrap(
    params: PyTree,
    arrays: dict[str, ArrayState],
    key: Key[Array, ""],
    crossbar: PyTree[Crossbar],
    *,
    place: Place = place,
    stacked: Collection[str] = (),
    gradient: Gradient = "array",
    noise: Noise = "fresh",
) -> PyTree:
    """The model with all weights on the array replaced by `Analog` ones.

    Call it inside the loss: what it returns multiplies through the arrays, and the
    gradient arrives at `params`. Digital leaves are untouched.

    Args:
        params: the model.
        arrays: by path (`view` of the optimizer's state, or of `deploy`).
        key: of the read noise; a new one for every step.
        crossbar: one, or a tree of them by path.
        place: which leaves live on an array; those it keeps digital are exact, also
            where there is an array for them.
        stacked: paths of branches whose leaves have a leading axis of layers
            (`nn.scan`): every layer is an array with read noise of its own.
        gradient: see `matvec`.
        noise: see `matvec`.

    Raises:
        ValueError: if a weight has no array, or `stacked` names no path.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, deploy
        >>> key = jax.random.key(0)
        >>> params, arrays = deploy(key, Crossbar(), {"kernel": jnp.eye(2)})
        >>> def loss(params, x):
        ...     return jnp.sum(x @ wrap(params, arrays, key, Crossbar())["kernel"])
        >>> jax.grad(loss)(params, jnp.array([[1.0, 2.0]]))
        {'kernel': Array([[1., 1.],
               [2., 2.]], dtype=float32)}
    """
    typed_key("key", key)
    one_of("gradient", gradient, ("array", "exact"))
    one_of("noise", noise, ("fresh", "shared"))
    leaves = on_array(params, place)
    _all_known(leaves, arrays, stacked)
    crossbars = crossbars_at(crossbar, list(leaves))
    refuse_unknown(crossbar, params)
    keys = dict(zip(leaves, jr.split(key, max(len(leaves), 1)), strict=False))
    wrapped = {
        p: Analog(w, arrays[p]._replace(ledger=None), keys[p], crossbars[p],
                  gradient, noise)
        for p, w in leaves.items()
    }  # fmt: skip
    for path in wrapped:
        if any(_below(path, branch) for branch in stacked):
            wrapped[path] = layers_first(wrapped[path])
    return put(params, wrapped)


def layers_first(analog: Analog) -> Analog:
    """A stack of layers, cut so that every leaf has the axis of layers first."""
    n, crossbar = analog.w.shape[0], analog.crossbar
    g = crossbar.conductance(analog.state.cells)
    lead = g.ndim - analog.w.ndim

    def cells_first(leaf):
        return jnp.moveaxis(leaf, lead, 0) if jnp.ndim(leaf) == g.ndim else every(leaf)

    def every(leaf):
        return jnp.broadcast_to(leaf, (n, *jnp.shape(leaf)))

    scale = jnp.asarray(analog.state.scale)
    if scale.ndim == analog.w.ndim:  # one per column, as fitted to the stack
        scale = jnp.broadcast_to(scale, (n, *scale.shape[1:]))
    else:
        scale = every(scale)
    state = ArrayState(
        jax.tree.map(cells_first, analog.state.cells),
        scale,
        None,  # type: ignore
    )
    return dataclasses.replace(
        analog, state=state, key=jr.split(analog.key, n),
        crossbar=jax.tree.map(cells_first, crossbar),
    )  # fmt: skip


def _all_known(leaves, arrays, stacked) -> None:
    if not isinstance(arrays, Mapping):
        raise ValueError(f"arrays must map paths to arrays, got {arrays!r}")
    if not isinstance(stacked, Collection):
        raise ValueError(f"stacked must be paths of branches, got {stacked!r}")
    for path in leaves:
        if path not in arrays:
            raise ValueError(
                f"arrays must have one for {path!r}, got {', '.join(arrays) or 'none'}"
            )
    for branch in stacked:
        if not any(_below(path, branch) for path in leaves):
            raise ValueError(
                f"stacked must name branches of {', '.join(leaves)}, got {branch!r}"
            )


def _below(path: str, branch: str) -> bool:
    return path == branch or path.startswith(branch + "/")
