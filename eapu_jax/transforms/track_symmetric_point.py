"""Residual learning that finds the symmetric point of its fast array by itself."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.choppers import flipped, upright
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule, fast_and_slow
from eapu_jax.transforms.tiles import both_ways, tiles


def track_symmetric_point(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    key: Key[Array, ""],
    rate: Scalar = 1.0,
    every: int = 1,
    gamma: Scalar = 0.4,
    smoothing: Scalar = 0.05,
    flip: Scalar = 0.1,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Read the fast array against a running mean of its own reads, under choppers.

    $$ A_i \leftarrow A_i + c_i\,\Delta W_i, \qquad
       C_i \leftarrow C_i + \alpha\,c_i\,(\widehat A_i - Q_i), \qquad
       Q_i \leftarrow Q_i + \eta\,(\widehat A_i - Q_i) $$

    $$ W_i = C_i + \gamma\,c_i\,(A_i - Q_i) $$

    Random pulses draw the cells of $A$ towards their symmetric point; what was learnt
    stands on either side of it, as the chopper turns. The digital mean $Q$ follows the
    middle, and what is left is the signal: no calibration before training, and no
    reference cell that must be right.

    INFERRED as a whole. The published method (arXiv 2602.21321) tracks the symmetric
    point during training, in an enhanced variant by chopping and filtering (STATED in
    its abstract); neither code nor recursion nor a name for it could be confirmed. The
    transfer before the mean is RECALLED. With `flip=0` it is the variant without
    choppers, in which $Q$ also follows a signal that stays.

    For lines, signs, what is emitted and what is asked of the slow array, see
    `tiki_taka`. One digital word per weight.

    Args:
        fast: what the arrays $A$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        key: typed key.
        rate: $\alpha > 0$.
        every: updates from one transfer to the next.
        gamma: $\gamma \ge 0$, part of the signal in the weight.
        smoothing: $\eta$, above 0, at most 1; by read of a line.
        flip: probability that a chopper turns after a read of its line, 0 to 1.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: as `tiki_taka`, and on a smoothing or probability out of bounds.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = track_symmetric_point(
        ...     quiet, quiet, key=jax.random.key(0), smoothing=0.5, flip=0.0
        ... )
        >>> w = jnp.zeros((1, 1))
        >>> _, state = tx.update(w + 0.2, tx.init(w), w)
        >>> state.memory["point"][""]
        Array([[0.1]], dtype=float32)
    """
    number("rate", rate, above=0)
    whole("every", every, at_least=1)
    number("gamma", gamma, at_least=0)
    number("smoothing", smoothing, above=0, at_most=1)
    number("flip", flip, at_least=0, at_most=1)

    def act(one, dw):
        one = one.write("fast", one.memory["chop"] * dw)
        line = line_at(one.step, every, dw.shape)
        seen, one = one.read("fast", line)
        signal = seen - one.recall("point", line)
        one = one.write("slow", rate * one.recall("chop", line) * signal, line)
        point = one.recall("point", line) + smoothing * signal
        return flipped(one.remember("point", point, line), line, flip)

    def parts(held, memory):
        signed = gamma * memory["chop"]
        return [held["slow"], signed * (held["fast"] - memory["point"])]

    rule = Rule(
        name="track_symmetric_point",
        act=act,
        parts=parts,
        start=fast_and_slow,
        memory=lambda w: upright(w) | {"point": jnp.zeros_like(w)},
    )
    both_ways("fast", fast)
    both = {"fast": fast, "slow": slow}
    return tiles(rule, both, key=key, place=place, step_time=step_time)
