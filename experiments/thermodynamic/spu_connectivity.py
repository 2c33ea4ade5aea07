"""Fewer couplers than all-to-all: which Gaussians are left, and how nearly the rest."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, below, judged, spread
from experiments.contract import Seeded, Sweep, base_of, listed, of_one_seed
from experiments.thermodynamic import errors, machine, wirings
from experiments.thermodynamic.best_network import best_network
from experiments.thermodynamic.gaussians import KINDS, one_of_each
from experiments.thermodynamic.spu_connectivity_figure import plot as plot
from experiments.validate import Checked, Count, Distinct, Positive, Width, one_of

REPRODUCES = "SPU: what all-to-all wiring buys (no published figure)"


OUTPUTS = ("error", "divergence", "gap", "couplers")
DIMS = {name: ("kind",) for name in OUTPUTS}
"""Of what `simulate` returns; the kinds are those of `gaussians.KINDS`."""
UNITS = dict.fromkeys(("divergence", "gap"), "nats")


class Grid(Checked):
    """A grid of cells, and how long networks are fitted to them.

    Attributes:
        joined: fields that say to how many others a cell is joined.
        rows: of the grid of cells (structural).
        columns: of the grid of cells (structural).
        steps: of the fit (structural).
    """

    joined = ("degree",)
    rows: Width = 4
    columns: Width = 4
    steps: Count = 1000

    def __post_init__(self):
        """Check every field; a cell cannot be joined to more than all others."""
        super().__post_init__()
        d = self.rows * self.columns
        self.require(d >= 4, "rows", f"at least 4 cells, {d} are asked for")
        for name in self.joined:
            most = np.max(getattr(self, name))
            self.require(most <= d - 1, name, f"at most {d - 1}, all other cells")


class Fit(Grid):
    """What the best networks for Gaussians depend on; any number may be swept.

    Attributes:
        wiring: one of `wirings.WIRINGS`: all couplers up to `reach` along the chain of
            cells, a "band", or over their "grid"; `degree` couplers per cell, "random"
            ones or those "chosen" because the all-to-all network has them strongest.
        reach: of couplers, in steps from cell to cell; over a grid 1 joins the 4
            nearest, 1.5 the 8 nearest.
        degree: mean number of couplers per cell.
    """

    wiring: Annotated[str, one_of(*wirings.WIRINGS)] = "band"
    reach: Positive = 15.0
    degree: Positive = 2.0


class Config(Seeded, Grid):
    """Best networks for several kinds of Gaussian on several wirings.

    Attributes:
        n_draws: Gaussians of each kind, each with random wirings of its own.
        bands: wirings of a chain, to so many neighbours on each side.
        degrees: mean numbers of couplers per cell, of random and of chosen wirings.
    """

    joined = ("bands", "degrees")
    n_draws: Count = 8
    bands: Distinct[Count] = (1, 2, 4)
    degrees: Distinct[Count] = (2, 3, 4, 6, 8, 12)


PRESETS = {
    "smoke": Config(rows=2, columns=2, n_draws=2, bands=(1,), degrees=(2,), steps=50),
    "large": Config(n_draws=128, steps=3000),
}


def defaults(config: Config) -> Fit:
    """The best all-to-all networks."""
    all_others = config.rows * config.columns - 1
    return base_of(Fit, config, reach=all_others, degree=config.degrees[0])


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """The best `Fit` of a network for one Gaussian of each kind: theory.

    The chip's key draws its Gaussians and random wirings.

    Returns:
        Relative Frobenius `error` of the covariance, `divergence` and its `gap` to
        the optimum, nats, and the number of `couplers`, each `(kinds,)`.
    """
    del chip
    key_kinds, key_wiring = jr.split(keys.chip)

    def fit(wanted, key):
        allowed = wirings.allowed(point, wanted, key)
        network = best_network(wanted, allowed, point.steps)
        made = jnp.linalg.inv(network.precision)
        return {
            "error": errors.relative_error(made, wanted),
            "divergence": network.divergence,
            "gap": network.gap,
            "couplers": jnp.triu(allowed, 1).sum(),
        }

    wanted = one_of_each(key_kinds, point)
    return jax.vmap(fit)(wanted, jr.split(key_wiring, len(wanted)))


def sweeps(config: Config) -> dict[str, Sweep]:
    """Regular wirings; so many couplers at random, and the strongest ones."""
    base, n = defaults(config), config.n_draws
    points = listed(base, list(_regular(config).values()))
    how: Any = {"chips": n, "chunk": n, "dims": DIMS}
    axes = {"wiring": ("random", "chosen"), "degree": config.degrees}
    regular = config.sweep(simulate, base, **points, **how)
    degrees = config.sweep(simulate, base, axes=axes, **how)
    return {"regular": regular, "degrees": degrees}


def _regular(config: Config) -> dict[str, dict[str, Any]]:
    """Wiring by the name in the figure -> its point."""
    bands = {f"band, {k} to each side": ("band", float(k)) for k in config.bands}
    grids = {"grid, 4 neighbours": ("grid", 1.0), "grid, 8 neighbours": ("grid", 1.5)}
    whole = {"all-to-all": ("band", config.rows * config.columns - 1.0)}
    named = {**bands, **grids, **whole}
    return {name: {"wiring": w, "reach": r} for name, (w, r) in named.items()}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Networks by wiring and kind of Gaussian."""
    regular = _drawn(found["regular"]).drop_vars(["wiring", "reach"])
    names = list(_regular(config))
    parts = [regular.rename(point="wiring").assign_coords(wiring=names)]
    several = _drawn(found["degrees"]).assign_coords(degree=list(config.degrees))
    for how in ("random", "chosen"):
        one = several.sel(wiring=how, drop=True)
        parts.append(one.rename({v: f"{how}_{v}" for v in one}))
    return xr.merge(parts, combine_attrs="drop").assign_attrs(
        data=(
            f"theory, {config.rows * config.columns} cells, infinitely many samples; "
            f"networks of least Kullback-Leibler divergence; bands: middle half of "
            f"{config.n_draws} Gaussians of each kind (ASSUMED kinds)"
        ),
        n_cells=config.rows * config.columns,
    )


def _drawn(found: xr.Dataset) -> xr.Dataset:
    """What the networks are like, by kind and draw."""
    one = of_one_seed(found, *OUTPUTS, chip="draw").assign_coords(kind=list(KINDS))
    one["couplers"] = one.couplers.mean(("kind", "draw")).astype(int)
    return one.transpose(..., "kind", "draw")


def claims(dataset: xr.Dataset) -> list[Claim]:
    """What passive couplers can represent."""
    full = 100 * dataset.error.sel(wiring="all-to-all")
    fits, fails = full.sel(kind="random couplers"), full.sel(kind="Wishart, both signs")
    low, middle, high = spread(fits)
    return [
        judged(
            dataset,
            "only matrices of a certain kind can be inverted (ours: error of the "
            "best all-to-all network for a covariance of both signs; symmetric "
            f"diagonally dominant M-matrices: {middle:.2g} %)",
            machine.PRESS,
            fails,
            partial(above, 10.0),
            also=[below(1.0, low, high)],
            unit="%",
        )
    ]
