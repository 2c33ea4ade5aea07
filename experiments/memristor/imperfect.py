r"""A chip with every imperfection: what it is made of, how it learns and is tested.

A weight is a pair of cells, $W = (G_+ - G_-) / 80$ µS, of which $G_+$ is written;
both rest at 80 µS in a window of 0 to 160 µS, so that wires see real cells. Resting
point and window are ASSUMED; one write per weight and the 1/80 are STATED (public
code of EaPU).

A chip learns in situ, through its own arrays; or, under the rule "ideal", a network
learns digitally and is then written onto the chip, every weight once.
"""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax import array
from eapu_jax.crossbar import crossbars_at, is_crossbar
from eapu_jax.flax import through_arrays
from eapu_jax.periphery import line_currents
from eapu_jax.placement import on_array
from experiments.learning.loop import first_weights
from experiments.learning.task import accuracy
from experiments.memristor.training import (
    PUBLIC_R_WG,
    Training,
    learn,
    network,
    prepared,
)
from experiments.validate import NonNegative, Positive, Proportion, bounds, one_of

REST = 80.0
"""Conductance of a cell that carries nothing, half its window, µS. ASSUMED."""

RAIL = 240.0
"""The largest current that an ADC resolves, µA: 3 weights at full voltage. ASSUMED."""

WIRES = ("ideal", "tested", "trained")

AdcBits = Annotated[int, bounds(0, 24)]


