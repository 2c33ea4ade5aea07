"""Fewer couplers than all-to-all: which Gaussians are left, and how nearly the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key
from matplotlib.figure import Figure

from experiments import style
from experiments.claims import Claim, above, below, both
from experiments.population import over_chips
from experiments.thermodynamic import errors, machine
from experiments.thermodynamic.best_network import best_network
from experiments.work import Work
from thermo import checks

REPRODUCES = "SPU: what all-to-all wiring buys (no published figure)"
MINUTES = 0.2


SHORT = {
    "couplers": "random couplers",
    "chain": "Ornstein-Uhlenbeck chain",
    "exponential": "exponential kernel, plane",
    "squared": "squared-exponential kernel",
    "signs": "Wishart, both signs",
}
"""Kinds of Gaussians by short names, as in `KINDS`."""
WIRINGS = ("all-to-all", "band", "grid4", "grid8", "random", "chosen")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What the best network for one Gaussian depends on; any number may be swept.

    Attributes:
        batch: root of the Gaussians: another batch, others.
        kind: of Gaussian, one of `SHORT`.
        wiring: one of `WIRINGS`; of a grid with 4 or 8 neighbours; "random" couplers,
            or those "chosen" because the all-to-all network has them strongest.
        neighbours: on each side, of a band.
        degree: mean number of couplers per cell, of a random or chosen wiring.
        rows: of the grid of cells (structural).
        columns: of the grid of cells (structural).
        steps: of the fit (structural).
    """

    batch: int = 0
    kind: str = "couplers"
    wiring: str = "all-to-all"
    neighbours: float = 1.0
    degree: float = 2.0
    rows: int = 4
    columns: int = 4
    steps: int = 1000

    def __post_init__(self):
        """Refuse what cannot be fitted, before anything is computed."""
        checks.non_negative("batch", self.batch)
        for name in ("neighbours", "degree", "rows", "columns", "steps"):
            checks.positive(name, getattr(self, name))
        for name, known in (("kind", tuple(SHORT)), ("wiring", WIRINGS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} = {getattr(self, name)!r}: one of {known}")
        _require_room(self.rows, self.columns, "degree", self.degree)


def _require_room(rows: int, columns: int, name: str, most: float) -> None:
    d = rows * columns
    if d < 4:
        raise ValueError(f"rows * columns = {d}: at least 4 cells")
    if most > d - 1:
        raise ValueError(f"{name} = {most}: at most {d - 1}")


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

    seed: int = 0
    rows: int = 4
    columns: int = 4
    n_draws: int = 8
    bands: tuple[int, ...] = (1, 2, 4)
    degrees: tuple[int, ...] = (2, 3, 4, 6, 8, 12)
    steps: int = 1000

    def __post_init__(self):
        """Refuse what cannot be run, before anything is computed."""
        for name in ("rows", "columns", "n_draws", "bands", "degrees", "steps"):
            checks.positive(name, getattr(self, name))
        for name in ("bands", "degrees"):
            _require_room(self.rows, self.columns, name, max(getattr(self, name)))

    def base(self) -> Fit:
        """The best all-to-all network for one Gaussian."""
        return Fit(
            batch=self.seed,
            degree=float(self.degrees[0]),
            rows=self.rows,
            columns=self.columns,
            steps=self.steps,
        )


PRESETS = {
    "smoke": Config(rows=2, columns=2, n_draws=2, bands=(1,), degrees=(2,), steps=50),
    "large": Config(n_draws=128, steps=3000),
}

Training = Config().base
"""Makes the point from which a sweep over Gaussians starts."""


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
    names = list(KINDS)
    keys = jr.split(jr.fold_in(jr.key(point.batch), chip), len(names))
    kind = SHORT[point.kind]
    covariance = KINDS[kind](keys[names.index(kind)], point)
    allowed = _allowed(point, covariance, key)
    network, error = _fitted(covariance, allowed, point.steps)
    return {
        "error": error,
        "divergence": network.divergence,
        "gap": network.gap,
        "couplers": jnp.triu(allowed, 1).sum(),
    }


def _allowed(point: Any, covariance, key):
    """Which cells may be joined."""
    if point.wiring in ("random", "chosen"):
        weights = jr.uniform(key, covariance.shape)
        if point.wiring == "chosen":
            whole = jnp.ones(covariance.shape, bool)
            weights = -best_network(covariance, whole, point.steps).precision
        d = len(weights)
        rows, columns = jnp.triu_indices(d, 1)
        rank = jnp.argsort(jnp.argsort(-weights[rows, columns]))
        best = rank.astype(jnp.float32) < jnp.floor(d * point.degree / 2)
        mask = jnp.zeros((d, d), bool).at[rows, columns].set(best)
        return mask | mask.T
    apart, down, across = (jnp.asarray(x, jnp.float32) for x in _steps(point))
    near = {
        "all-to-all": apart >= 0,
        "band": apart <= point.neighbours,
        "grid4": down + across <= 1,
        "grid8": jnp.maximum(down, across) <= 1,
    }[point.wiring]
    return near & (apart > 0)


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Fit every kind of Gaussian on every wiring."""
    work = work or Work()
    fixed = _fixed_wirings(config)
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


def _sites(key: Key[Array, ""], config: Any) -> Float[Array, "d 2"]:
    """Points near the nodes of the grid, row by row."""
    rows, columns = jnp.meshgrid(
        jnp.arange(config.rows), jnp.arange(config.columns), indexing="ij"
    )
    nodes = jnp.stack([rows.ravel(), columns.ravel()], -1).astype(jnp.float32)
    return nodes + 0.3 * jr.uniform(key, nodes.shape)


def _dense(key, config: Any):
    """Random couplers between all cells."""
    return jnp.linalg.inv(machine.random_matrix(key, config.rows * config.columns))


def _chain(key, config: Any):
    """Ornstein-Uhlenbeck process at irregular times: exactly a chain."""
    times = jnp.cumsum(jr.uniform(key, (config.rows * config.columns,), minval=0.2))
    return jnp.exp(-jnp.abs(times[:, None] - times[None, :]))


def _distances(points):
    apart = points[:, None, :] - points[None, :, :]
    return jnp.sqrt(jnp.sum(apart**2, -1) + 1e-12)


def _plane(key, config: Any):
    """Exponential kernel between points of a plane."""
    return jnp.exp(-_distances(_sites(key, config)) / 2)


def _smooth(key, config: Any):
    """Squared-exponential kernel of a plane, and 10 % of noise."""
    distance = _distances(_sites(key, config))
    return jnp.exp(-(distance**2) / 4) + 0.1 * jnp.eye(len(distance))


def _signs(key, config: Any):
    """A Wishart matrix: correlations of both signs."""
    d = config.rows * config.columns
    factor = jr.normal(key, (d, 3 * d))
    return factor @ factor.T / (3 * d)


KINDS: dict[str, Callable[[Key[Array, ""], Any], Float[Array, "d d"]]] = {
    "random couplers": _dense,
    "Ornstein-Uhlenbeck chain": _chain,
    "exponential kernel, plane": _plane,
    "squared-exponential kernel": _smooth,
    "Wishart, both signs": _signs,
}


def _covariances(config: Config) -> Float[Array, "kinds draws d d"]:
    def draw(key):
        keys = jr.split(key, len(KINDS))
        return jnp.stack(
            [f(k, config) for f, k in zip(KINDS.values(), keys, strict=True)]
        )

    keys = jr.split(jr.key(config.seed), config.n_draws)
    return jax.jit(jax.vmap(draw))(keys).swapaxes(0, 1)


def _steps(of: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From cell to cell: along the chain, down and across the grid."""
    row, column = np.divmod(np.arange(of.rows * of.columns), of.columns)
    down = np.abs(row[:, None] - row[None, :])
    across = np.abs(column[:, None] - column[None, :])
    apart = np.abs(np.subtract.outer(np.arange(len(row)), np.arange(len(row))))
    return apart, down, across


def _fixed_wirings(config: Config) -> dict[str, np.ndarray]:
    """Which cells are joined, in regular patterns."""
    apart, down, across = _steps(config)
    names = [f"band, {k} to each side" for k in config.bands]
    wirings = {n: apart <= k for n, k in zip(names, config.bands, strict=True)}
    wirings["grid, 4 neighbours"] = down + across <= 1
    wirings["grid, 8 neighbours"] = np.maximum(down, across) <= 1
    wirings["all-to-all"] = apart >= 0
    return {name: mask & (apart > 0) for name, mask in wirings.items()}


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
    return _strongest(rng.random((d, d)), degree)


def _chosen(config: Config, degree: int, all_to_all, kind: int, draw: int):
    """The strongest couplers of the all-to-all network, refitted."""
    del config
    couplers = -all_to_all.precision.isel(kind=kind, draw=draw).to_numpy()
    return _strongest(couplers, degree)


def _strongest(weights: np.ndarray, degree: int) -> np.ndarray:
    d = len(weights)
    rows, columns = np.triu_indices(d, 1)
    best = np.argsort(-weights[rows, columns])[: d * degree // 2]
    mask = np.zeros((d, d), bool)
    mask[rows[best], columns[best]] = True
    return mask | mask.T


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """A table of regular wirings; error against the number of couplers."""
    figure = Figure(figsize=(13, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    _draw_table(figure, left, dataset)
    _draw_degrees(right, dataset)
    style.caption(figure, dataset)
    return figure


def _draw_table(figure, ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.error.median("draw").transpose("kind", "wiring")
    shown = error.clip(min=0.1)
    image = ax.imshow(shown, norm="log", cmap="cividis", aspect="auto", vmax=100)
    figure.colorbar(image, ax=ax, label="error of the covariance (%)", format="{x:g}")
    for (i, j), value in np.ndenumerate(error.to_numpy()):
        text = "exact" if value < 0.5 else f"{value:.0f} %"
        colour = "white" if value < 10 else "black"
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
    wirings = [
        f"{name},\n{int(n)} couplers".replace(", ", ",\n", 1)
        for name, n in zip(dataset.wiring.to_numpy(), dataset.couplers, strict=True)
    ]
    ax.set_xticks(range(len(wirings)), wirings, fontsize=7)
    kinds = [k.replace(" ", "\n", 1) for k in dataset.kind.to_numpy()]
    ax.set_yticks(range(len(kinds)), kinds, fontsize=8)
    ax.set_title("Best network on a regular wiring, median")
    ax.grid(False)


def _draw_degrees(ax, dataset: xr.Dataset) -> None:
    for i, kind in enumerate(dataset.kind.to_numpy()):
        one = dataset.sel(kind=kind)
        look = {"color": style.COLOURS[i], "marker": "o"}
        error = 100 * one.chosen_error
        style.band(ax, one.chosen_couplers, error, "draw", label=kind, **look)
        rough = 100 * one.random_error
        look |= {"linestyle": ":", "markerfacecolor": "none"}
        style.band(ax, one.random_couplers, rough, "draw", label="_", **look)
    ax.plot([], [], "o-", color="0.3", label="the couplers that matter most")
    ax.plot(
        [], [], "o:", color="0.3", markerfacecolor="none", label="couplers at random"
    )
    most = dataset.n_cells * (dataset.n_cells - 1) // 2
    ax.axvline(most, color="black", linewidth=0.8)
    ax.text(
        most - 4,
        0.02,
        "all-to-all",
        rotation=90,
        ha="center",
        transform=ax.get_xaxis_transform(),
        fontsize=7,
    )
    ax.set(yscale="log", xlabel=f"couplers of {dataset.n_cells} cells", ylim=(0.1, 200))
    ax.set_ylabel("relative Frobenius error (%)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


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
