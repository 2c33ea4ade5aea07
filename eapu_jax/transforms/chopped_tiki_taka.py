"""Buffered Tiki-Taka whose gradients are written under signs that keep changing."""

import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.buffered import Buffer, empty_buffer
from eapu_jax.transforms.choppers import flipped, upright
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule, fast_and_slow, slow_and_part_of_fast
from eapu_jax.transforms.tiles import both_ways, tiles


def chopped_tiki_taka(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    threshold: PyTree[Scalar],
    key: Key[Array, ""],
    rate: Scalar = 1.0,
    every: int = 1,
    flip: Scalar = 0.1,
    gamma: Scalar = 0.0,
    step: Scalar | None = None,
    momentum: Scalar = 0.1,
    forget_buffer: bool = True,
    most: int = 1,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Write and read the fast array under signs, so that its offset cancels (c-TTv2).

    Every line $i$ has a chopper $c_i = \pm 1$:

    $$ A_i \leftarrow A_i + c_i\,\Delta W_i, \qquad
       H_i \leftarrow H_i + \alpha\,c_i\,\widehat A_i, \qquad
       W_i = C_i + \gamma\,c_i A_i $$

    and $H$ fills $C$ as in `tiki_taka_v2`. After each read of a line its chopper turns
    with the probability `flip`. An update is written and read under one sign and
    arrives whole; an offset of $A$, such as a symmetric point that does not read 0,
    arrives with alternating signs and cancels in the mean. That both signs are needed
    is tested on a least-squares toy.

    Equations STATED in IBM's analog hardware kit (its third algorithm); the sign that
    the reading puts on the forward weight for $\gamma > 0$, $W = C + A\gamma + \gamma
    (c - 1) A$, STATED for residual learning, see there. At a turn of the chopper the
    part $\gamma c A$ of the weight changes its sign: the weight jumps, and params with
    it. Output choppers are left out (0 by default in the kit).

    For lines, signs, what is emitted and what is asked of the slow array, see
    `tiki_taka`; with `flip=0` and `gamma=0` this is `tiki_taka_v2`.

    Args:
        fast: what the arrays $A$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        threshold: $\theta > 0$, weight units; a number or a prefix tree.
        key: typed key.
        rate: $\alpha > 0$.
        every: updates from one transfer to the next.
        flip: probability that a chopper turns after a read of its line, 0 to 1.
        gamma: $\gamma \ge 0$, part of $A$ in the weight.
        step: see `tiki_taka_v2`.
        momentum: see `tiki_taka_v2`.
        forget_buffer: see `tiki_taka_v2`.
        most: see `tiki_taka_v2`.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: as `tiki_taka_v2`, and on a probability out of bounds.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = chopped_tiki_taka(
        ...     quiet, quiet, threshold=0.5, key=jax.random.key(0), flip=1.0
        ... )
        >>> w, asked = jnp.zeros((1, 1)), jnp.array([[0.2]])
        >>> state = tx.init(w)
        >>> for _ in range(3):  # +0.2, then -0.2, then +0.2 is written
        ...     _, state = tx.update(asked, state, w)
        ...     print(state.tiles["fast"][""].cells.g, state.memory["chop"][""])
        [[16.]] [[-1.]]
        [[0.]] [[1.]]
        [[16.]] [[-1.]]
    """
    number("rate", rate, above=0)
    whole("every", every, at_least=1)
    number("flip", flip, at_least=0, at_most=1)
    number("gamma", gamma, at_least=0)
    buffer = Buffer(step, momentum, forget_buffer, most).check(threshold)

    def act(one, dw):
        one = one.write("fast", one.memory["chop"] * dw)
        line = line_at(one.step, every, dw.shape)
        seen, one = one.read("fast", line)
        grown = rate * one.recall("chop", line) * seen
        return flipped(buffer.passed(one, grown, line), line, flip)

    rule = Rule(
        name="chopped_tiki_taka",
        act=act,
        parts=slow_and_part_of_fast(gamma),
        start=fast_and_slow,
        memory=lambda w: empty_buffer(w) | upright(w),
        threshold=threshold,
    )
    both_ways("fast", fast)
    both = {"fast": fast, "slow": slow}
    return tiles(rule, both, key=key, place=place, step_time=step_time)
