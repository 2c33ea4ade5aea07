"""A tile is wired for itself: were the wires ideal, it would be a part of the matrix.

What wires do is tested against the nodal equations in `test_matvec.py`; here only
which cells and which voltages meet, at next to no price.
"""

import jax.numpy as jnp
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax.periphery import Periphery, tiles

PLUS = np.arange(24.0).reshape(4, 6)
MINUS = np.arange(24.0)[::-1].reshape(4, 6) ** 2 % 7
WIRED = ej.Crossbar(
    encoding=ej.DifferentialPair(),
    periphery=Periphery(tile=(2, 3), line_resistance=1.0),
)
TILED = tiles.Tiled(
    e=jnp.float32(PLUS - MINUS),
    g=jnp.stack([jnp.float32(PLUS), jnp.float32(MINUS)]),
    std=None,
    wire=jnp.float32(1.0),
    crossbar=WIRED,
    shape=(4, 6),
    inputs=1,
)


@pytest.fixture(autouse=True)
def ideal_wires(monkeypatch):
    monkeypatch.setattr(tiles, "line_currents", lambda g, v, resistance: v @ g)


def test_columns_collect_from_the_cells_of_their_tile():
    v = np.array([[[1.0, -2.0], [3.0, 5.0]], [[0.0, 7.0], [-1.0, 4.0]]])  # b, t, r
    found = tiles.sensed_columns(TILED, jnp.float32(v))
    matrix = (PLUS - MINUS).reshape(2, 2, 6)
    np.testing.assert_array_equal(found, np.einsum("btr,trc->btc", v, matrix))


def test_rows_collect_from_the_cells_of_their_tile():
    u = np.arange(24.0).reshape(2, 2, 6) % 5 - 2  # b, t, c
    found = tiles.sensed_rows(TILED, jnp.float32(u))
    matrix, drive = (PLUS - MINUS).reshape(2, 2, 2, 3), u.reshape(2, 2, 2, 3)
    expected = np.einsum("btqp,trqp->btrq", drive, matrix)
    np.testing.assert_array_equal(found, expected)
