"""Tiki-Taka whose fast array is the product of two thin ones."""

import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule
from eapu_jax.transforms.tiles import both_ways, tiles


def low_rank_tiki_taka(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    rank: int,
    key: Key[Array, ""],
    rate: Scalar | None = None,
    every: int = 1,
    gamma: Scalar = 1.0,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Collect updates in two thin arrays, and move their product to the slow one.

    With $U$ of inputs by rank and $V$ of rank by outputs,

    $$ U \leftarrow U + \Delta W\,V^\top, \qquad V \leftarrow V + U^\top \Delta W,
       \qquad W = C + \gamma\,U V $$

    both steps from the $U$ and $V$ before them; every so many updates one line is moved
    over:

    $$ C_i \leftarrow C_i + \alpha\,\widehat U_i \widehat V, \qquad
       U_i \leftarrow U_i - \widehat U_i $$

    At first $U = 0$ and the entries of $V$ have the variance 1 / rank, so that
    $V^\top V$ is the identity in the mean. With $\alpha = \gamma$, the default, a
    transfer without errors moves the weight from one place to the other and changes
    nothing (DERIVED, tested). It spares arrays and writes: two thin ones for a full
    one, at the price that only this subspace learns between transfers.

    LR-TT: that a low-rank $A$ collects and is transferred to $C$ is RECALLED; the
    projections, which are the chain rule of $U V$ without its factor $\gamma$, the way
    of emptying $U$ by its own read-out, and line by line are INFERRED. The projections
    see the arrays without read noise (ASSUMED).

    For lines, signs, what is emitted and what is asked of the slow array, see
    `tiki_taka`. A transfer counts two reads, one of a line of $U$ and one of $V$.

    Args:
        fast: what $U$ and $V$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        rank: at least 1, at most the smaller side of every weight.
        key: typed key.
        rate: $\alpha > 0$; $\gamma$ when None.
        every: updates from one transfer to the next.
        gamma: $\gamma > 0$, part of $U V$ in the weight.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: on a number out of its bounds, a rank above a side of a weight, a
            fast device that is not pulsed in both directions, a missing `params`, or
            behind `program`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar, view
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = low_rank_tiki_taka(quiet, quiet, rank=2, key=jax.random.key(0))
        >>> state = tx.init(jnp.zeros((6, 4)))
        >>> {name: one.cells.g.shape for name, one in view(state).items()}
        {'@down': (6, 2), '@up': (2, 4), '@slow': (6, 4)}
    """
    whole("rank", rank, at_least=1)
    number("gamma", gamma, above=0)
    alpha = gamma if rate is None else rate
    number("rate", alpha, above=0)
    whole("every", every, at_least=1)

    def act(one, dw):
        down, up = one.weights("down"), one.weights("up")
        one = one.write("down", dw @ jnp.swapaxes(up, -1, -2))
        one = one.write("up", jnp.swapaxes(down, -1, -2) @ dw)
        line = line_at(one.step, every, dw.shape)
        left, one = one.read("down", line)
        right, one = one.read("up", line, all_lines=True)
        one = one.write("slow", alpha * (left @ right), line)
        return one.write("down", -left, line)

    def start(key, w):
        if w.ndim < 2 or rank > min(w.shape[-2:]):
            raise ValueError(
                f"rank must be at most the smaller side of every weight, got {rank} "
                f"for a weight {w.shape}"
            )
        *before, inputs, outputs = w.shape
        wide = jr.normal(key, (*before, rank, outputs), w.dtype) / rank**0.5
        down = jnp.zeros((*before, inputs, rank), w.dtype)
        return {"down": down, "up": wide, "slow": w}

    def parts(held, memory):
        return [held["slow"], gamma * (held["down"] @ held["up"])]

    def spans(held, memory):
        return parts({tile: jnp.abs(w) for tile, w in held.items()}, memory)

    rule = Rule(
        name="low_rank_tiki_taka",
        act=act,
        parts=parts,
        spans=spans,
        terms=1 + rank,
        start=start,
        draws=6,
    )
    both_ways("fast", fast)
    held = {"down": fast, "up": fast, "slow": slow}
    return tiles(rule, held, key=key, place=place, step_time=step_time)
