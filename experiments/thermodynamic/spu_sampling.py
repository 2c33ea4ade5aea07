"""Eight-dimensional Gaussian samples from three boards, and from an ideal one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, not_attempted, within
from experiments.contract import Sweep
from experiments.thermodynamic import errors, machine, one_board
from experiments.thermodynamic.chi_square import chi_square, density
from experiments.thermodynamic.spu_sampling_figure import plot as plot
from experiments.validate import Count, NonNegative, Positive, Seed, check

DIMS = one_board.DIMS | {"samples": ("sample", "cell")}
REPRODUCES = "SPU: Gaussian samples in eight dimensions on three boards"
MINUTES = 0.4


@dataclass(frozen=True, kw_only=True)
class Config:
    """Samples of one Gaussian from boards with component tolerances.

    Attributes:
        seed: of the Gaussian, the boards and the noise.
        n_boards: tolerance draws; the first three stand for the published boards.
        n_samples: of one experiment; boards run four times as long.
        n_runs: independent runs of the ideal board, for the chi-square.
        tolerance: rms spread of capacitors, R, L and noise power (ASSUMED).
        rc: of a cell alone, us (ASSUMED).
        quality: of a cell alone (ASSUMED).
        coupling: largest capacitor between two cells, relative to that of a cell
            (ASSUMED); sets how correlated the Gaussian is.
    """

    seed: Seed = 0
    n_boards: machine.Boards = 64
    n_samples: errors.Record = machine.N_SAMPLES
    n_runs: Count = 512
    tolerance: NonNegative = 0.175
    rc: Positive = 1.0
    quality: Positive = 1.0
    coupling: NonNegative = 1.0

    __post_init__ = check


PRESETS = {
    "smoke": Config(n_boards=3, n_samples=480, n_runs=4),
    "large": Config(n_boards=1024, n_runs=8192),
}


def defaults(config: Config) -> one_board.Experiment:
    """What one experiment on one board depends on."""
    return one_board.Experiment(
        tolerance=config.tolerance,
        rc=config.rc,
        quality=config.quality,
        coupling=config.coupling,
        n_samples=config.n_samples,
    )


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Let one board sample the Gaussian of its seed.

    Arguments as in `one_board.simulate`.

    Returns:
        As `one_board.measured`, and about 1000 `samples` of one experiment, V.
    """
    found = one_board.simulate(point, chip, keys, trace=True)
    thin = slice(0, point.n_samples, max(point.n_samples // 1000, 1))
    v = found["v"] if trace else found.pop("v")
    return found | {"samples": v[thin]}


def sweeps(config: Config) -> dict[str, Sweep]:
    """The ideal board and real ones; many runs of the ideal one."""
    base = defaults(config)
    boards = Sweep(
        simulate=simulate,
        base=base,
        axes={"tolerance": one_board.with_ideal(config)},
        chips=config.n_boards,
        key=config.seed,
        dims=DIMS,
    )
    runs = Sweep(
        simulate=chi_square,
        base=replace(base, tolerance=0.0),
        chips=config.n_runs,
        key=config.seed,
        chunk=min(config.n_runs, 64),
    )
    return {"boards": boards, "chi_square": runs}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors and covariances of the boards; the chi-square and its law."""
    boards = one_board.boards(config, found["boards"])
    ideal = boards[["samples", "target"]].isel(board=0, drop=True)
    boards = boards[["error", "expected", "floor", "covariance", "correlation"]]
    squares = found["chi_square"][["chi_square", "naive_chi_square"]]
    squares = squares.isel(seed=0, drop=True).drop_vars("chip").rename(chip="run")
    parts = [boards, ideal, squares.load(), density()]
    return xr.merge(parts, combine_attrs="drop").assign_attrs(
        data=(
            f"simulation at 12 MHz; ASSUMED: a random precision matrix, tolerance "
            f"{config.tolerance:.1%} rms on C, R, L and noise power, "
            f"RC = {config.rc:g} us, Q = {config.quality:g}, T* known; band: middle "
            f"half of {config.n_boards} boards"
        ),
        n_published=config.n_samples,
        assumed_tolerance=config.tolerance,
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on sampling, judged or named as not attempted."""
    reduced = dataset.chi_square / dataset.degrees
    margin = 3 * float(reduced.std(ddof=1)) / dataset.sizes["run"] ** 0.5
    mean = float(reduced.mean())
    follows = dataset.correlation.sel(board=slice(1, machine.N_PUBLISHED_BOARDS))
    low, middle, high = map(float, (follows.min(), follows.median(), follows.max()))
    scale = dataset.attrs.get("scale", "reduced")
    review = "review of the SPU preprint (second hand)"
    return [
        Claim(
            claim="Gaussian samples agree with theory (ours: ideal board, chi-square "
            "of the covariance per degree of freedom, mean and 3 standard errors)",
            source=review,
            published=1.0,
            ours=mean,
            low=mean - margin,
            high=mean + margin,
            unit="",
            scale=scale,
            verdict=within(1.0, mean - margin, mean + margin),
        ),
        Claim(
            claim="the three boards sample the Gaussian asked for (ours: correlation "
            "of wanted and sampled entries, at an ASSUMED tolerance of "
            f"{dataset.assumed_tolerance:.1%}; above 0.9 counts)",
            source=review,
            published=None,
            ours=middle,
            low=low,
            high=high,
            unit="",
            scale=scale,
            verdict=above(0.9, low, high),
        ),
        not_attempted(
            "sampling beats an RTX A6000 above this many dimensions",
            review,
            3000.0,
            "dimensions",
        ),
        not_attempted(
            "10 times faster than an RTX A6000 at d = 10,000",
            "press on the SPU paper (SEED)",
            10.0,
            "x",
        ),
        not_attempted(
            "less energy than an RTX A6000 at every dimension",
            "press on the SPU paper (SEED)",
        ),
        not_attempted(
            "Gaussian-process regression and last-layer uncertainty on the "
            "board agree with a digital computer",
            review,
        ),
    ]
