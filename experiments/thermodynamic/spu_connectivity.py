"""Fewer couplers than all-to-all: which Gaussians are left, and how nearly the rest."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from experiments.claims import Claim, above, below, both
from experiments.population import over_chips
from experiments.thermodynamic import errors, wirings
from experiments.thermodynamic.best_network import best_network
from experiments.thermodynamic.gaussians import KINDS, SHORT, covariance, one_of_each
from experiments.thermodynamic.spu_connectivity_figure import plot as plot
from experiments.validate import (
    Count,
    Distinct,
    Positive,
    Seed,
    Width,
    check,
    one_of,
    refuse_unless,
)
from experiments.work import Work

REPRODUCES = "SPU: what all-to-all wiring buys (no published figure)"
MINUTES = 0.2


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What the best network for one Gaussian depends on; any number may be swept.

    Attributes:
        batch: root of the Gaussians: another batch, others.
        kind: of Gaussian, one of `gaussians.SHORT`.
        wiring: one of `wirings.WIRINGS`; of a grid with 4 or 8 neighbours; "random"
            couplers, or those "chosen" because the all-to-all network has them
            strongest.
        neighbours: on each side, of a band.
        degree: mean number of couplers per cell, of a random or chosen wiring.
        rows: of the grid of cells (structural).
        columns: of the grid of cells (structural).
        steps: of the fit (structural).
    """

    batch: Seed = 0
    kind: Annotated[str, one_of(*SHORT)] = "couplers"
    wiring: Annotated[str, one_of(*wirings.WIRINGS)] = "all-to-all"
    neighbours: Positive = 1.0
    degree: Positive = 2.0
    rows: Width = 4
    columns: Width = 4
    steps: Count = 1000

    def __post_init__(self):
        """Check every field; a cell cannot be joined to more than all others."""
        check(self)
        _require_room(self, "degree", self.degree)


def _require_room(grid: Any, field: str, most: float) -> None:
    d = grid.rows * grid.columns
    refuse_unless(d >= 4, grid, "rows", f"at least 4 cells, {d} are asked for")
    refuse_unless(most <= d - 1, grid, field, f"at most {d - 1}, all other cells")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Best networks for several kinds of Gaussian on several wirings.

    Attributes:
        seed: of the Gaussians and of random wirings.
        rows: of the grid of cells.
        columns: of the grid of cells.
        n_draws: Gaussians of each kind, each with random wirings of its own.
        bands: wirings of a chain, to so many neighbours on each side.
        degrees: mean numbers of couplers per cell, of random and of chosen wirings.
        steps: of the fit.
    """

    seed: Seed = 0
    rows: Width = 4
    columns: Width = 4
    n_draws: Count = 8
    bands: Distinct[Count] = (1, 2, 4)
    degrees: Distinct[Count] = (2, 3, 4, 6, 8, 12)
    steps: Count = 1000

    def __post_init__(self):
        """Check every field; a cell cannot be joined to more than all others."""
        check(self)
        for name in ("bands", "degrees"):
            _require_room(self, name, max(getattr(self, name)))

    def base(self) -> Fit:
        """The best all-to-all network for one Gaussian."""
        return Fit(
            batch=self.seed,
            degree=self.degrees[0],
            rows=self.rows,
            columns=self.columns,
            steps=self.steps,
        )


PRESETS = {
    "smoke": Config(rows=2, columns=2, n_draws=2, bands=(1,), degrees=(2,), steps=50),
    "large": Config(n_draws=128, steps=3000),
}


def one_chip(point: Any, chip: Any, key: Any) -> dict[str, Any]:
    """The best network for Gaussian number `chip`: theory.

    Args:
        point: fields of `Fit`.
        chip: index of the Gaussian.
        key: of a random wiring.

    Returns:
        Relative Frobenius `error` of the covariance, `divergence` and its `gap` to
        the optimum, nats, and the number of `couplers`.
    """
    wanted = covariance(jr.fold_in(jr.key(point.batch), chip), point.kind, point)
    allowed = wirings.allowed(point, wanted, key)
    network, error = _fitted(wanted, allowed, point.steps)
    return {
        "error": error,
        "divergence": network.divergence,
        "gap": network.gap,
        "couplers": jnp.triu(allowed, 1).sum(),
    }


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Fit every kind of Gaussian on every wiring."""
    work = work or Work()
    fixed = wirings.regular(config)
    work.expect(len(fixed) + 2 * len(config.degrees))
    covariances = _covariances(config)
    results = {
        name: work.part(name, partial(_fit, config, covariances, lambda *_, m=mask: m))
        for name, mask in fixed.items()
    }
    all_to_all = results["all-to-all"]
    named = xr.DataArray(list(fixed), dims="wiring", name="wiring")
    whole = [xr.concat([r.drop_vars("precision") for r in results.values()], named)]
    for how, choose in (("random", _random), ("chosen", _chosen)):
        parts = [
            work.part(
                f"{how}, degree {k}",
                partial(
                    _fit, config, covariances, partial(choose, config, k, all_to_all)
                ),
            )
            for k in config.degrees
        ]
        degrees = xr.DataArray(list(config.degrees), dims="degree", name="degree")
        joined = xr.concat([p.drop_vars("precision") for p in parts], degrees)
        whole.append(joined.rename({v: f"{how}_{v}" for v in joined.data_vars}))
    return xr.merge(whole).assign_attrs(
        data=(
            f"theory, {config.rows * config.columns} cells, infinitely many samples; "
            f"networks of least Kullback-Leibler divergence; bands: middle half of "
            f"{config.n_draws} Gaussians of each kind (ASSUMED kinds)"
        ),
        n_cells=config.rows * config.columns,
    )


