"""What stands around the cells: converters, wires, tiles; one idea per file."""

from eapu_jax.periphery.base import Periphery
from eapu_jax.periphery.converters import Adc, Dac
from eapu_jax.periphery.lines import line_currents

__all__ = ["Adc", "Dac", "Periphery", "line_currents"]
