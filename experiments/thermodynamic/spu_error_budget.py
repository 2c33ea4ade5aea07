"""What each imperfection of a board costs, alone and together: theory, no sampling."""

import dataclasses
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style
from experiments.claims import Claim
from experiments.thermodynamic import errors, machine
from experiments.work import Work
from thermo import checks, exact
from thermo.circuits import (
    Converter,
    RLCBoard,
    Tolerances,
    draw_board,
    quantise,
    uniform_levels,
)

REPRODUCES = "SPU: the floor that imperfections leave (no published figure)"
MINUTES = 0.3

SOURCES = {
    "capacitors": ("capacitance",),
    "resistors": ("resistance",),
    "coils": ("inductance",),
    "noise power": ("noise",),
    "C, R and noise": ("capacitance", "resistance", "noise"),
}
"""What is spread, by the name in the figure."""
REFERENCE = {
    "tolerance": {
        "capacitors": (0.032, 0.067, 0.14),
        "resistors": (0.042, 0.081, 0.165),
        "noise power": (0.043, 0.082, 0.163),
        "C, R and noise": (0.073, 0.146, 0.29),
    },
    "bits": (0.16, 0.045, 0.019, 0.009, 0.0044, 0.0021),
    "colour": {0.1: (0.018, 0.02, 0.032), 0.3: (0.048, 0.058, 0.116)},
    "coil": {0.1: (0.117, 0.029)},
}
"""DERIVED elsewhere with other code and other draws, at tolerances of 5, 10 and 20 %, 1
to 6 bits, Q of 0.3, 1 and 3: a check of this experiment, not a published result."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Errors of infinitely many samples, over random matrices and boards.

    Attributes:
        seed: of matrices and boards.
        n_boards: draws, each a matrix and a board of its own.
        rc: of a cell alone, us.
        quality: of a cell alone.
        tolerances: relative rms spread of components.
        bits: of capacitors to ground and of couplers, over their full range.
        colours: correlation time of the noise, in units of RC.
        qualities: at which the colour is tried.
        coils: series resistance of the coils, in units of R.
        adc_bits: of the converter; its range is four standard deviations.
        budget_tolerance: of all components, in the budget.
        budget_bits: of the capacitors, in the budget.
        budget_colour: correlation time, in the budget.
        budget_coil: series resistance, in the budget.
        budget_adc_bits: of the converter, in the budget.
        budget_amplifier: rms noise relative to the signal, in the budget.
    """

    seed: int = 0
    n_boards: int = 64
    rc: float = 1.0
    quality: float = 1.0
    tolerances: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    bits: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    colours: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    qualities: tuple[float, ...] = (0.3, 1.0, 3.0)
    coils: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3)
    adc_bits: tuple[int, ...] = (3, 4, 5, 6, 8, 10)
    budget_tolerance: float = 0.05
    budget_bits: int = 3
    budget_colour: float = 0.1
    budget_coil: float = 0.03
    budget_adc_bits: int = 6
    budget_amplifier: float = 0.1

    def __post_init__(self):
        """Refuse what cannot be run, before anything is computed."""
        for field in dataclasses.fields(self):
            if field.name != "seed":
                checks.positive(field.name, getattr(self, field.name))


PRESETS = {
    "smoke": Config(
        n_boards=3,
        tolerances=(0.05, 0.1),
        bits=(2,),
        colours=(0.1,),
        qualities=(1.0,),
        coils=(0.1,),
        adc_bits=(4,),
    ),
    "large": Config(n_boards=1024),
}


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Every imperfection by Lyapunov's equation, and the slope of every component."""
    work = work or Work()
    parts = {
        "tolerances": _tolerances,
        "quantisation": _quantisation,
        "colour": _colour,
        "coils": _coils,
        "converter": _converter,
        "budget": _budget,
        "sensitivity": _sensitivity,
    }
    work.expect(len(parts))
    done = [work.part(name, partial(f, config)) for name, f in parts.items()]
    return xr.merge(done).assign_attrs(
        data=(
            "theory (Lyapunov), no sampling; ASSUMED: random M-matrices of 8 cells, "
            f"RC = {config.rc:g} us, Q = {config.quality:g}; bands: middle half of "
            f"{config.n_boards} boards; squares: the same by other code (derived, not "
            "published)"
        ),
    )


@partial(jax.jit, static_argnames=("n", "rc"))
def _nominal(key, n: int, rc: float, quality):
    """Boards of `n` random matrices, and the covariances they should have."""

    def one(key):
        return machine.nominal(key, machine.N_CELLS, rc, quality)

    return jax.vmap(one)(jr.split(key, n))


def _drawn(config: Config, quality: float | None = None):
    quality = config.quality if quality is None else quality
    return _nominal(jr.key(config.seed), config.n_boards, config.rc, quality)