def _covariances(config: Config) -> Float[Array, "kinds draws d d"]:
    keys = jr.split(jr.key(config.seed), config.n_draws)
    return jax.jit(jax.vmap(partial(one_of_each, grid=config)))(keys).swapaxes(0, 1)


def _fit(config: Config, covariances, wiring) -> xr.Dataset:
    """Best networks on `wiring(kind, draw)`, and how far off they are."""
    n_kinds, n_draws, d, _ = covariances.shape
    masks = [wiring(i, j) for i in range(n_kinds) for j in range(n_draws)]

    flat = covariances.reshape(-1, d, d)
    network, error = _fitter(config.steps)(flat, jnp.asarray(np.stack(masks)))
    of = ("kind", "draw")
    shape = (n_kinds, n_draws)
    return xr.Dataset(
        {
            "error": (of, error.reshape(shape)),
            "divergence": (of, network.divergence.reshape(shape)),
            "gap": (of, network.gap.reshape(shape)),
            "couplers": ((), int(np.mean([m.sum() for m in masks]) // 2)),
            "precision": (
                (*of, "cell", "other"),
                network.precision.reshape(*shape, d, d),
            ),
        },
        {"kind": list(KINDS)},
    )


@cache
def _fitter(steps: int):
    """Compiled once for all wirings."""
    return over_chips(partial(_fitted, steps=steps))


def _fitted(covariance, allowed, steps: int):
    """The best network, and the error of its covariance."""
    network = best_network(covariance, allowed, steps)
    made = jnp.linalg.inv(network.precision)
    return network, errors.relative_error(made, covariance)


def _random(config: Config, degree: int, all_to_all, kind: int, draw: int):
    """So many couplers on average per cell, anywhere."""
    del all_to_all
    d = config.rows * config.columns
    rng = np.random.default_rng([config.seed, degree, kind, draw])
    return wirings.strongest(rng.random((d, d)), degree)


def _chosen(config: Config, degree: int, all_to_all, kind: int, draw: int):
    """The strongest couplers of the all-to-all network, refitted."""
    del config
    couplers = -all_to_all.precision.isel(kind=kind, draw=draw).to_numpy()
    return wirings.strongest(couplers, degree)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """What passive couplers can represent."""
    full = 100 * dataset.error.sel(wiring="all-to-all")
    fits, fails = full.sel(kind="random couplers"), full.sel(kind="Wishart, both signs")
    low, ours, high = (float(f(fails)) for f in (np.min, np.median, np.max))
    return [
        Claim(
            claim="only matrices of a certain kind can be inverted (ours: error of the "
            "best all-to-all network for a covariance of both signs; symmetric "
            f"diagonally dominant M-matrices: {float(fits.median()):.2g} %)",
            source="press on the SPU paper (SEED)",
            published=None,
            ours=ours,
            low=low,
            high=high,
            unit="%",
            scale=dataset.attrs.get("scale", "reduced"),
            verdict=both(
                above(10.0, low, high),
                below(1.0, float(fits.min()), float(fits.max())),
            ),
        )
    ]
