"""A hidden integer that is cheap to write, and an array that follows now and then."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key, PyTree

from eapu_jax.checks import whole
from eapu_jax.devices.base import Scalar
from eapu_jax.ledger import one_more
from eapu_jax.placement import Place, on_array
from eapu_jax.rows import Arrays
from eapu_jax.transforms.asked import Asked, check
from eapu_jax.transforms.keys import Root, following
from eapu_jax.transforms.per_array import thresholds_at
from eapu_jax.transforms.sharding import gathered
from eapu_jax.transforms.stochastic_rounding import rounded_by_chance


class HiddenIntegerState(NamedTuple):
    """What the rule remembers.

    Attributes:
        step: updates so far.
        key: words of the root key; None where nothing is drawn.
        bits: of the hidden integer of one weight.
        hidden: integer of every weight on the array, by path.
        level: what the array was asked for at the last transfer, by path.
        writes: of every hidden integer, by path: updates that changed it; stays at
            2**32 - 1 once there.
    """

    step: Int[Array, ""]
    key: Any
    bits: Int[Array, ""]
    hidden: Arrays
    level: Arrays
    writes: Arrays

    @property
    def kept(self) -> tuple[Arrays, Any]:
        """What is kept per weight, and how many bits each takes in hardware."""
        return self.hidden, self.bits


def hidden_integer(
    step: PyTree[Scalar],
    states: int,
    every: int,
    *,
    per_level: int = 1,
    key: Key[Array, ""] | None = None,
    place: Place | None = None,
) -> optax.GradientTransformationExtraArgs:
    r"""Count updates in a hidden integer; write the array every few updates.

    $$ h \leftarrow \mathrm{clip}\left(h + \mathrm{round}\left(
       \frac{\Delta W}{\lambda}\right)\right), \qquad
       q = \left\lfloor \frac{h}{m} + \frac 1 2 \right\rfloor; \qquad
       \Delta W' = \begin{cases} m \lambda\,(q - q_\mathrm{before})
         & \text{every } T \text{ updates} \\ 0 & \text{otherwise} \end{cases} $$

    $q_\mathrm{before}$ is what the array was asked for at the transfer before. $h$
    starts at the weights, $\mathrm{round}(W / \lambda)$, and has $S$ states from
    $-\lfloor S / 2 \rfloor$ on, at whose ends it stays.

    After the ferroelectric-memristor memory (Martemucci et al., Nature Electronics
    2025, doi 10.1038/s41928-025-01454-7): an analogue value in memristors and a signed
    integer in ferroelectric capacitors, these written at each input and the memristors
    every $k$ inputs, is STATED (abstract, caption of Fig. 5); that these follow the
    most significant bits is STATED-2nd (press). The equations are INFERRED, the
    rounding of $q$ ASSUMED. The caption says that hidden weights are "stochastically
    updated": whether by chance, or as in stochastic gradient descent, is UNKNOWN; so a
    `key` rounds by chance, and without one updates below $\lambda / 2$ are lost.

    In hardware the integer is ferroelectric cells, of a second kind, which the ledger
    of the array does not count: `writes` of the state does. An integer that stays is
    not written (ASSUMED; the published one is, at each input), and each of its cells is
    written at most as often as the integer changes. With `endurance_ferroelectric` and
    `eapu_jax.cost.lifetime` it says when they are worn. `eapu_jax.digital_words` counts
    the bits nevertheless, as they are kept beside the array. `level` is what the array
    itself holds but for its errors, and is not counted.

    Args:
        step: $\lambda > 0$, the weight that one count is worth; a number or a prefix
            tree.
        states: $S \ge 2$, of the integer.
        every: $T \ge 1$, updates from transfer to transfer.
        per_level: $m \ge 1$, counts that a level of the array is worth.
        key: typed key, to round by chance; None rounds to the nearest.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, whole numbers out of bounds, a key that is not
            one typed key, an `init` without the params, or after `program` or another
            gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = hidden_integer(0.5, states=16, every=3)
        >>> w = jnp.zeros((1, 2))
        >>> state = tx.init(w)
        >>> for _ in range(3):
        ...     sent, state = tx.update(jnp.array([[0.4, -2.0]]), state)
        ...     print(sent, state.hidden[""])
        [[0. 0.]] [[ 1 -4]]
        [[0. 0.]] [[ 2 -8]]
        [[ 1.5 -4. ]] [[ 3 -8]]
    """
    check({"step": step})
    whole("states", states, at_least=2, at_most=2**24)
    whole("every", every, at_least=1)
    whole("per_level", per_level, at_least=1)
    root = None if key is None else Root(key)

    def level(hidden):
        return (hidden + per_level // 2) // per_level

    def clipped(hidden):
        return jnp.clip(hidden.astype(jnp.int32), -(states // 2), (states - 1) // 2)

    def counts(x, size):
        """At most all states; 0 for NaN, which no integer can hold."""
        most = jnp.asarray(states, x.dtype)
        return jnp.clip(jnp.where(jnp.isnan(x), 0, x / size), -most, most)

    def init_fn(params):
        leaves = gathered(on_array(params, place))
        sizes = thresholds_at(step, params, place, "step")
        hidden = {
            p: clipped(jnp.round(counts(w.astype(sizes[p].dtype), sizes[p])))
            for p, w in leaves.items()
        }
        return HiddenIntegerState(
            step=jnp.zeros((), jnp.int32),
            key=None if root is None else root.words(),
            bits=_bits_of(states),
            hidden=hidden,
            level={p: level(h) for p, h in hidden.items()},
            writes={p: jnp.zeros(h.shape, jnp.uint32) for p, h in hidden.items()},
        )

    def count(*held_and_asked):
        *keys, hidden, dw, size = held_and_asked
        units = counts(dw, size)
        rounded = rounded_by_chance(keys[0], units) if keys else jnp.round(units)
        return clipped(hidden + rounded.astype(jnp.int32))

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        asked = Asked("hidden_integer", updates, {"step": step}, place)
        held = [asked.remembered(state.hidden)]
        if root is not None:
            held = [asked.keys(root.at(state.key, state.step), state.step), *held]
        hidden = asked.each(count, *held)
        due = (state.step + 1) % every == 0

        def follow(hidden, before, dw, size):
            jump = jnp.where(due, level(hidden) - before, 0) * per_level
            return jnp.where(jnp.isnan(dw), dw, jump.astype(dw.dtype) * size)

        sent = asked.each(follow, hidden, state.level)
        now = {p: jnp.where(due, level(h), state.level[p]) for p, h in hidden.items()}
        writes = {
            p: one_more(state.writes[p], h != state.hidden[p])
            for p, h in hidden.items()
        }
        after = following(state.step)
        state = HiddenIntegerState(after, state.key, state.bits, hidden, now, writes)
        return asked.answer(sent, "step"), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def _bits_of(states: Any) -> Int[Array, ""]:
    """Bits that tell so many states apart."""
    powers = jnp.left_shift(1, jnp.arange(25))
    return jnp.sum(powers < states).astype(jnp.int32)
