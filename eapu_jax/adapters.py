r"""Frozen arrays with low-rank adapters beside them.

A recipe of optax parts, not a rule: `adapt` puts a thin pair beside every weight on an
array, `merged` gives the weights that count, and `adapter_labels` tells
`optax.partition` which leaf is which. The adapters may be digital (LoRA on arrays), or
live on arrays of their own and be trained by EaPU, the only writes there are.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PyTree

from eapu_jax.checks import number, typed_key, whole
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put


class Adapted(NamedTuple):
    r"""A weight that stays, and a thin pair that learns: $W = W_0 + \beta\,D U$.

    Attributes:
        frozen: $W_0$, inputs by outputs.
        down: $D$, inputs by rank.
        up: $U$, rank by outputs; 0 at first, so that adapting changes nothing.
    """

    frozen: Float[Array, "*before inputs outputs"]
    down: Float[Array, "*before inputs rank"]
    up: Float[Array, "*before rank outputs"]


def adapt(
    key: Key[Array, ""], params: PyTree, rank: int, *, place: Place | None = None
) -> PyTree:
    r"""Put an adapter beside every weight that lives on an array.

    The entries of `down` have the variance 1 / inputs, those of `up` are 0, as in LoRA
    (RECALLED).

    Args:
        key: typed key.
        params: the model.
        rank: of the adapters, at least 1.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a rank below 1 or above the smaller side of a weight.

    Example: EaPU on the adapters only, on arrays of their own. `set_to_zero` before
        `program` writes nothing: it is how a frozen array is held, counted, and
        followed where it drifts.

        >>> import jax, jax.numpy as jnp, optax
        >>> import eapu_jax as ej
        >>> k1, k2, k3, k4 = jax.random.split(jax.random.key(0), 4)
        >>> target, crossbar = jnp.outer(jnp.ones(8), jnp.ones(6)), ej.Crossbar()
        >>> params = adapt(k1, {"kernel": jnp.zeros((8, 6)), "bias": jnp.zeros(6)}, 2)
        >>> tx = optax.partition(
        ...     {
        ...         "frozen": optax.chain(
        ...             optax.set_to_zero(), ej.program(crossbar, key=k2)
        ...         ),
        ...         "adapter": optax.chain(
        ...             optax.sgd(0.3),
        ...             ej.eapu(2 / 80, key=k3),
        ...             ej.program(crossbar, key=k4),
        ...         ),
        ...         "digital": optax.sgd(0.3),
        ...     },
        ...     adapter_labels,
        ... )
        >>> def loss(params):
        ...     return jnp.mean((merged(params)["kernel"] - target) ** 2)
        >>> state, update = tx.init(params), jax.jit(tx.update)
        >>> for _ in range(400):
        ...     updates, state = update(jax.grad(loss)(params), state, params)
        ...     params = optax.apply_updates(params, updates)
        >>> bool(loss(params) < 0.1)
        True
        >>> writes = ej.writes_per_cell(state)
        >>> {path: bool(n.any()) for path, n in sorted(writes.items())}
        {'kernel/down': True, 'kernel/frozen': False, 'kernel/up': True}
    """
    typed_key("key", key)
    whole("rank", rank, at_least=1)
    leaves = on_array(params, place)
    keys = jr.split(key, max(len(leaves), 1))
    return put(
        params,
        {p: _adapted(k, p, w, rank) for k, (p, w) in zip(keys, leaves.items())},  # noqa: B905
    )


def merged(params: PyTree, scale: Scalar = 1.0) -> PyTree:
    r"""The weights that count, $W_0 + \beta\,D U$, in the place of each `Adapted`.

    The gradient arrives at all three; which of them moves, the labels say.

    Args:
        params: as `adapt` made them.
        scale: $\beta$.

    Example:
        >>> import jax.numpy as jnp
        >>> one = Adapted(jnp.ones((2, 2)), jnp.ones((2, 1)), jnp.full((1, 2), 0.5))
        >>> merged({"kernel": one})["kernel"].tolist()
        [[1.5, 1.5], [1.5, 1.5]]
    """
    number("scale", scale)

    def merge(leaf):
        if not isinstance(leaf, Adapted):
            return leaf
        return leaf.frozen + scale * (leaf.down @ leaf.up)

    return jax.tree.map(merge, params, is_leaf=_is_adapted)


def adapter_labels(params: PyTree) -> PyTree:
    """Whether a leaf is "frozen", "adapter" or "digital", for `optax.partition`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> params = {"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}
        >>> adapter_labels(adapt(jax.random.key(0), params, 1))["kernel"]
        Adapted(frozen='frozen', down='adapter', up='adapter')
    """

    def label(leaf):
        if isinstance(leaf, Adapted):
            return Adapted("frozen", "adapter", "adapter")  # type: ignore[arg-type]
        return "digital"

    return jax.tree.map(label, params, is_leaf=_is_adapted)


def _is_adapted(leaf) -> bool:
    return isinstance(leaf, Adapted)


def _adapted(key, path: str, w: jax.Array, rank: int) -> Adapted:
    if w.ndim < 2 or rank > min(w.shape[-2:]):
        raise ValueError(
            f"rank must be at most the smaller side of {path!r}, {w.shape}, got {rank}"
        )
    *before, inputs, outputs = w.shape
    down = jr.normal(key, (*before, inputs, rank), w.dtype) / inputs**0.5
    return Adapted(w, down, jnp.zeros((*before, rank, outputs), w.dtype))
