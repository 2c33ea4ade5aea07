"""AGAD: what the fast array reads, held against its reads under the other sign."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.buffered import Buffer, empty_buffer
from eapu_jax.transforms.lines import line_at, lines_of
from eapu_jax.transforms.rule import Rule, fast_and_slow, slow_and_part_of_fast
from eapu_jax.transforms.tiles import both_ways, tiles


def agad(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    threshold: PyTree[Scalar],
    key: Key[Array, ""],
    rate: Scalar = 1.0,
    every: int = 1,
    reads: int = 10,
    gate: Scalar = 1.0,
    step: Scalar | None = None,
    momentum: Scalar = 0.1,
    forget_buffer: bool = True,
    most: int = 1,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Estimate the offset of the fast array on the fly, and transfer the difference.

    The chopper $c_i$ of a line turns after every $L$ reads of it: a half-period. With
    $m$ the mean of the reads of a half-period, $m'$ that of the half-period before, and
    $\epsilon^2$, $\epsilon'^2$ the squares of their standard errors, at its end

    $$ H_i \leftarrow H_i + \alpha\,c_i\,(m_i - m'_i) \quad\text{where}\quad
       |m_i - m'_i| > k \sqrt{\epsilon_i^2 + \epsilon_i'^2}, \qquad
       A_i \leftarrow A_i + c_i\,\Delta W_i, \quad W = C $$

    and $H$ fills $C$ as in `tiki_taka_v2`. A constant offset of $A$ is in both means
    and drops out, without anybody knowing the symmetric point; the gate sends nothing
    that the noise of the reads could have made. Nothing is transferred before the end
    of the second half-period.

    The fourth algorithm of IBM's analog hardware kit (after Rasch et al., fast and
    robust analog training, 2024). The difference of means and the gate are STATED in
    its text; its code adds $c\,(\widehat A - m')$ at every read, which sums up to $L$
    times the difference here, has running means with a tail, and no gate (STATED). So
    a rate here is $L$ times a rate there (DERIVED). Regular turns are STATED.

    For lines, signs, what is emitted and what is asked of the slow array, see
    `tiki_taka`. Five digital words per weight.

    Args:
        fast: what the arrays $A$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        threshold: $\theta > 0$, weight units; a number or a prefix tree.
        key: typed key.
        rate: $\alpha > 0$.
        every: updates from one transfer to the next.
        reads: $L \ge 2$, reads of a line in a half-period; 10 is 1 over the chopping
            probability of the kit.
        gate: $k \ge 0$, standard errors that a difference must exceed; 0 lets all
            pass.
        step: see `tiki_taka_v2`.
        momentum: see `tiki_taka_v2`.
        forget_buffer: see `tiki_taka_v2`.
        most: see `tiki_taka_v2`.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: as `tiki_taka_v2`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = agad(
        ...     quiet, quiet, threshold=0.1, key=jax.random.key(0), reads=2, gate=0.0
        ... )
        >>> w, asked = jnp.zeros((1, 1)), jnp.array([[0.2]])
        >>> state = tx.init(w)
        >>> for _ in range(4):  # A reads 0.2, 0.4; then 0.2, 0.0 under the other sign
        ...     updates, state = tx.update(asked, state, w)
        ...     print(updates)
        ...     w = w + updates
        [[0.]]
        [[0.]]
        [[0.]]
        [[0.1]]
    """
    number("rate", rate, above=0)
    whole("every", every, at_least=1)
    whole("reads", reads, at_least=2)
    number("gate", gate, at_least=0)
    buffer = Buffer(step, momentum, forget_buffer, most).check(threshold)

    def act(one, dw):
        one = one.write("fast", _choppers(one.step // every, dw, reads) * dw)
        line = line_at(one.step, every, dw.shape)
        seen, one = one.read("fast", line)
        halves, read = line.turn // line.of // reads, line.turn // line.of % reads
        mean, spread = _grown(one, line, seen, read)
        ends, past = read == reads - 1, one.recall("past", line)
        error = spread / (reads * (reads - 1))
        noise = jnp.sqrt(error + one.recall("past_error", line))
        within = jnp.abs(mean - past) <= gate * noise  # not so where diverged
        passes = ends & (halves > 0) & ~within
        chop = (1 - 2 * (halves % 2)).astype(dw.dtype)
        grown = jnp.where(passes, rate * chop * (mean - past), 0)
        for name, new in {"mean": mean, "spread": spread}.items():
            one = one.remember(name, new, line)
        for name, new in {"past": mean, "past_error": error}.items():
            new = jnp.where(ends, new, one.recall(name, line))
            one = one.remember(name, new, line)
        return buffer.passed(one, grown, line)

    def memory(w):
        names = ("mean", "spread", "past", "past_error")
        return empty_buffer(w) | {name: jnp.zeros_like(w) for name in names}

    rule = Rule(
        name="agad",
        act=act,
        parts=slow_and_part_of_fast(0.0),
        start=fast_and_slow,
        memory=memory,
        threshold=threshold,
    )
    both_ways("fast", fast)
    both = {"fast": fast, "slow": slow}
    return tiles(rule, both, key=key, place=place, step_time=step_time)


def _grown(one, line, seen, read):
    """Mean and sum of squared deviations of a half-period with one read more."""
    first = read == 0
    mean = jnp.where(first, 0, one.recall("mean", line))
    spread = jnp.where(first, 0, one.recall("spread", line))
    new = mean + (seen - mean) / (read + 1).astype(seen.dtype)
    return new, spread + (seen - mean) * (seen - new)


def _choppers(turns, dw, reads):
    """The sign of every line, given how many transfers there were."""
    if dw.ndim < 2:
        return (1 - 2 * (turns // reads % 2)).astype(dw.dtype)
    of = lines_of(dw.shape)
    had = (turns - jnp.arange(of) + of - 1) // of  # reads of every line so far
    chop = (1 - 2 * (had // reads % 2)).astype(dw.dtype)
    return jnp.broadcast_to(chop[:, None], (*dw.shape[:-1], 1))
