"""How many weights a microsiemens is worth: fixed, or fitted to what is deployed."""

import math
from dataclasses import field
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp

from eapu_jax.checks import number, one_of, quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar


class Range(Protocol):
    """A rule that fits the scale $s$ (weight per µS) to the weights it will carry."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def fit(self, w: jax.Array) -> Scalar:
        """The scale for these weights, one number or one per column, 1/µS."""
        ...


@constants
class AbsmaxRange:
    r"""The largest weight at deployment takes the whole window, $s = \max|W| / G$.

    Attributes:
        window: $G$, the conductance that stands for the largest weight, µS.
        per: "array" (one scale) or "column" (one per column).

    Example:
        >>> import jax.numpy as jnp
        >>> AbsmaxRange(window=80.0).fit(jnp.array([[0.5, -0.8], [0.1, 0.2]]))
        Array(0.01, dtype=float32)
    """

    window: Scalar = quantity(80.0, above=0)
    per: str = field(default="array", metadata={"static": True})

    def __check__(self):
        one_of("AbsmaxRange.per", self.per, ("array", "column"))

    def fit(self, w):
        """The scale that just holds the largest weight; weights of 0 get 1."""
        axes = tuple(range(w.ndim - 1)) if self.per == "column" else None
        largest = jnp.max(jnp.abs(w), axis=axes, keepdims=axes is not None, initial=0)
        return jnp.where(largest > 0, largest, 1) / self.window


@constants
class WidthAwareRange:
    r"""A scale from the width of the layer alone, as in arXiv 2609.36584.

    $$ s = \omega\,\frac{\sigma_W}{\tau}, \qquad \sigma_W = c\,D^{-1/2} $$

    for a layer of $D$ inputs whose weights start with the standard deviation
    $\sigma_W$: it keeps both the logical scale of the initialisation and a broad
    occupancy of the physical window, $\omega$ standard deviations wide. The form is
    STATED there; the default of $\omega$ is ASSUMED.

    Attributes:
        window: $\tau$, half the physical window, µS.
        omega: $\omega$, standard deviations that fill it.
        gain: $c$; $\sqrt 2$ for He's initialisation, 1 for LeCun's.

    Example:
        >>> import jax.numpy as jnp
        >>> float(WidthAwareRange(window=80.0, omega=4.0).fit(jnp.zeros((64, 10))))
        0.00625
    """

    window: Scalar = quantity(80.0, above=0)
    omega: Scalar = quantity(4.0, above=0)
    gain: Scalar = quantity(1.0, above=0)

    def fit(self, w):
        """The scale of a layer of this shape; inputs are all axes but the last."""
        inputs = max(math.prod(w.shape[:-1]), 1)
        return self.omega * self.gain / math.sqrt(inputs) / self.window


@constants
class FixedRange:
    r"""The same scale for every layer, whatever its weights: $s = R_{wg}$.

    Attributes:
        r_wg: weight per conductance, 1/µS. 1/80 is the value of the EaPU authors'
            public commands (STATED).
    """

    r_wg: Scalar = quantity(1 / 80, above=0)

    def fit(self, w):
        """The fixed scale, 1/µS."""
        del w
        return self.r_wg


def as_range(r_wg: Range | Scalar) -> Range:
    """A number is the fixed range of that many weights per µS.

    Raises:
        ValueError: on a number that is not positive and finite.
    """
    if hasattr(r_wg, "fit"):
        return r_wg  # type: ignore[return-value]
    number("Crossbar.r_wg", r_wg, above=0)
    return FixedRange(r_wg=r_wg)  # type: ignore[arg-type]
