"""Uncertainty of a last layer of eight features, sampled by boards, beside Laplace's.

Two moons: where is a classifier unsure, by the digital posterior and by boards. Images,
digits or (preset "fashion") clothes: a spectrally normalised network, trained ideally
and with EaPU on memristors, whose last layer has one 8 x 8 precision per class; a board
is programmed with them one after the other. In the features' own basis passive
couplers cannot hold such precisions, even doubled, unless the diagonal grows; in a
basis in which features are uncorrelated it has to grow less, or not at all.
"""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from experiments.claims import Claim, below, judged
from experiments.contract import Seeded, Sweep, base_of, of_one_seed
from experiments.data import DATA_SETS
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.thermodynamic import machine, one_board
from experiments.thermodynamic.foreign import shown
from experiments.thermodynamic.heads import scored
from experiments.thermodynamic.last_layer_figure import plot as plot
from experiments.thermodynamic.posteriors import read_doubled
from experiments.thermodynamic.sngp import Sngp
from experiments.thermodynamic.two_moons import MOONS, N_FEATURES, SIDE, Moons
from experiments.thermodynamic.two_moons import simulate as simulate_moons
from experiments.validate import (
    Count,
    Distinct,
    Plural,
    Positive,
    Width,
    one_of,
)
from thermo import inference
from thermo.threads import spare_threads

spare_threads()  # decompositions of a batch would wait for each other for ever
REPRODUCES = "SPU: last-layer uncertainty (SNGP) in eight dimensions"
RULES = ("ideal", "eapu")
WAYS = ("plain", "digital", "ideal board", "real board", "own basis")
SCORED = ("accuracy", "ece", "nll")
DIMS = {name: ("way",) for name in SCORED}
DIMS |= {"auroc": ("other", "way"), "variance_auroc": ("other", "way")}
DIMS |= {"variance_error": ("way",)}
R_WG, WRITE_NOISE = 1 / 80, 2.0
"""Of the array: weight per uS, and uS (STATED in the authors' public commands)."""

DataSet = Annotated[str, one_of(*DATA_SETS)]


class Network(one_board.Board, Recipe):
    """What one network, trained and then sampled by one board, depends on.

    Attributes:
        rule: "ideal" or "eapu", see `experiments.learning.rules`.
        data: what is learned.
        others: data sets that are not.
        n_train: training images (structural).
        n_test: test images, of each set; of others as many as there are (structural).
        pool: images are shrunk by this factor (structural).
        hidden: width of the bounded layer (structural).
        length: of the features' kernel, in units of that layer.
        bound: of its spectral norm.
        learning_rate: of Adam.
        interval: between samples, us.
    """

    rule: Annotated[str, one_of(*RULES)] = "ideal"
    data: DataSet = "mnist5k"
    others: Distinct[DataSet] = ("digits", "cifar10")
    n_train: Count = 4000
    n_test: Count = 1000
    pool: Width = 2
    hidden: Width = 64
    length: Positive = 3.0
    bound: Positive = 2.0
    learning_rate: Positive = 3e-3
    interval: Positive = machine.SAMPLING_INTERVAL


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


