"""Energy: what writing less saves, and when the published ratios can hold.

Counts are ours, constants are those of `eapu_jax.cost`, with their sources; none is
tuned. One group decides about training: the energy of writing every cell once over
that of all products of a step. About inference decides how much smaller conductances
may be: noisy backpropagation needs a window `k` times as wide as EaPU's for the same
accuracy, which is the same as a write error `k` times as small.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import xarray as xr

from eapu_jax import cost
from experiments.claims import (
    Claim,
    judged,
    not_attempted,
    spread,
    within,
    within_reach,
)
from experiments.contract import Sweep
from experiments.memristor.energy_figure import PUBLISHED, PUBLISHED_RATIO, RULES
from experiments.memristor.energy_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import DIMS as DIMS
from experiments.memristor.training import simulate as simulate
from experiments.validate import Ascending, Count, Positive, Several, Width

REPRODUCES = "EaPU, energies of training and inference against backpropagation"


class Case(NamedTuple):
    """A network in training: what its ratio depends on.

    Attributes:
        title: for the figure.
        reuse: products that a weight takes part in per image.
        batch: images per step.
    """

    title: str
    reuse: float
    batch: int


class Config(MlpSetting):
    """Count the writes of EaPU, and find how exact backpropagation must write.

    Attributes:
        factors: by which the write error of noisy backpropagation is divided,
            ascending.
        near: points of accuracy below EaPU that count as the same.
    """

    factors: Ascending[Positive] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
    near: Positive = 1.0
    hidden: Several[Width] = (128,)
    epochs: Count = 8

    def cases(self) -> dict[str, Case]:
        """Ours, fully connected, and the published network at three batches.

        3.7e9 products of ResNet-152 at 32 x 32 over 58.2e6 weights: 64 (DERIVED).
        """
        ours = Case(f"ours, batch {self.batch_size}", 1.0, self.batch_size)
        deep = {b: Case(f"ResNet-152, batch {b}", 64.0, b) for b in (1, 16, 128)}
        return {"ours": ours} | {f"resnet152_{b}": case for b, case in deep.items()}


PRESETS = {
    "smoke": Config(**SMOKE, factors=(1.0, 8.0, 64.0), hidden=(16,), epochs=3),
    "large": Config(**LARGE, hidden=(512, 256), pool=1, epochs=50),
}


def sweeps(config: Config) -> dict[str, Sweep]:
    """EaPU at the write noise, and backpropagation at parts of it."""
    noises = [config.write_noise / factor for factor in config.factors]
    noisy = config.training(rule="noisy")
    return {
        "eapu": config.sweep(simulate, config.training(), dims=DIMS),
        "noisy": config.sweep(simulate, noisy, axes={"write_noise": noises}, dims=DIMS),
    }


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Accuracies, conductance factors, and energies from the counts."""
    noisy = taken(found["noisy"], final="noisy_accuracy")
    noisy = noisy.rename(write_noise="factor").assign_coords(factor=[*config.factors])
    noisy.factor.attrs = {"units": "1", "long_name": "conductances against EaPU's"}
    eapu = taken(found["eapu"], "update_ratio", final="eapu_accuracy")
    dataset = noisy.merge(eapu, join="exact", compat="equals")
    wanted = dataset.eapu_accuracy.median() - config.near / 100
    needed = _reached(dataset.noisy_accuracy, float(wanted))
    dataset["conductance_ratio"] = needed.assign_attrs(units="1")
    ratio = float(dataset.update_ratio.median())
    return dataset.merge(_energies(config, ratio)).assign_attrs(
        config.facts(), near=config.near, batch=config.batch_size
    )


def _reached(accuracy: xr.DataArray, wanted: float) -> xr.DataArray:
    """The factor at which the accuracy of each chip is as wanted; NaN: at none.

    Between two factors it is interpolated, on their logarithms.
    """
    logs = np.log(accuracy.factor.values)

    def one(curve: np.ndarray) -> float:
        best = np.maximum.accumulate(curve)  # more exact is not worse, but for chance
        if not best[-1] >= wanted:
            return np.nan
        return float(np.exp(np.interp(wanted, *_rising(best, logs))))

    return xr.apply_ufunc(
        one, accuracy, input_core_dims=[["factor"]], vectorize=True, keep_attrs=False
    )


