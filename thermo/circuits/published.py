"""Boards whose component values have been published."""

import jax.numpy as jnp

from thermo import checks
from thermo.circuits.rc import RCBoard
from thermo.circuits.units import johnson_noise


def two_node_board(temperature: float = 300.0) -> RCBoard:
    """The two-node RC relative of the SPU in colinc86/thermodynamic-solver (STATED).

    Each node is driven through its source resistor (4.690 and 4.680 kΩ) by the
    amplified Johnson noise of another resistor (9.883 and 9.911 kΩ, gains 1125 and
    1130). Published: relaxation times 92.0 and 41.6 µs; between 200 Hz and 50 kHz a
    correlation of 0.3532 and a ratio v1/v2 of 1.1223 (model; 0.35313 and 1.12230 when
    the band is integrated exactly), 0.3596 +- 0.0019 and 1.1340 +- 0.0024 (measured).

    Args:
        temperature: of the noise resistors, K (ASSUMED; it scales both voltages).

    Raises:
        ValueError: if `temperature` is not one finite number that is not negative.

    Example:
        >>> from thermo import exact
        >>> print(f"{exact.mixing_time(two_node_board().linear().drift):.2f} us")
        92.02 us
    """
    checks.one_number("temperature", temperature)
    source, amplified = jnp.array([4.690, 4.680]), jnp.array([9.883, 9.911])
    gain = jnp.array([1125.0, 1130.0])
    load = jnp.array([0.0, 1 / 9.900])
    # Noise voltage gain * sqrt(4 k T R) through the source resistor, as a current.
    power = (gain * amplified / source) ** 2
    return RCBoard(
        ground_capacitance=jnp.array([23.50, 23.51]),
        resistance=1 / (1 / source + load),
        coupling_conductance=jnp.array([[0.0, 1.0], [1.0, 0.0]]) / 6.830,
        noise=johnson_noise(amplified, temperature) * power,
    )
