"""Weights that multiply through the array: a model becomes analog by its leaves."""

import dataclasses
from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, PyTree

from eapu_jax.array import ArrayState
from eapu_jax.checks import one_of, typed_key
from eapu_jax.convolution import channels_last, convolve
from eapu_jax.crossbar import Crossbar, crossbars_at
from eapu_jax.matvec import Gradient, Noise, matvec, matvec_transposed
from eapu_jax.placement import Place, on_array, place, put


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Analog:
    """Weights whose products are made by an array; stands where a kernel stood.

    `x @ w` and `w @ x` go through the cells; so do the dense and convolutional
    layers of libraries that let their product be replaced (`eapu_jax.flax`). It is
    no array otherwise, and all else raises a TypeError. `w` is the first leaf, and
    carries the gradient to the parameters.

    Attributes:
        w: the parameters.
        state: the array that they read out, without its ledger.
        key: of the read noise.
        crossbar: what the array is made of.
        gradient: see `matvec`.
        noise: see `matvec`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar
        >>> from eapu_jax.array import deploy_one
        >>> w = jnp.eye(2)
        >>> state = deploy_one(jax.random.key(0), Crossbar(), w)
        >>> jnp.ones((1, 2)) @ Analog(w, state, jax.random.key(1), Crossbar())
        Array([[1., 1.]], dtype=float32)
    """

    w: jax.Array
    state: ArrayState
    key: Key[Array, ""]
    crossbar: Crossbar
    gradient: Gradient = dataclasses.field(default="array", metadata={"static": True})
    noise: Noise = dataclasses.field(default="fresh", metadata={"static": True})

    __array_priority__ = 1000

    shape = property(lambda self: self.w.shape)
    ndim = property(lambda self: self.w.ndim)
    dtype = property(lambda self: self.w.dtype)
    size = property(lambda self: self.w.size)

    @property
    def how(self) -> dict[str, Any]:
        """The options of a product."""
        return {"gradient": self.gradient, "noise": self.noise}

    def astype(self, dtype: Any) -> "Analog":
        """The same array, with products in another precision."""
        return dataclasses.replace(self, w=self.w.astype(dtype))

    def __rmatmul__(self, x: jax.Array) -> jax.Array:
        """$x W$: drive the rows."""
        return self.dot(x, 1)

    def __matmul__(self, x: jax.Array) -> jax.Array:
        """$W x$, for one vector: drive the columns."""
        if x.ndim != 1:
            raise ValueError(f"w @ x takes one vector, vmap over more: got {x.shape}")
        return matvec_transposed(
            self.key, self.crossbar, self.state, self.w, x, noise=self.noise
        )

    def dot(self, x: jax.Array, inputs: int) -> jax.Array:
        """The last axes of `x` against the first `inputs` axes of the weights."""
        return matvec(
            self.key, self.crossbar, self.state, self.w, x, inputs=inputs, **self.how
        )

    def __getitem__(self, index: Any) -> "Analog":
        """All of it, `w[...]`: an array multiplies as a whole."""
        if index is not ...:
            raise TypeError(f"an Analog weight multiplies as a whole, got [{index!r}]")
        return self


def dot_general(x, w, dimension_numbers, *args: Any, **kwargs: Any) -> jax.Array:
    """`jax.lax.dot_general` that sends Analog weights through their array.

    Raises:
        ValueError: where `w` is Analog and the product has batch axes, or does not
            sum over the first axes of `w`.
    """
    if not isinstance(w, Analog):
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
        return jax.lax.dot_general(x, w, dimension_numbers, *args, **kwargs)
    (axes, rows), (batch, _) = dimension_numbers
    if tuple(batch) or tuple(rows) != tuple(range(len(rows))):
        raise ValueError(
            "a product with an Analog weight must sum over its first axes and have no "
            f"batch axes, got dimension_numbers {dimension_numbers}"
        )
    last = tuple(range(x.ndim - len(axes), x.ndim))
    return w.dot(jnp.moveaxis(x, axes, last), len(axes))


def conv_general_dilated(
    x,
    w,
    strides,
    padding,
    *args: Any,
    lhs_dilation: Any = None,
    rhs_dilation: Any = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    **kwargs: Any,
) -> jax.Array:
    """`jax.lax.conv_general_dilated` that sends Analog kernels through their array.

    Raises:
        ValueError: where `w` is Analog: on groups, on a dilated input (a transposed
            convolution), on any order of axes but channels last.
    """
    if not isinstance(w, Analog):
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
        return jax.lax.conv_general_dilated(
            x, w, strides, padding, *args, lhs_dilation=lhs_dilation,
            rhs_dilation=rhs_dilation, dimension_numbers=dimension_numbers,
            feature_group_count=feature_group_count,
            batch_group_count=batch_group_count, **kwargs,
        )  # fmt: skip
    one_of("feature_group_count of an Analog kernel", feature_group_count, (1,))
    one_of("batch_group_count of an Analog kernel", batch_group_count, (1,))
    dilated = set(lhs_dilation or ()) - {1}
    if dilated:
        raise ValueError(
            f"lhs_dilation of an Analog kernel must be 1, got {lhs_dilation}"
        )
    order = jax.lax.conv_dimension_numbers(x.shape, w.shape, dimension_numbers)
    if order != channels_last(x.ndim):
        raise ValueError(
            f"dimension_numbers of an Analog kernel must be channels last, got {order}"
        )
    return convolve(
        w.key, w.crossbar, w.state, w.w, x, strides, padding,
        dilation=rhs_dilation, **w.how,
    )  # fmt: skip


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
    leaves = on_array(params, place)
    _all_known(leaves, arrays, stacked)
    crossbars = crossbars_at(crossbar, list(leaves))
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