class Imperfect(Training):
    """What one training on an imperfect chip depends on.

    Attributes:
        tolerance: half the band in which a verified write ends, µS.
        relaxation: SD of what a cell wanders at once after a write, µS.
        read_noise: SD of one read of a cell, in every product anew, µS.
        spread: relative log-normal spread of tolerance, relaxation and upper end of
            the window, from chip to chip and again from cell to cell.
        stuck_rate: probability that a cell is stuck, at either end of the window.
        adc_bits: of the converters behind every column, 2 to 24; 0: ideal (structural).
        wires: "ideal"; "tested": their resistance is met when the chip is tested;
            "trained": in every product of a training in situ, too, which takes about
            a hundred times as long.
        line_resistance: of wires that are not ideal, from cell to cell, Ω.
        threshold: least ΔW_th / R_wg, µS; the error of a write where that is larger.
    """

    tolerance: NonNegative = 0.0
    relaxation: NonNegative = 0.0
    read_noise: NonNegative = 0.0
    spread: NonNegative = 0.0
    stuck_rate: Proportion = 0.0
    adc_bits: AdcBits = 0
    wires: Annotated[str, one_of(*WIRES)] = "ideal"
    line_resistance: NonNegative = 0.0
    threshold: Positive = 2.0

    def __post_init__(self):
        """Check every field; a converter has two bits, and which way is up."""
        super().__post_init__()
        self.require(self.adc_bits != 1, "adc_bits", "0 (ideal) or 2 to 24")


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Build one chip, train it or write a trained network onto it, test it.

    Returns:
        `accuracy` after each epoch as training sees it, `final` accuracy of the chip
        with all that it has, `update_ratio`; NaN where the chip has diverged.
    """
    del chip
    built, draws, written, read = jr.split(keys.chip, 4)
    params = first_weights(keys.seed, network(point), prepared(point))
    arrays, keys = hardware(built, point, params), keys._replace(chip=draws)
    step = jnp.maximum(write_error(point), point.threshold) * PUBLIC_R_WG
    seen = with_wires(arrays, point) if point.wires == "trained" else arrays
    own: Any = {"params": params, "arrays": seen, "threshold": step}
    curves, found = learn(point, keys, trace, **own)
    held = curves.arrays or deployed(written, arrays, curves.params)
    if point.wires != "ideal":
        arrays, held = through_wires(arrays, held, point.line_resistance)
    return found | {"final": tested(read, point, arrays, curves.params, held)}


def write_error(point: Any) -> Any:
    """SD of the error of a write of the nominal device, µS: band and relaxation."""
    return jnp.sqrt(point.tolerance**2 / 3 + point.relaxation**2)


def nominal(point: Any) -> ej.Crossbar:
    """The array that the designer had in mind."""
    device = ej.VerifyRelaxation(
        tolerance=point.tolerance,
        relaxation=point.relaxation,
        relaxation_per_decade=0.0,
        read_noise=point.read_noise,
        g_min=0.0,
        g_max=2 * REST,
    )
    adc = ej.Adc(bits=point.adc_bits, rail=RAIL) if point.adc_bits else None
    return ej.Crossbar(
        device=device,
        encoding=ej.DifferentialPair(rest=REST),
        r_wg=PUBLIC_R_WG,
        periphery=ej.Periphery(dac=ej.Dac(bits=None), adc=adc),
    )


def hardware(key: jax.Array, point: Any, params: Any) -> Any:
    """The crossbars of one chip, a tree like the weights."""
    key_devices, key_stuck = jr.split(key)
    sigma: Any = dict.fromkeys(("tolerance", "relaxation", "g_max"), point.spread)
    spread = ej.Spread(chip_to_chip=sigma, cell_to_cell=sigma)
    drawn = ej.sample_chip(key_devices, 0, nominal(point), params, spread)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.tree.unflatten(tree, jr.split(key_stuck, len(leaves)))

    def some_stuck(w, key, crossbar):
        if w.ndim < 2:
            return crossbar
        key_who, key_where = jr.split(key)
        cells = (2, *w.shape)
        stuck = jr.uniform(key_who, cells) < point.stuck_rate
        level = 2 * REST * jr.bernoulli(key_where, shape=cells).astype(jnp.float32)
        return replace(crossbar, stuck=stuck, stuck_at=level)

    return jax.tree.map(some_stuck, params, keys, drawn)


def deployed(key: jax.Array, crossbars: Any, params: Any) -> dict[str, ej.ArrayState]:
    """Arrays onto which every weight was written once: what it lacked at rest.

    What it lacks is read without noise, so that a partner that is stuck or out of its
    window is made up for where the written cell can.
    """
    weights = on_array(params)
    found, at = {}, crossbars_at(crossbars, list(weights))
    for n, (path, w) in enumerate(weights.items()):
        fresh, programmed = jr.split(jr.fold_in(key, n))
        blank = array.deploy_one(fresh, at[path], jnp.zeros_like(w))
        missing = w - array.weights(at[path], blank)
        found[path], _ = array.write(programmed, at[path], blank, missing)
    return found


def with_wires(crossbars: Any, point: Any) -> Any:
    """The same arrays, with a resistance from cell to cell."""
    wires = {"line_resistance": point.line_resistance}
    return jax.tree.map(
        lambda c: replace(c, periphery=replace(c.periphery, **wires)),
        crossbars,
        is_leaf=is_crossbar,
    )


def through_wires(crossbars: Any, held: Any, resistance: Any) -> tuple[Any, Any]:
    """Arrays with ideal wires whose cells conduct what wires let through to them.

    A product is linear in its voltages, so that one solve per input line serves all
    images; `with_wires` solves anew for each. The two agree (tested).
    """
    at, found = crossbars_at(crossbars, list(held)), {}
    for path, state in held.items():
        g = at[path].conductance(state.cells)

        def plane(cells):
            lines = jnp.eye(len(cells), dtype=cells.dtype)
            return jax.vmap(lambda v: line_currents(cells, v, resistance))(lines)

        seen = at[path].device.put(state.cells, jax.vmap(plane)(g))
        found[path] = state._replace(cells=seen)
    free = partial(replace, stuck=None, stuck_at=None)  # they are where they are
    return jax.tree.map(free, crossbars, is_leaf=is_crossbar), found


def tested(key: jax.Array, point: Any, crossbars: Any, params: Any, held: Any) -> Any:
    """Accuracy of the chip on the test images, through its arrays."""
    data = prepared(point)
    analog = ej.wrap(params, held, key, crossbars)
    logits = through_arrays(network(point).apply)(
        {"params": analog}, jnp.asarray(data.x_test)
    )
    return accuracy(logits, jnp.asarray(data.y_test))
