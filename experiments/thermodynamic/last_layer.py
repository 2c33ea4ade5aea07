"""Uncertainty of a last layer of eight features, sampled by boards, beside Laplace's.

Two moons: where is a classifier unsure, by the digital posterior and by boards. Images,
digits or (preset "fashion") clothes: a spectrally normalised network, trained ideally
and with EaPU on memristors, whose last layer has one 8 x 8 precision per class; a board
is programmed with them one after the other. In the features' own basis passive
couplers cannot hold such precisions, even doubled, unless the diagonal grows; in a
basis in which features are uncorrelated it has to grow less, or not at all.
"""

from collections.abc import Mapping

import xarray as xr

from experiments.contract import Seeded, Sweep, base_of, of_one_seed
from experiments.data import DATA_SETS
from experiments.learning.recipe import Recipe
from experiments.thermodynamic import machine, one_board
from experiments.thermodynamic.foreign import shown
from experiments.thermodynamic.last_layer_claims import claims as claims
from experiments.thermodynamic.last_layer_figure import plot as plot
from experiments.thermodynamic.last_layer_network import DIMS as DIMS
from experiments.thermodynamic.last_layer_network import (
    RULES,
    WAYS,
    WRITE_NOISE,
    DataSet,
    Network,
)
from experiments.thermodynamic.last_layer_network import simulate as simulate
from experiments.thermodynamic.two_moons import MOONS, N_FEATURES, SIDE, Moons
from experiments.thermodynamic.two_moons import simulate as simulate_moons
from experiments.validate import Count, Distinct, Plural, Width

REPRODUCES = "SPU: last-layer uncertainty (SNGP) in eight dimensions"


class Config(Seeded, one_board.Board):
    """Sample last layers of two trainings, and one of two moons.

    Attributes:
        n_boards: of the moons; the first three stand for the published boards.
        n_chips: trained networks of each rule, each with a board of its own.
        data: what is learned.
        others: data sets that are not.
        n_train: training images.
        n_test: test images, of each set; of others as many as there are.
        epochs: of the trainings.
        hidden: width of the bounded layer.
    """

    n_boards: machine.Boards = 16
    n_chips: Plural = 4
    data: DataSet = "mnist5k"
    others: Distinct[DataSet] = ("digits", "cifar10")
    n_train: Count = 4000
    n_test: Count = 500
    epochs: Count = 8
    hidden: Width = 64

    def __post_init__(self):
        """Check every field; the images must be there, and fill a batch."""
        super().__post_init__()
        for field in ("n_train", "n_test"):
            most = getattr(DATA_SETS[self.data], field)
            words = f"{self.data} has {most:,} of them"
            self.require(getattr(self, field) <= most, field, words)
        fills = self.n_train >= Recipe().batch_size
        self.require(fills, "n_train", f"at least a batch of {Recipe().batch_size}")
        self.require(self.data not in self.others, "others", "must not hold the data")


PRESETS = {
    "smoke": Config(
        n_boards=3, n_chips=2, n_samples=480, data="digits", others=("synthetic",),
        n_train=320, n_test=100, epochs=1, hidden=8,
    ),
    "fashion": Config(
        data="fashion_mnist", others=("mnist", "cifar10"), n_train=20_000,
        n_test=2000, epochs=10, hidden=128,
    ),
    "large": Config(
        n_boards=256, n_chips=64, data="fashion_mnist", others=("mnist", "cifar10"),
        n_train=60_000, n_test=10_000, epochs=20, hidden=256,
    ),
}  # fmt: skip


def defaults(config: Config) -> Network:
    """What one network and its board depend on."""
    return base_of(Network, config)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Boards of two moons, ideal and real; both trainings."""
    base = defaults(config)
    plane = base_of(Moons, config)
    tolerances = {"tolerance": list(dict.fromkeys((0.0, config.tolerance)))}
    n = config.n_boards
    return {
        "moons": config.sweep(
            simulate_moons, plane, axes=tolerances, chips=n, dims=MOONS
        ),
        "networks": config.sweep(
            simulate,
            base,
            axes={"rule": RULES},
            chips=config.n_chips,
            dims=DIMS,
            chunk=min(config.n_chips, 8),
        ),
    }


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Maps of the plane, and scores of the networks by method."""
    names = ("map", "exact_map", "off", "mean_off", "points", "labels", "accuracy")
    plane = of_one_seed(
        found["moons"], *names, "growth", "own_growth", chip="board"
    ).rename(accuracy="moons_accuracy", growth="moons_growth")
    plane = plane.rename(own_growth="moons_own_growth")
    same = ["exact_map", "points", "labels", "moons_accuracy"]
    same += ["moons_growth", "moons_own_growth"]
    plane = plane.assign(plane[same].isel(board=0, tolerance=0, drop=True))
    nets = found["networks"].isel(seed=0, drop=True).drop_vars("chip").load()
    nets = nets.rename(chip="network")
    both = [plane, nets]
    whole = xr.merge(both, combine_attrs="drop", compat="equals", join="exact")
    whole = whole.assign_coords(
        x=SIDE[0], y=SIDE[1], way=list(WAYS), other=list(config.others)
    )
    sources = shown(
        config.data, config.others, config.n_train, config.n_test, Network().pool
    )[2]
    return whole.assign_attrs(
        assumed_tolerance=config.tolerance, n_published=config.n_samples,
        learned=config.data,
        data=(
            f"simulation at 12 MHz, {config.n_samples:,} samples; D = {N_FEATURES} "
            "features INFERRED; ASSUMED: network, data, basis, tolerance "
            f"{config.tolerance:.1%} rms on C, R, L and noise power, RC = "
            f"{config.rc:g} µs, Q = {config.quality:g}, temperature known; EaPU at "
            f"{WRITE_NOISE:g} µS a write; bands: middle half of {config.n_chips} "
            f"networks with a board each; data: {'; '.join(sources)}"
        ),
    )  # fmt: skip