def network(point: Any, data: Data) -> Sngp:
    """The network of a point."""
    return Sngp(
        inputs=int(np.prod(data.x_train.shape[1:])),
        hidden=point.hidden,
        features=N_FEATURES,
        classes=10,
        length=point.length,
        bound=point.bound,
    )


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one network; let one board sample its last layer, class by class.

    Returns:
        By method, see `WAYS`: `accuracy`, expected calibration error `ece` and
        negative log-likelihood `nll` on test images; AUROC of test images against
        `others` by the most probable class (`auroc`) and by the variance of its logit
        (`variance_auroc`; of "plain" 0.5); `variance_error`: rms relative difference
        of variances from the digital ones. `growth` and `own_growth`: largest over
        classes, of the diagonal in the turned and in the features' own basis. If
        traced the `covariances`.
    """
    del chip
    data, others, _ = shown(
        point.data, point.others, point.n_train, point.n_test, point.pool
    )
    net = network(point, data)
    crossbar = ej.Crossbar(device=ej.AdditiveError(write_noise=WRITE_NOISE), r_wg=R_WG)
    learned = train(
        keys,
        net,
        data,
        base_of(Recipe, point),
        point.rule,
        learning_rate=point.learning_rate,
        crossbar=crossbar,
        threshold=WRITE_NOISE * R_WG,
    )
    params = {"params": learned.params}

    def phi(x):
        return net.apply(params, jnp.asarray(x), method="phi")

    known: Any = phi(data.x_train)
    last = learned.params["last"]
    basis = inference.decorrelated(known)
    p = jax.nn.softmax(known @ last)
    own, turned = (inference.last_layer_precision(f, p) for f in (known, known @ basis))
    growths = [jax.vmap(inference.least_growth)(each) for each in (turned, own)]
    covariances = {
        "digital": jax.vmap(jnp.linalg.inv)(turned),
        "own basis": _grown(own, growths[1], basis),
    }
    components, noise = jr.split(jr.fold_in(keys.chip, 7))  # the loop has 0 to 4
    for name, tolerance in (("ideal board", 0.0), ("real board", point.tolerance)):
        covariances[name] = _sampled(point, components, noise, turned, tolerance)
    own_images: Any = phi(data.x_test)
    foreign: list[Any] = [phi(x) for x in others]
    labels = jnp.asarray(data.y_test)
    rows = [
        scored(covariances.get(m), last, basis, own_images, labels, foreign)
        for m in WAYS
    ]
    found: dict[str, Any] = {
        name: jnp.stack([row[name] for row in rows], -1) for name in rows[0]
    }
    exact = inference.predictive_variance(own_images @ basis, covariances["digital"])
    off = {}
    for name, each in covariances.items():
        variance = inference.predictive_variance(own_images @ basis, each)
        off[name] = jnp.sqrt(jnp.mean((variance / exact - 1) ** 2))
    found["variance_error"] = jnp.stack([off.get(m, jnp.ones(())) for m in WAYS])
    found["growth"], found["own_growth"] = (jnp.max(g) for g in growths)
    return found | ({"covariances": covariances["real board"]} if trace else {})


def _grown(precision, growth, basis):
    """Covariances of precisions whose diagonals grew, turned to the basis."""
    diagonal = jax.vmap(jnp.diag)(jax.vmap(jnp.diagonal)(precision))
    held = precision + (growth - 1)[:, None, None] * diagonal
    return jnp.einsum("ia,kij,jb->kab", basis, jax.vmap(jnp.linalg.inv)(held), basis)


def _sampled(point, components, noise, precisions, tolerance):
    """Covariances of all classes by one board, which is programmed anew for each."""
    asked = {f: getattr(point, f) for f in ("rc", "quality", "n_samples", "interval")}
    at = SimpleNamespace(**asked, tolerance=tolerance)

    def one(key, precision):
        wanted = inference.Information(precision, jnp.zeros(len(precision)))
        return read_doubled(at, (components, key), wanted).covariance

    return jax.vmap(one)(jr.split(noise, len(precisions)), precisions)


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
            f"{config.rc:g} us, Q = {config.quality:g}, T* known; EaPU at "
            f"{WRITE_NOISE:g} uS a write; bands: middle half of {config.n_chips} "
            f"networks with a board each; data: {'; '.join(sources)}"
        ),
    )  # fmt: skip


POINTS = 0.02
"""Of AUROC, accuracy or calibration error, that count as agreement (ASSUMED)."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Boards against the digital posterior."""
    rows = []
    real = dataset.off.sel({"tolerance": dataset.assumed_tolerance})
    rows.append(
        judged(
            dataset,
            "last-layer uncertainty on three boards agrees with a digital computer "
            "(ours: two moons, rms difference of the predictive standard deviation, at "
            f"an ASSUMED tolerance of {dataset.assumed_tolerance:.1%}; below 20 % "
            "counts)",
            machine.REVIEW,
            100 * real.isel(board=slice(0, machine.N_PUBLISHED_BOARDS)),
            partial(below, 20.0),
            unit="%",
        )
    )
    for rule in RULES:
        at = dataset.sel(rule=rule)
        differences = [
            (at[name].sel(way="real board") - at[name].sel(way="digital"))
            for name in ("auroc", "variance_auroc", "accuracy", "ece")
        ]
        ends = [float(abs(each).max()) for each in differences]
        middle = [float(abs(each).median()) for each in differences]
        rows.append(
            judged(
                dataset,
                "last-layer uncertainty on the board agrees with a digital computer, "
                f"network of {dataset.learned} trained by {rule} updates (ours: "
                "largest difference of "
                "AUROC, by class and by variance, accuracy and calibration error over "
                "boards; below "
                f"{100 * POINTS:g} points counts)",
                machine.REVIEW,
                (0.0, 100 * max(middle), 100 * max(ends)),
                partial(below, 100 * POINTS),
                unit="points",
            )
        )
    return rows
