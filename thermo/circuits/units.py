"""Units and thermal noise.

kΩ, nF, mH, µs, V and mA form a consistent set (kΩ nF = µs, mH/kΩ = µs,
V/kΩ = mA), with energies in nJ and noise strengths in mA² µs.
"""

import jax

from thermo import checks
from thermo.reals import numbers

BOLTZMANN = 1.380649e-14
"""k_B, nJ/K (exact in the SI)."""

Scalar = jax.Array | float


def johnson_noise(resistance: Scalar, temperature: Scalar) -> Scalar:
    r"""Noise strength of a resistor at a temperature, $\kappa = k_B T / R$.

    The two-sided density of the noise current is $2\kappa = 2 k_B T/R$: Johnson and
    Nyquist. Cells whose $\kappa_i R_i = T^*$ agree are in thermal equilibrium.

    Args:
        resistance: kΩ.
        temperature: K.

    Returns:
        kappa, mA² µs.

    Raises:
        ValueError: if `resistance` is not positive, `temperature` negative, or one is
            not of finite real numbers.

    Example:
        >>> float(johnson_noise(1.0, 300.0))  # 1 kOhm at room temperature
        4.141947e-12
    """
    checks.positive("resistance", resistance)
    checks.non_negative("temperature", temperature)
    resistance, temperature = numbers(resistance=resistance, temperature=temperature)
    return BOLTZMANN * temperature / resistance
