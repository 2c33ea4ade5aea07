"""From node voltages to numbers: amplifier, sampling, analog-to-digital converter."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from thermo import checks
from thermo.circuits.board import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Converter:
    r"""Read-out chain: amplifier noise, then an ADC that clips and rounds.

    On a signal that neither clips nor sits within one step, the second moment grows by
    $\sigma_a^2 + \Delta^2/12$ on the diagonal, $\Delta = 2 V_r / 2^{b}$.

    Attributes:
        sampling_interval: us; STATED (second hand) 12 MHz.
        amplifier_noise: rms referred to the input, V; white from sample to sample.
        bits: of the ADC; None converts without rounding.
        full_scale: V_r; inputs beyond +-V_r clip, V; None never clips.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> adc = Converter(bits=2, full_scale=1.0)  # steps of half a volt
        >>> adc.convert(jax.random.key(0), jnp.array([-9.0, 0.1, 0.3, 9.0]))
        Array([-1. ,  0. ,  0.5,  0.5], dtype=float32)
    """

    sampling_interval: Scalar = 1 / 12
    amplifier_noise: Scalar = 0.0
    bits: Scalar | None = None
    full_scale: Scalar | None = None

    def convert(
        self, key: Key[Array, ""], v: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        """What the converter reports for the voltages `v`."""
        self.check()
        v = v + self.amplifier_noise * jr.normal(key, v.shape, v.dtype)
        if self.full_scale is None:
            return v
        if self.bits is None:
            return jnp.clip(v, -self.full_scale, self.full_scale)
        step = self.step
        return jnp.clip(
            step * jnp.round(v / step), -self.full_scale, self.full_scale - step
        )

    @property
    def step(self) -> Scalar:
        """One step of the ADC, V (two's complement: 2**bits steps in all)."""
        if self.bits is None or self.full_scale is None:
            return 0.0
        return 2 * self.full_scale / 2.0**self.bits

    def added_variance(self) -> Scalar:
        """What the read-out adds to every variance, V^2, while nothing clips."""
        return self.amplifier_noise**2 + self.step**2 / 12

    def check(self) -> None:
        """Refuse settings that no converter can have."""
        checks.positive("sampling_interval", self.sampling_interval)
        checks.non_negative("amplifier_noise", self.amplifier_noise)
        for name in ("bits", "full_scale"):
            if (value := getattr(self, name)) is not None:
                checks.positive(name, value)
        if self.bits is not None and self.full_scale is None:
            raise ValueError(
                f"full_scale = None with bits = {self.bits}: an ADC needs a range, "
                "for instance four standard deviations of the voltage."
            )
