"""One network with a last layer of eight features, which one board samples."""

from types import SimpleNamespace
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import eapu_jax as ej
from chipsweep import Keys
from experiments.contract import base_of
from experiments.data import DATA_SETS
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.thermodynamic import machine, one_board
from experiments.thermodynamic.foreign import shown
from experiments.thermodynamic.heads import scored
from experiments.thermodynamic.posteriors import read_doubled
from experiments.thermodynamic.sngp import Sngp
from experiments.thermodynamic.two_moons import N_FEATURES
from experiments.validate import Count, Distinct, Positive, Width, one_of
from thermo import inference
from thermo.threads import spare_threads

spare_threads()  # decompositions of a batch would wait for each other for ever
RULES = ("ideal", "eapu")
WAYS = ("plain", "digital", "ideal board", "real board", "own basis")
SCORED = ("accuracy", "ece", "nll")
DIMS = {name: ("way",) for name in SCORED}
DIMS |= {"auroc": ("other", "way"), "variance_auroc": ("other", "way")}
DIMS |= {"variance_error": ("way",)}
R_WG, WRITE_NOISE = 1 / 80, 2.0
"""Of the array: weight per µS, and µS (STATED in the authors' public commands)."""

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
        interval: between samples, µs.
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
