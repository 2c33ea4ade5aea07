"""From node voltages to numbers: amplifier, sampling, analog-to-digital converter."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits.board import Scalar
from thermo.counts import check_count
from thermo.reals import alike, numbers, real_array

MOST_BITS = 24


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Converter:
    r"""Read-out chain: amplifier noise, then an ADC that clips and rounds.

    On a signal that neither clips nor sits within one step, the second moment grows by
    $\sigma_a^2 + \Delta^2/12$ on the diagonal, $\Delta = 2 V_r / 2^{b}$.

    Attributes:
        sampling_interval: us; STATED (second hand) 12 MHz.
        amplifier_noise: rms referred to the input, V; white from sample to sample.
        bits: of the ADC, a whole number up to 24, what float32 tells apart; None
            converts without rounding.
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
        """What the converter reports for the voltages `v`, V.

        Raises:
            ValueError: naming a setting that no converter can have, or if `v` is not
                of finite real numbers.
        """
        self.check()
        checks.finite("v", v)
        v = jnp.asarray(alike(v=v)[0])
        rms = _like(v, "amplifier_noise", self.amplifier_noise)
        v = v + rms * jr.normal(unrolled(key), v.shape, v.dtype)
        if self.full_scale is None:
            return v
        most = _like(v, "full_scale", self.full_scale)
        if self.bits is None:
            return jnp.clip(v, -most, most)
        step = _like(v, "full_scale", self.step)
        return jnp.clip(step * jnp.round(v / step), -most, most - step)

    def instants(self, n_samples: int) -> Float[Array, " n_samples"]:
        """When the converter samples, µs, the first at 0: the `ts` of `simulate`.

        Raises:
            ValueError: if the interval is not positive, or `n_samples` no whole number.

        Example:
            >>> print(f"{Converter().instants(13)[-1]:.6f} us")  # 12 MHz
            1.000000 us
        """
        self.check()
        check_count("n_samples", n_samples)
        count = jnp.arange(n_samples, dtype=float)
        return count * _like(count, "sampling_interval", self.sampling_interval)

    @property
    def step(self) -> Scalar:
        """One step of the ADC, V (two's complement: 2**bits steps in all)."""
        self.check()
        return self._step()

    def _step(self):
        if self.bits is None or self.full_scale is None:
            return 0.0
        full_scale, bits = numbers(full_scale=self.full_scale, bits=self.bits)
        return 2 * full_scale / 2.0**bits

    def added_variance(self) -> Scalar:
        """What the read-out adds to every variance, V^2, while nothing clips."""
        self.check()
        rms, step = numbers(amplifier_noise=self.amplifier_noise, step=self.step)
        return rms**2 + step**2 / 12

    def check(self) -> None:
        """Refuse settings that no converter can have.

        Raises:
            ValueError: naming the setting, its value and its bound.
        """
        checks.interval("sampling_interval", self.sampling_interval)
        checks.one_number("amplifier_noise", self.amplifier_noise)
        checks.non_negative("amplifier_noise", self.amplifier_noise)
        if self.full_scale is not None:
            checks.interval("full_scale", self.full_scale)
        if self.bits is not None:
            checks.interval("bits", self.bits)
            bits = checks.values("bits", self.bits)
            if bits is not None and not (bits == round(float(bits)) <= MOST_BITS):
                raise ValueError(
                    f"bits = {self.bits}: must be a whole number from 1 to {MOST_BITS}."
                )
        if self.bits is not None and self.full_scale is None:
            raise ValueError(
                f"full_scale = None with bits = {self.bits}: an ADC needs a range, "
                "for instance four standard deviations of the voltage."
            )
        if self.bits is not None:
            checks.positive("step of full_scale and bits, which", self._step())


def _like(v, name, x):
    return jnp.asarray(real_array(name, x)).astype(v.dtype)
