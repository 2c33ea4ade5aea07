"""Tiki-Taka: gradients go to a fast array, what it reads goes to a slow one."""

import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule, fast_and_slow, slow_and_part_of_fast
from eapu_jax.transforms.tiles import both_ways, tiles


def tiki_taka(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    key: Key[Array, ""],
    rate: Scalar = 1.0,
    every: int = 1,
    gamma: Scalar = 0.0,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Write updates onto a fast array, and what it reads onto a slow one (TTv1).

    $$ A \leftarrow A + \Delta W, \qquad
       C_i \leftarrow C_i + \alpha\,\widehat{A}_i \text{ every so many updates},
       \qquad W = C + \gamma A $$

    with $\Delta W$ the update that arrives, $\widehat A_i$ what a noisy read of line
    $i$ returns, and lines in turn (STATED, IBM's analog hardware kit, after Gokmen and
    Haensch 2020). A line is all cells that one input drives: row $i$ of a weight
    matrix of inputs by outputs, a column in papers, which write it the other way
    round. The axes before are matrices side by side.

    What makes $A$ forget is its device: random pulses up and down bring a cell to its
    symmetric point, where both move it alike. $A$ works if this point reads 0, which
    is what the reference of its encoding is for. With $\gamma > 0$ the gradient is
    taken at $C + \gamma A$, so that $A$ learns what $C$ lacks: residual learning, which
    converges all the same; see `residual_learning`.

    Signs: the published texts differ ($A \mathrel{-}= \beta G$ in one, $A
    \mathrel{+}= G$ and a minus at the transfer in the other). Here updates arrive
    signed, $\Delta W = -\beta G$, and both steps add; that this goes down the hill, and
    the other choice up, is tested.

    Put it last in the chain. What it emits is how the read-out $W$ moves, so that
    params stay the read-out; weights changed from outside are asked of the slow array,
    as `program` does. Requests become whole pulses at random, right in the mean. Under
    `vmap` build the transform inside the mapped function.

    Args:
        fast: what the arrays $A$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        key: typed key.
        rate: $\alpha > 0$, part of what was read that is transferred.
        every: updates from one transfer to the next.
        gamma: $\gamma \ge 0$, part of $A$ in the weight.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s; it matters to volatile devices.

    Raises:
        ValueError: on a number out of its bounds, a fast device that is not pulsed in
            both directions, a missing `params`, or behind `program` or another rule
            that writes.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import AdditiveError, Crossbar, totals
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> rule = tiki_taka(quiet, quiet, key=jax.random.key(0), rate=0.5)
        >>> tx, w = optax.chain(optax.sgd(0.25), rule), jnp.ones((2, 2))
        >>> state = tx.init(w)
        >>> for _ in range(2):
        ...     updates, state = tx.update(w, state, w)
        ...     w = optax.apply_updates(w, updates)
        >>> w  # line 0 had half of -0.25, then line 1 half of -0.5
        Array([[0.875, 0.875],
               [0.75 , 0.75 ]], dtype=float32)
        >>> totals(state)["reads"]
        2
    """
    number("rate", rate, above=0)
    whole("every", every, at_least=1)
    number("gamma", gamma, at_least=0)

    def act(one, dw):
        one = one.write("fast", dw)
        line = line_at(one.step, every, dw.shape)
        seen, one = one.read("fast", line)
        return one.write("slow", rate * seen, line)

    rule = Rule(
        name="tiki_taka",
        act=act,
        parts=slow_and_part_of_fast(gamma),
        start=fast_and_slow,
    )
    both_ways("fast", fast)
    both = {"fast": fast, "slow": slow}
    return tiles(rule, both, key=key, place=place, step_time=step_time)