@jax.jit
def _spread(key, boards: RLCBoard, tolerances: Tolerances):
    """Each board with components off at random."""
    keys = jr.split(jr.fold_in(key, 1), len(boards.noise))
    return jax.vmap(draw_board, (0, 0, None))(keys, boards, tolerances)


@jax.jit
def _floors(boards: RLCBoard, targets, added=0.0):
    """Errors of infinitely many samples: raw, and after the best single factor.

    `added` is what the read-out adds to every variance, V^2.
    """

    def one(board, target):
        form = board.linear()
        states = exact.lyapunov(form.drift, form.diffusion)
        covariance = form.readout @ states @ form.readout.T
        covariance = covariance + added * jnp.eye(len(target))
        fitted = errors.best_scale(covariance, target) * covariance
        return jnp.stack(
            [errors.relative_error(c, target) for c in (covariance, fitted)]
        )

    return jax.vmap(one)(boards, targets)


def _dataset(name: str, dims: dict, values) -> xr.Dataset:
    """Floors over `dims`, then boards, then the two ways to look at them."""
    shape = (*map(len, dims.values()), -1, 2)
    values = np.reshape(np.stack(values), shape)
    coords = {**dims, "scaling": ["T* known", "T* fitted"]}
    return xr.Dataset({name: ((*dims, "board", "scaling"), values)}, coords)


def _tolerances(config: Config) -> xr.Dataset:
    (boards, targets), found = _drawn(config), []
    for kinds in SOURCES.values():
        for p in config.tolerances:
            spread = Tolerances(**{k: p if k in kinds else 0.0 for k in _KINDS})
            real = _spread(jr.key(config.seed), boards, spread)
            found.append(_floors(real, targets))
    dims = {"source": list(SOURCES), "tolerance": list(config.tolerances)}
    return _dataset("tolerance_error", dims, found)


_KINDS = tuple(field.name for field in dataclasses.fields(Tolerances))


