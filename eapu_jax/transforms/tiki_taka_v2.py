"""Tiki-Taka with a digital buffer between the fast array and the slow one."""

import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.buffered import Buffer, empty_buffer
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule, fast_and_slow, slow_and_part_of_fast
from eapu_jax.transforms.tiles import both_ways, tiles


def tiki_taka_v2(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    threshold: PyTree[Scalar],
    key: Key[Array, ""],
    rate: Scalar = 1.0,
    every: int = 1,
    step: Scalar | None = None,
    momentum: Scalar = 0.1,
    forget_buffer: bool = True,
    most: int = 1,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Collect what the fast array reads until a pulse on the slow one is worth it.

    $$ A \leftarrow A + \Delta W, \qquad H_i \leftarrow H_i + \alpha\,\widehat A_i,
       \qquad n = \mathrm{clip}\left(\mathrm{trunc}\,\frac{H_i}{\theta}, \pm
       n_{\max}\right), \qquad C_i \leftarrow C_i + n\,s, \qquad W = C $$

    and where $n \ne 0$ the buffer keeps $H \leftarrow \mu H$ (`forget_buffer`), else
    $H \leftarrow H - (1 - \mu)\,n\,\theta$. TTv2: recursion and defaults STATED in
    IBM's analog hardware kit, after Gokmen 2021; there $H$ is in units of $\theta$, so
    that its transfer rate is $\alpha / \theta$. The buffer averages the noise of reads
    and writes away, at one digital word per weight.

    With `momentum=0`, `forget_buffer=False`, no step of its own and $n_{\max}$ out of
    reach nothing is lost: $C + H$ is the sum of what was read (DERIVED, tested).

    For lines, signs, what is emitted and what is asked of the slow array, see
    `tiki_taka`.

    Args:
        fast: what the arrays $A$ are made of, one crossbar or a tree of them.
        slow: what the arrays $C$ are made of.
        threshold: $\theta > 0$, weight units; a number or a prefix tree.
        key: typed key.
        rate: $\alpha > 0$.
        every: updates from one transfer to the next.
        step: $s > 0$, what one count asks of the slow array, weight units; $\theta$
            when None.
        momentum: $\mu$, from 0 to 1: what stays in the buffer.
        forget_buffer: whether what is over $n_{\max}$ is forgotten.
        most: $n_{\max} \ge 1$, counts at one transfer.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: as `tiki_taka`, and on a threshold that is not positive and finite
            or does not fit its update.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = tiki_taka_v2(quiet, quiet, threshold=0.5, key=jax.random.key(0))
        >>> w, asked = jnp.zeros((1, 2)), jnp.array([[0.2, -0.1]])
        >>> state = tx.init(w)
        >>> for _ in range(3):  # A reads 0.2, 0.4, 0.6: H passes 0.5 at the second
        ...     updates, state = tx.update(asked, state, w)
        ...     print(updates)
        ...     w = w + updates
        [[0. 0.]]
        [[0.5 0. ]]
        [[ 0.5 -0.5]]
    """
    number("rate", rate, above=0)
    whole("every", every, at_least=1)
    buffer = Buffer(step, momentum, forget_buffer, most).check(threshold)

    def act(one, dw):
        one = one.write("fast", dw)
        line = line_at(one.step, every, dw.shape)
        seen, one = one.read("fast", line)
        return buffer.passed(one, rate * seen, line)

    rule = Rule(
        name="tiki_taka_v2",
        act=act,
        parts=slow_and_part_of_fast(0.0),
        start=fast_and_slow,
        memory=empty_buffer,
        threshold=threshold,
    )
    both_ways("fast", fast)
    both = {"fast": fast, "slow": slow}
    return tiles(rule, both, key=key, place=place, step_time=step_time)
