"""Cells that nothing connects have nothing between them in the netlist either."""

import re

import jax.numpy as jnp

from thermo import RCBoard
from thermo.netlist import to_spice

RUN = {"t_stop": 10.0, "dt": 0.1, "seed": 1}


def test_a_resistor_stands_only_where_a_conductance_is():
    g = jnp.zeros((3, 3)).at[0, 2].set(0.5).at[2, 0].set(0.5)  # mS
    board = RCBoard(
        ground_capacitance=jnp.ones(3),
        resistance=jnp.ones(3),
        coupling=jnp.zeros((3, 3)),
        coupling_conductance=g,
        noise=jnp.ones(3),
    )
    between = re.findall(r"^R(\d)_(\d) n\d n\d (\S+)$", to_spice(board, **RUN), re.M)
    assert between == [("0", "2", "2000")]  # ohm