def _quantisation(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    found = [_floors(_quantised(boards, b), targets) for b in config.bits]
    return _dataset("bits_error", {"bits": list(config.bits)}, found)


def _quantised(boards, bits: int):
    """Capacitors of 2**bits values over the range that the matrices come from."""
    between, ground = uniform_levels(0.0, 0.2, bits), uniform_levels(0.8, 1.2, bits)
    return jax.jit(partial(quantise, coupling=between, ground=ground))(boards)


def _colour(config: Config) -> xr.Dataset:
    found = []
    for quality in config.qualities:
        boards, targets = _drawn(config, quality)
        for colour in config.colours:
            found.append(_floors(_coloured(config, boards, colour), targets))
    dims = {"quality": list(config.qualities), "colour": list(config.colours)}
    return _dataset("colour_error", dims, found)


def _coloured(config: Config, boards, colour: float):
    times = jnp.full(len(boards.noise), colour * config.rc)
    return replace(boards, noise_correlation_time=times)


def _coils(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    found = [_floors(_resistive(config, boards, r), targets) for r in config.coils]
    return _dataset("coil_error", {"coil": list(config.coils)}, found)


def _resistive(config: Config, boards, ratio: float):
    return replace(
        boards, coil_resistance=jnp.full(len(boards.noise), ratio * config.rc)
    )


def _converter(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    found = [_floors(boards, targets, _added(targets, b)) for b in config.adc_bits]
    return _dataset("adc_bits_error", {"adc_bits": list(config.adc_bits)}, found)


def _added(targets, bits: int | None, amplifier: float = 0.0):
    """V^2, for a range of four standard deviations of the largest voltage."""
    rms = float(jnp.sqrt(jnp.max(targets)))
    converter = Converter(
        bits=bits,
        full_scale=None if bits is None else 4 * rms,
        amplifier_noise=amplifier * rms,
    )
    return float(converter.added_variance())


def _budget(config: Config) -> xr.Dataset:
    """One imperfection after another, then all of them."""
    c, p = config, config.budget_tolerance
    boards, targets = _drawn(c)
    coarse = _quantised(boards, c.budget_bits)
    everywhere = Tolerances(**dict.fromkeys(_KINDS, p))
    real = _spread(jr.key(c.seed), boards, everywhere)
    made = _spread(jr.key(c.seed), coarse, everywhere)
    adc = _added(targets, c.budget_adc_bits)
    amplifier = _added(targets, None, c.budget_amplifier)
    cases = {
        f"all components {p:.0%}": (real, 0.0),
        f"{c.budget_bits}-bit capacitors": (coarse, 0.0),
        f"noise colour {c.budget_colour:g} RC": (
            _coloured(c, boards, c.budget_colour),
            0.0,
        ),
        f"coil resistance {c.budget_coil:g} R": (
            _resistive(c, boards, c.budget_coil),
            0.0,
        ),
        f"{c.budget_adc_bits}-bit converter": (boards, adc),
        f"amplifier noise {c.budget_amplifier:.0%}": (boards, amplifier),
        "all together": (
            _coloured(c, _resistive(c, made, c.budget_coil), c.budget_colour),
            adc + amplifier,
        ),
    }
    found = [_floors(board, targets, extra) for board, extra in cases.values()]
    return _dataset("budget_error", {"imperfection": list(cases)}, found)


def _sensitivity(config: Config) -> xr.Dataset:
    """Relative change of the covariance per relative change of each component.

    One board's error under a small deviation of one component is that deviation times
    this; under independent ones of equal rms, that rms times the root of the sum of
    squares. Coil resistance counts in units of R.
    """
    boards, targets = _drawn(config)
    some = jax.tree.map(lambda x: x[: min(8, config.n_boards)], (boards, targets))
    slopes = jax.jit(partial(jax.lax.map, lambda x: _slopes(config, *x)))(some)
    upper = np.triu_indices(machine.N_CELLS)
    capacitors = np.zeros((machine.N_CELLS, machine.N_CELLS))
    capacitors[upper] = np.asarray(slopes["capacitors"])[0]
    kinds = ("resistors", "coils", "noise power", "coil resistance")
    squares = {k: np.sum(np.asarray(v) ** 2, -1).mean() for k, v in slopes.items()}
    squares["C, R and noise"] = sum(
        squares[k] for k in ("capacitors", "resistors", "noise power")
    )
    return xr.Dataset(
        {
            "capacitor_slope": (
                ("cell", "other"),
                capacitors + np.triu(capacitors, 1).T,
            ),
            "slope": (("kind", "cell"), np.stack([slopes[k][0] for k in kinds])),
            "root_square_slope": ("source", [squares[s] ** 0.5 for s in SOURCES]),
        },
        {"kind": list(kinds), "source": list(SOURCES)},
    )


def _slopes(config: Config, board: RLCBoard, target):
    """Norms of the derivatives of the covariance, by forward differentiation."""
    d = machine.N_CELLS
    rows, columns = np.triu_indices(d)

    def covariance(x):
        off = jnp.zeros((d, d)).at[rows, columns].set(x["capacitors"])
        factor = 1 + off + jnp.triu(off, 1).T
        changed = replace(
            board,
            ground_capacitance=board.ground_capacitance * jnp.diagonal(factor),
            coupling=board.coupling * factor,
            resistance=board.resistance * (1 + x["resistors"]),
            inductance=board.inductance * (1 + x["coils"]),
            noise=board.noise * (1 + x["noise power"]),
            coil_resistance=config.rc * x["coil resistance"],
        )
        form = changed.linear()
        state = exact.lyapunov(form.drift, form.diffusion)
        return form.readout @ state @ form.readout.T

    still = {
        k: jnp.zeros(d)
        for k in ("resistors", "coils", "noise power", "coil resistance")
    }
    still["capacitors"] = jnp.zeros(len(rows))
    slopes = jax.jacfwd(covariance)(still)
    size = jnp.linalg.norm(target)
    return {k: jnp.linalg.norm(j, axis=(0, 1)) / size for k, j in slopes.items()}


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Each imperfection, the budget, and the slope of every component."""
    figure = Figure(figsize=(11, 7))
    axes = figure.subplots(2, 3)
    _draw_tolerances(axes[0, 0], dataset)
    _draw_bits(axes[0, 1], dataset)
    _draw_colour(axes[0, 2], dataset)
    _draw_budget(axes[1, 0], dataset)
    _draw_capacitors(figure, axes[1, 1], dataset)
    _draw_slopes(axes[1, 2], dataset)
    style.caption(figure, dataset)
    return figure


_SQUARE = {"marker": "s", "linestyle": "none", "markerfacecolor": "none"}


def _draw_tolerances(ax, dataset: xr.Dataset) -> None:
    raw = 100 * dataset.tolerance_error.sel(scaling="T* known")
    x = 100 * dataset.tolerance
    for i, source in enumerate(dataset.source.to_numpy()):
        rms = (raw.sel(source=source) ** 2).mean("board") ** 0.5
        colour = style.COLOURS[i]
        look = {"markerfacecolor": "none", "markersize": 8} if i == 3 else {}
        ax.plot(x, rms, "o", color=colour, label=source, **look)
        ax.plot(x, dataset.root_square_slope.sel(source=source) * x, color=colour)
        if source in REFERENCE["tolerance"]:
            table = 100 * np.array(REFERENCE["tolerance"][source])
            ax.plot([5, 10, 20], table, color="black", **_SQUARE, markersize=6)
    ax.plot([], [], color="black", **_SQUARE, label="other code (derived)")
    ax.plot([], [], color="0.3", label="by the slopes alone")
    ax.set(xlabel="component tolerance, rms (%)", ylabel="error, rms over boards (%)")
    ax.set(title="Tolerances", ylim=(-1, None))
    ax.legend()


def _draw_bits(ax, dataset: xr.Dataset) -> None:
    for name, label in (
        ("bits", "capacitors"),
        ("adc_bits", "converter, range 4 sigma"),
    ):
        error = 100 * dataset[f"{name}_error"].sel(scaling="T* known")
        style.band(ax, dataset[name], error, "board", label=label, marker="o")
    table = 100 * np.array(REFERENCE["bits"])
    ax.plot(
        range(1, 7), table, color="black", **_SQUARE, label="capacitors, other code"
    )
    ax.set(yscale="log", xlabel="bits", ylabel="error (%)", title="Quantisation")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend()


def _draw_colour(ax, dataset: xr.Dataset) -> None:
    fitted = 100 * dataset.colour_error.sel(scaling="T* fitted")
    for i, quality in enumerate(dataset.quality.to_numpy()):
        error = fitted.sel(quality=quality)
        label = f"colour, Q = {quality:g}, T* fitted"
        style.band(ax, dataset.colour, error, "board", label=label, marker="o")
        if len(dataset.quality) != 3:
            continue
        table = [(t, 100 * errors[i]) for t, errors in REFERENCE["colour"].items()]
        ax.plot(*zip(*table, strict=True), color="black", **_SQUARE)
    for scaling, line in (("T* known", "-"), ("T* fitted", "--")):
        error = 100 * dataset.coil_error.sel(scaling=scaling)
        label = f"coil resistance, {scaling}"
        look = {"color": style.COLOURS[3], "linestyle": line, "marker": "o"}
        style.band(ax, dataset.coil, error, "board", label=label, **look)
    table = [100 * x for x in REFERENCE["coil"][0.1]]
    ax.plot([0.1, 0.1], table, color="black", **_SQUARE, label="other code (derived)")
    ax.set(xscale="log", yscale="log", title="Coloured noise, resistive coils")
    ax.set(xlabel="correlation time / RC; coil resistance / R", ylabel="error (%)")
    ax.set_ylim(top=1000)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(fontsize=6.5)


def _draw_budget(ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.budget_error
    names = dataset.imperfection.to_numpy()
    place = np.arange(len(names))[::-1]
    for shift, scaling in ((0.2, "T* known"), (-0.2, "T* fitted")):
        low, middle, high = error.sel(scaling=scaling).quantile(
            [0.25, 0.5, 0.75], "board"
        )
        spread = np.abs(np.stack([middle - low, high - middle]))
        ax.barh(
            place + shift,
            middle,
            0.38,
            xerr=spread,
            label=scaling,
            error_kw={"elinewidth": 0.8},
        )
    alone = error.sel(imperfection=names[:-1]).median("board")
    for shift, scaling in ((0.2, "T* known"), (-0.2, "T* fitted")):
        total = float((alone.sel(scaling=scaling) ** 2).sum() ** 0.5)
        label = "root of the sum of squares" if shift > 0 else None
        ax.plot([total] * 2, [shift - 0.19, shift + 0.19], color="black", label=label)
    ax.set(
        yticks=place, yticklabels=names, xlabel="error (%)", title="A budget (ASSUMED)"
    )
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.16), fontsize=6.5)


def _draw_capacitors(figure, ax, dataset: xr.Dataset) -> None:
    cells = np.arange(1, dataset.sizes["cell"] + 1)
    image = ax.pcolormesh(
        cells, cells, dataset.capacitor_slope, norm="log", cmap="cividis"
    )
    figure.colorbar(
        image, ax=ax, label="relative change of $\\Sigma$ per relative change"
    )
    ax.set(aspect="equal", xlabel="cell", ylabel="cell", xticks=cells, yticks=cells)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_title("Capacitors: between cells,\nto ground on the diagonal")


def _draw_slopes(ax, dataset: xr.Dataset) -> None:
    cells = np.arange(1, dataset.sizes["cell"] + 1)
    names = {"coil resistance": "coil resistance, in units of R"}
    for kind in dataset.kind.to_numpy():
        slope = dataset.slope.sel(kind=kind)
        line = {"linestyle": "--", "marker": "o"}
        line |= {"markerfacecolor": "none", "markersize": 8} if "noise" in kind else {}
        ax.plot(cells, slope, **line, label=names.get(kind, kind))
    ground = np.diagonal(dataset.capacitor_slope)
    ax.plot(cells, ground, "s--", label="capacitor to ground")
    ax.set(xlabel="cell", ylim=(-0.03, None), xticks=cells, title="Other components")
    ax.set_ylabel("relative change of $\\Sigma$ per relative change")
    ax.legend(loc="center", bbox_to_anchor=(0.5, 0.21), fontsize=6.5)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: nothing was published about the parts of the error."""
    del dataset
    return []
