"""The energy claim for generated images, from its parts; and what it leaves out."""

from thermo.circuits.units import BOLTZMANN

KT = 1e-9 * BOLTZMANN * 300.0
"""J, at 300 K (exact constant)."""

MAC = 1e-12
"""J per multiply-accumulate of the digital network (STATED-2nd: PRL 136, 037101)."""

DIGITAL_STEPS = 10
"""Denoising steps of the digital network (STATED-2nd: PRL 136, 037101)."""

DIGITAL_HIDDEN = 128
"""Width of both hidden layers of the digital network, 784-128-128-784 (STATED-2nd)."""

READ = 1e-12
"""J to read one pixel out (ASSUMED: the price of one multiply-accumulate)."""

HEAT = 2.9e3
"""k_B T of heat per generated sample (STATED-2nd: PRL 136, 037101)."""

AGAIN = 1.4e3
"""k_B T, the same built again (DERIVED from arXiv 2609.15439: online training saves
7.68 E0, 5.6 % of it, and k_B T = 0.1 E0)."""

ONLINE_SAVES = 5.6
"""% of the heat by online training (STATED: arXiv 2609.15439)."""

UNITS = 784 + 512
"""Of the published machine (STATED)."""

RATIO = 1e11
"""More than this, digital energy over heat (STATED-2nd: PRL 136, 037101)."""

PRESS_RATIO = 1e10
"""Digital energy over that of thermodynamic computing (STATED-2nd: IEEE Spectrum)."""

LEFT_OUT = "control, writing of parameters, read-out and standby"
"""What the published claim does not count."""


def digital(pixels: int) -> float:
    """J per image of the digital network, its outer layers as wide as the image.

    Example:
        >>> f"{digital(784):.3g} J, {digital(784) / (HEAT * KT):.3g} times the heat"
        '2.17e-06 J, 1.81e+11 times the heat'
    """
    macs = 2 * pixels * DIGITAL_HIDDEN + DIGITAL_HIDDEN**2
    return DIGITAL_STEPS * macs * MAC


def read_out(pixels: int) -> float:
    """J to read an image out of the machine (ASSUMED)."""
    return pixels * READ