def _rising(best: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A running maximum at the places where it was first reached."""
    values, first = np.unique(best, return_index=True)
    return values, logs[first]


def _energies(config: Config, ratio: float) -> xr.Dataset:
    """What constants make of the counts, with their bands."""
    on, cases = cost.machine(), config.cases()
    write = cost.energy(cost.Work(pulses=1), on)["writes"]
    shares, ratios = [], []
    for case in cases.values():
        work = cost.Work(macs=round(3 * case.batch * case.reuse))
        products = cost.energy(work, on)["products"]
        ends = zip(write, reversed(products), strict=True)
        shares.append([w / p for w, p in ends])
        r = ratio if case.reuse == 1 else PUBLISHED_RATIO
        ratios.append([float(cost.training_ratio(float(x), r)) for x in shares[-1]])
    parts = [_parts(on, case, config.batch_size, ratio) for case in RULES]
    known = cost.read_constants()
    card, share, mac = known["gpu_h100_mac"], known["array_share"], on.mac
    per_mac = [card.low / mac.high, card.value / mac.value, card.high / mac.low]
    shared = [share.low, share.value, share.high]
    return xr.Dataset(
        {
            "write_share": (("network", "end"), shares, {"units": "1"}),
            "training_ratio": (("network", "end"), ratios, {"units": "1"}),
            "part_energy": (("rule", "part", "end"), parts, {"units": "J"}),
            "gpu_ratio": ("end", per_mac, {"units": "1"}),
            "array_share": ("end", shared, {"units": "1"}),
        },
        {
            "network": list(cases),
            "title": ("network", [case.title for case in cases.values()]),
            "rule": list(RULES),
            "part": list(cost.energy(cost.Work(), on)),
            "end": ["low", "value", "high"],
        },
    )


def _parts(on: cost.Machine, rule: str, batch: int, ratio: float) -> list[list[float]]:
    """Joules of each part for one weight of a fully connected layer and one step."""
    written = ratio if rule == "eapu" else 1.0
    many = 1_000_000  # weights: counts are whole numbers
    work = cost.Work(
        pulses=round(written * many),
        macs=3 * batch * many,
        random_bits=32.0 * many * (rule == "eapu"),
        digital_bits=128.0 * many,  # two moments of Adam, read and written
    )
    return [[x / many for x in band] for band in cost.energy(work, on).values()]


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Published ratios of energy against bands of sourced constants."""

    def row(claim, found, published, rule=within, source="abstract"):
        judge = partial(rule, published)
        return judged(
            dataset, claim, source, found, judge, unit="times", published=published
        )

    def ends(name, **at):
        return tuple(float(x) for x in dataset[name].sel(**at))

    batches = {"resnet152_1": "batch 1", "resnet152_128": "batch 128"}
    wide = "the band is that of ASSUMED and sourced constants"
    training = [
        row(
            "training energy against backpropagation on memristors "
            f"(ours: ResNet-152, {words}, by the formula; {wide})",
            ends("training_ratio", network=name),
            PUBLISHED["training"],
            within_reach,
        )
        for name, words in batches.items()
    ]
    return [
        *training,
        not_attempted(
            "training energy against MADEM (nobody could say what it is)",
            "abstract", PUBLISHED["training_madem"], "times",
        ),
        row(
            "training energy against a GPU "
            "(ours: a product in the array against an H100 at its datasheet peak)",
            ends("gpu_ratio"),
            PUBLISHED["gpu"],
        ),
        _inference(dataset, row),
        not_attempted(
            "inference energy against MADEM (nobody could say what it is)",
            "abstract", PUBLISHED["inference_madem"], "times",
        ),
    ]  # fmt: skip


def _inference(dataset: xr.Dataset, row: Callable[..., Claim]) -> Claim:
    """The ratio of inference, if every chip was as accurate at some factor."""
    claim = "inference energy against backpropagation on memristors"
    if dataset.conductance_ratio.isnull().any():
        why = "(some chips of ours were at no factor accurate enough)"
        return not_attempted(
            f"{claim} {why}", "abstract", PUBLISHED["inference"], "times"
        )
    factors = spread(dataset.conductance_ratio, 0.05)
    ends = zip(dataset.array_share.values.tolist(), factors, strict=True)
    found = tuple(float(cost.inference_ratio(f, k)) for f, k in ends)
    ours = "(ours: tiny network, conductances for the same accuracy, array share of "
    return row(f"{claim} {ours}NeuRRAM)", found, PUBLISHED["inference"], within_reach)
