"""A digital number per weight that collects what was read until a pulse is worth it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from eapu_jax.checks import number, thresholds, whole
from eapu_jax.devices.base import Scalar
from eapu_jax.transforms.lines import Line, cut
from eapu_jax.transforms.several import Several


class Buffer(NamedTuple):
    r"""How the digital buffer $H$ between two arrays is filled and emptied.

    $$ H \leftarrow H + h, \qquad n = \mathrm{clip}\left(\mathrm{trunc}\,
       \frac{H}{\theta}, \pm n_{\max}\right), \qquad C \leftarrow C + n\,s $$

    and where $n \ne 0$: $H \leftarrow \mu H$, or without `forget_buffer`
    $H \leftarrow H - (1 - \mu)\,n\,\theta$ (STATED, code of IBM's analog hardware kit,
    there in units of $\theta$).

    Attributes:
        step: $s$, what one count asks of the slow array, weight units; $\theta$ when
            None.
        momentum: $\mu$, from 0 to 1.
        forget_buffer: which of the two.
        most: $n_{\max}$.
    """

    step: Scalar | None
    momentum: Scalar
    forget_buffer: bool
    most: int

    def check(self, threshold: PyTree[Scalar]) -> "Buffer":
        """Refuse what is out of bounds."""
        thresholds(threshold)
        if self.step is not None:
            number("step", self.step, above=0)
        number("momentum", self.momentum, at_least=0, at_most=1)
        whole("most", self.most, at_least=1)
        return self

    def passed(self, one: Several, grown: jax.Array, line: Line) -> Several:
        """Add to a line of the buffer; write what is over the threshold, where due."""
        theta = cut(one.threshold, line)
        held = one.recall("buffer", line) + grown
        n = jnp.clip(jnp.trunc(held / theta), -self.most, self.most)
        left = held - (1 - self.momentum) * n * theta
        if self.forget_buffer:
            left = jnp.where(n == 0, held, self.momentum * held)
        one = one.remember("buffer", left, line)
        return one.write("slow", n * (theta if self.step is None else self.step), line)


def empty_buffer(w: jax.Array) -> dict[str, Any]:
    """Nothing collected yet."""
    return {"buffer": jnp.zeros_like(w)}
