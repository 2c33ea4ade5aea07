"""Set-up of an exact step, in double precision where its input allows."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from thermo import checks
from thermo.circuits import LinearForm
from thermo.exact.double import working_dtype

T = TypeVar("T")


def in_double(build: Callable[[LinearForm, Any], T], board: Any, dt: Any) -> T:
    """Run a set-up in double precision on concrete input, as it comes on traced."""
    leaves = jax.tree.leaves((board, dt))
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return _prepare(build, board, dt)
    if isinstance(board, LinearForm):
        _check_form(board)
    else:
        jax.eval_shape(board.linear)  # its checks see the values; nothing is computed
    dtype = working_dtype(leaves)
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        doubles = jax.tree.map(lambda x: np.asarray(x, float), (board, dt))
        ready = _prepare(build, *doubles)
        ready.check()
        ready = jax.tree.map(np.asarray, ready).rounded(dtype)
        return jax.tree.map(jnp.asarray, ready)


def _check_form(form):
    for name in ("drift", "noise", "readout", "bias"):
        checks.finite(name, getattr(form, name))
    (*_, n, m), columns = form.drift.shape, form.readout.shape[-1]
    if not n == m == form.noise.shape[-2] == columns:
        raise ValueError(
            f"drift is ({n}, {m}), noise has {form.noise.shape[-2]} rows and readout "
            f"{columns} columns: the drift must be square and all must agree"
        )


@partial(jax.jit, static_argnames="build")
def _prepare(build, board, dt):
    form = board if isinstance(board, LinearForm) else board.linear()
    for _ in range(form.drift.ndim - 2):
        build = jax.vmap(build, in_axes=(0, None))
    return build(_filled(form), dt)


def _filled(form):
    """The bias as a vector, so that every leaf has the board axes."""
    bias = jnp.broadcast_to(
        jnp.asarray(form.bias, form.drift.dtype), form.drift.shape[:-1]
    )
    return LinearForm(
        drift=form.drift, noise=form.noise, readout=form.readout, bias=bias
    )
