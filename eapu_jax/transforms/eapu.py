"""EaPU, the error-aware probabilistic update: the heart of the paper."""

from typing import NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key, PyTree, UInt32

from eapu_jax.array import working_dtype
from eapu_jax.checks import thresholds
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put
from eapu_jax.rows import Arrays, Rows
from eapu_jax.transforms.keys import Root, following
from eapu_jax.transforms.links import refuse_decided, sign
from eapu_jax.transforms.per_array import thresholds_at
from eapu_jax.transforms.requests import (
    Decided,
    Gate,
    Gated,
    least_of,
    pulses_where,
)
from eapu_jax.transforms.sharding import gathered, spread_like
from prng import counts_its_draws
from prng.chance import decided, happens
from prng.derive import folded, halves
from prng.once import computed_once


class EapuState(NamedTuple):
    """All that EaPU remembers: how often it drew, and from what.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]


def eapu(
    threshold: PyTree[Scalar], *, key: Key[Array, ""], place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Turn updates too small to program into rare pulses that are not.

    $$ P(\text{write}) = \min\left(1, \frac{|\Delta W|}{\Delta W_{th}}\right),
       \qquad \Delta W' = \begin{cases}
         \mathrm{sign}(\Delta W)\,\max(|\Delta W|, \Delta W_{th})
         & \text{if written} \\ 0 & \text{otherwise} \end{cases} $$

    so $E[\Delta W'] = \Delta W$ on either side of the threshold, and only the
    fraction $|\Delta W| / \Delta W_{th}$ of the cells is written. An update of at
    least the threshold passes unchanged; zero is never written. Nothing is
    remembered from step to step: no residual, no accumulator.

    The rule is that of the authors' public code (STATED). There the threshold is
    $\Delta W_{th} = R_{wg} \cdot \mathrm{SD}(\epsilon_\mathrm{cell})$, which is
    the choice of least variance (DERIVED, `eapu_jax.laws.total_variance`);
    `matched_threshold` measures it for any device.

    Probabilities are right down to $2^{-64}$, and cells are independent. Leaves that
    `place` keeps digital pass unchanged. A NaN update passes too: a diverged chip must
    show.

    A chain that ends here trains digital weights by the same rare steps, without
    arrays and without errors of writing: there is nothing that `view` or the counts
    could read, and they say so.

    Args:
        threshold: $\Delta W_{th} > 0$ in units of the weights; one number, or a
            tree of them that is a prefix of the updates. May be traced.
        key: typed key. Under `vmap` build the transform inside the mapped
            function, or every chip draws the same.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a threshold that is not positive and finite or does not fit
            its update, a key that is not one typed key, or if it comes after
            `program` or another gate.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> tx = eapu(0.025, key=jax.random.key(0))
        >>> update = {"kernel": jnp.full((1000, 100), 2.5e-4)}
        >>> pulses, _ = tx.update(update, tx.init(update))
        >>> sorted({round(float(p), 4) for p in jnp.unique(pulses["kernel"])})
        [0.0, 0.025]
        >>> f"{float((pulses['kernel'] != 0).mean()):.2f}"
        '0.01'
    """
    thresholds(threshold)
    root = Root(key)

    def init_fn(params):
        del params
        return EapuState(jnp.zeros((), jnp.int32), root.words())

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        asked = on_array(updates, place)
        refuse_decided("eapu", asked)
        theta = thresholds_at(threshold, updates, place)
        key_step = root.at(state.key, state.step)
        pulses, notes = _decided(key_step, gathered(asked), theta, state.step)
        pulses = spread_like(asked, pulses)
        for path, leaf in pulses.items():
            sign(leaf, "eapu", notes[path])
        state = EapuState(following(state.step), state.key)
        return put(updates, pulses), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def _decided(key, asked: Arrays, theta: Arrays, step) -> tuple[Arrays, Arrays]:
    """The pulses of all arrays, those of one precision at once, and notes of them."""
    exact = {p: u.astype(working_dtype(u)) for p, u in asked.items()}
    pulses: Arrays = {}
    notes: Arrays = {}
    for number, dtype in enumerate(sorted({str(u.dtype) for u in exact.values()})):
        rows = Rows.of({p: u for p, u in sorted(exact.items()) if u.dtype == dtype})
        dw, limit = computed_once(rows.pack(exact), step), rows.spread(theta, fill=1)
        key_these = folded(key, number, step)
        if counts_its_draws(key_these):
            keys = halves(key_these, step)
            written, gate = decided(keys, dw, limit), Gate(rows, Gated(keys, dw, limit))
        else:
            written, gate = happens(key_these, jnp.abs(dw) / limit), None
        sent = computed_once(pulses_where(written, dw, limit), step)
        pulses |= rows.unpack(sent, step)
        notes |= {p: Decided(least_of(theta[p]), gate) for p in rows.paths}
    return {p: pulses[p].astype(u.dtype) for p, u in asked.items()}, notes
