"""Set-up of an exact step, in double precision where its input allows."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.circuits import AbstractBoard, LinearForm
from thermo.circuits.drive import check_drive
from thermo.propagate.driven import driven
from thermo.reals import alike, is_traced, real_array, working_dtype

T = TypeVar("T")


def prepare(build: Callable[[LinearForm, Any], T], board: Any, dt: Any) -> T:
    """Run a set-up in double precision on concrete input, as it comes on traced.

    Where the drive of the board is a function of time, the result is a `Driven` one.

    Raises:
        ValueError: if `board` is none or has no linear form, or `dt` is not one
            positive finite number.
    """
    checks.interval("dt", dt)
    if isinstance(board, LinearForm):
        _check_form(board)
    elif isinstance(board, AbstractBoard):
        board.check_linear()
    else:
        raise ValueError(f"board = {board!r:.80}: must be a board or its LinearForm.")
    if is_traced(board, dt):
        return _prepare(build, board, dt)
    dtype = working_dtype(*(x for x in jax.tree.leaves(board) if np.ndim(x)))
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        doubles = jax.tree.map(_doubles, (board, dt))
        ready = jax.tree.map(np.asarray, _prepare(build, *doubles))
        ready.check()
        with np.errstate(over="ignore"):
            ready = ready.rounded(dtype)
        if not all(np.isfinite(x).all() for x in jax.tree.leaves(ready)):
            raise ValueError(
                f"board (or its drift and noise), dt = {dt}: the step is "
                "not finite. These values are too large, too small or too far apart: "
                "change the units, or use jax.enable_x64."
            )
        return jax.tree.map(jnp.asarray, ready)


def _doubles(x):
    """Doubles of any floats; what a drive counts with stays whole."""
    x = np.asarray(x)
    return x if x.dtype.kind in "iub" else np.asarray(x, float)


def _check_form(form):
    for name in ("drift", "noise", "readout", "bias"):
        checks.finite(name, getattr(form, name))
    drift, noise, readout, bias = (
        real_array(name, getattr(form, name)).shape
        for name in ("drift", "noise", "readout", "bias")
    )
    for name, shape in (("drift", drift), ("noise", noise), ("readout", readout)):
        if len(shape) < 2 or 0 in shape:
            raise ValueError(
                f"{name} has shape {shape}: it must be a matrix, not empty"
            )
    (*_, n, m), columns = drift, readout[-1]
    if not n == m == noise[-2] == columns:
        raise ValueError(
            f"drift is ({n}, {m}), noise has {noise[-2]} rows and readout "
            f"{columns} columns: the drift must be square and all must agree"
        )
    if bias not in ((), (n,), drift[:-1]):
        raise ValueError(f"bias has shape {bias}: it must be ({n},) or ().")
    if form.drive is not None and len(drift) == 2:
        check_drive("drive", form.drive, n)


@partial(jax.jit, static_argnames="build")
def _prepare(build, board, dt):
    form = _filled(board if isinstance(board, LinearForm) else board.linear())
    step = build if form.drive is None else partial(driven, build)
    for _ in range(form.drift.ndim - 2):
        step = jax.vmap(step, in_axes=(0, None))
    return step(form, jnp.asarray(real_array("dt", dt)).astype(form.drift.dtype))


def _filled(form):
    """All of one precision, and the bias as a vector: every leaf has the board axes."""
    drift, noise, readout, bias = alike(
        drift=form.drift, noise=form.noise, readout=form.readout, bias=form.bias
    )
    bias = jnp.broadcast_to(bias, drift.shape[:-1])
    return LinearForm(
        drift=drift, noise=noise, readout=readout, bias=bias, drive=form.drive
    )
