"""Weights that multiply through their array, whoever asks for the product."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from eapu_jax.array import ArrayState
from eapu_jax.checks import one_of
from eapu_jax.convolution import channels_last, convolve
from eapu_jax.crossbar import Crossbar
from eapu_jax.matvec import Gradient, Noise, matvec, matvec_transposed


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
