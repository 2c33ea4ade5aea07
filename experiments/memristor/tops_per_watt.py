"""Operations per joule of inference through arrays, beside the published values.

Counts are those of the ledger: products in cells (two per weight), a conversion for
every row and every column of every array. Each costs a sourced constant; none is tuned
to meet a published value. What no list of components holds, such as word lines and
control, is not in it, so that silicon should do worse than this. A product with its
addition is two operations, whatever their bits.
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax import cost
from experiments.claims import Claim, both, judged, not_attempted, within, within_reach
from experiments.contract import Seeded, Sweep, base_of
from experiments.memristor import silicon
from experiments.memristor.technologies import ADC_BITS, TECHNOLOGIES, machine
from experiments.memristor.tops_per_watt_figure import PARTS
from experiments.memristor.tops_per_watt_figure import plot as plot
from experiments.validate import Ascending, Checked, Several, Width, bounds, one_of

REPRODUCES = "operations per joule of inference: published silicon, simulated, retold"
ENDS = ("low", "value", "high")
DIMS = {"parts": ("part", "end"), "full": ("end",), "network": ("end",)}
UNITS = {"parts": "pJ", "full": "TOPS/W", "network": "TOPS/W"}

AdcBits = Annotated[int, bounds(ADC_BITS[0], ADC_BITS[-1])]
Headroom = Annotated[int, bounds(1, 3)]


class Product(Checked):
    """What the energy of a product depends on.

    Attributes:
        technology: cells and converters, see `experiments.memristor.technologies`.
        adc_bits: of an output (structural).
        headroom: bits of an output beyond those of an input (structural).
        side: rows and columns of an array, in weights (structural).
        hidden: widths of the hidden layers of a network, from 784 inputs to 10 outputs.
    """

    technology: Annotated[str, one_of(*TECHNOLOGIES)] = "neurram"
    adc_bits: AdcBits = 8
    headroom: Headroom = silicon.HEADROOM
    side: Width = silicon.SIDE
    hidden: Several[Width] = (512, 256)


class Config(Seeded):
    """Count products of arrays, and what they cost by converters and size.

    Attributes:
        adc_bits: of an output, ascending.
        sides: rows and columns of an array, in weights, ascending.
        headroom: bits of an output beyond those of an input; NeuRRAM has 2.
        hidden: widths of the hidden layers of a network, from 784 inputs to 10 outputs.
    """

    adc_bits: Ascending[AdcBits] = tuple(ADC_BITS)
    sides: Ascending[Width] = (16, 32, 64, 128, 256, 512, 1024)
    headroom: Headroom = silicon.HEADROOM
    hidden: Several[Width] = (512, 256)


PRESETS = {
    "smoke": Config(adc_bits=(4, 8), sides=(32, 256), hidden=(16,)),
    "large": Config(sides=tuple(2**n for n in range(2, 13)), hidden=(4096, 4096)),
}


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Count and price the products of one vector, in full arrays and in a network.

    Returns:
        `parts`: pJ of a product with its addition in full arrays, by part; `full` and
        `network`: TOPS/W, lowest, value and highest.
    """
    del chip, keys
    side, widths = int(point.side), (784, *point.hidden, 10)
    bits = int(point.adc_bits)
    on = machine(point.technology, bits, bits - int(point.headroom))
    layers = {f"layer {n}": shape for n, shape in enumerate(pairwise(widths))}
    full = _parts({"layer": (side, side)}, side, on)
    network = _parts(layers, side, on)
    return {
        "parts": 1e12 * full,
        "full": _tops(full.sum(0)),
        "network": _tops(network.sum(0)),
    }


def _parts(
    shapes: Mapping[str, tuple[int, ...]], side: int, on: cost.Machine
) -> np.ndarray:
    """Joules of a product of weights with its addition, by part and end."""
    arrays = ej.Crossbar(
        encoding=ej.DifferentialPair(),
        periphery=ej.Periphery(tile=(side, side)),
    )
    work = cost.inference_work(arrays, shapes, vectors=1)
    macs = sum(rows * columns for rows, columns in shapes.values())
    parts = [
        cost.Work(macs=work.macs),
        cost.Work(dac=work.dac),
        cost.Work(adc=work.adc),
    ]
    return np.array([cost.total(cost.energy(one, on)) for one in parts]) / macs


def _tops(joules: np.ndarray) -> np.ndarray:
    """Of a product; the most energy is the fewest operations."""
    return np.array([float(cost.tops_per_watt(1, float(x))) for x in joules[::-1]])


def defaults(config: Config) -> Product:
    """What one product depends on."""
    return base_of(Product, config, adc_bits=8)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every technology, width of converters and size of arrays."""
    axes = {
        "technology": tuple(TECHNOLOGIES),
        "adc_bits": config.adc_bits,
        "side": config.sides,
    }
    sizes = {"parts": (len(PARTS), 3), "full": 3, "network": 3}
    outputs = {
        n: (float, s if isinstance(s, tuple) else (s,)) for n, s in sizes.items()
    }
    base = defaults(config)
    made = config.sweep(simulate, base, axes=axes, dims=DIMS, outputs=outputs)
    return {"products": made}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Energies by part, operations per joule, and what the array alone would do."""
    names = ["parts", "full", "network"]
    one = found["products"][names].isel(seed=0, chip=0, drop=True).load()
    dataset = one.assign_coords(part=list(PARTS), end=[*ENDS])
    alone = 2 / dataset.parts.sel(part="array").isel(side=0, drop=True)
    dataset["alone"] = alone.copy(data=alone.values[..., ::-1])
    dataset["share"] = 100 * _share(dataset.parts)
    dataset["measured"] = "adc_bits", _measured(config)
    units = dict.fromkeys(("full", "network", "alone", "measured"), "TOPS/W")
    for name, unit in (units | {"parts": "pJ", "share": "%"}).items():
        dataset[name].attrs["units"] = unit
    widths = "-".join(str(n) for n in (784, *config.hidden, 10))
    return dataset.assign_attrs(
        data="constants of eapu_jax.cost", network=widths, headroom=config.headroom
    )


def _measured(config: Config) -> list[float]:
    """TOPS/W of NeuRRAM by bits; NaN where it was not measured, or was otherwise."""
    alike = config.headroom == silicon.HEADROOM
    known = silicon.NEURRAM if alike else {}
    names = {b: f"mac_neurram_{b}_bit" for b in known}
    return [silicon.tops(names[b]) if b in names else np.nan for b in config.adc_bits]


def _share(parts: xr.DataArray) -> xr.DataArray:
    """Of the array in all energy: lowest where all else takes most."""
    array = parts.sel(part="array", drop=True)
    others = parts.drop_sel(part="array").sum("part")
    against = others.copy(data=others.values[..., ::-1])
    return array / (array + against)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Measured and retold numbers, against sums of components."""
    return [
        *_neurram(dataset),
        _card(dataset),
        *_arrays(dataset),
        not_attempted(
            "neuromorphic chips do 20 to 50 TOPS/W (none is simulated here)",
            "a retelling, not traceable", 35.0, "TOPS/W",
        ),
        not_attempted(
            "an RRAM macro of 28 nm does 35.6 TOPS/W, normalised (its bits: UNKNOWN)",
            "a text about it", silicon.tops("mac_macro_28_nm"), "TOPS/W",
        ),
    ]  # fmt: skip


def _neurram(dataset: xr.Dataset) -> list[Claim]:
    """The least and the most exact product that we can price, at its size."""
    known = dataset.adc_bits[dataset.measured.notnull().values].values.tolist()
    if not known or silicon.SIDE not in dataset.side:
        return []
    ours = dataset.sel(technology="neurram", side=silicon.SIDE)
    source, made = "NeuRRAM (Nature 608, 504, 2022)", []
    for bits in sorted({known[0], known[-1]}):
        at, row = ours.sel(adc_bits=bits), silicon.NEURRAM[bits]
        words = f"{bits} bits out, {bits - silicon.HEADROOM} in, 256 x 256"
        for name, value, unit, what in (
            ("full", float(at.measured), "TOPS/W", "operations per joule"),
            ("share", 100 * row.pulses / sum(row), "%", "share of cells in its energy"),
        ):
            made.append(
                judged(
                    dataset,
                    f"NeuRRAM, {words}: {what} (ours: components of its node)",
                    source, _ends(at[name]), partial(within_reach, value), unit=unit,
                    published=value,
                )
            )  # fmt: skip
    return made


def _card(dataset: xr.Dataset) -> Claim:
    """A card at its peak, from 16-bit numbers to 8-bit ones, half of them 0."""
    names = ("gpu_h100_mac", "gpu_h100_fp8_mac", "gpu_h100_fp8_sparse_mac")
    low, value, high = (silicon.tops(name) for name in names)
    return _retold(
        dataset, "H200", "an H200", (low, value, high),
        "(ours: data sheet, BF16, FP8, sparse FP8; both ends count)",
    )  # fmt: skip


def _arrays(dataset: xr.Dataset) -> list[Claim]:
    best = dataset.full.sel(technology="best", side=dataset.side[-1])
    at = best.sel(adc_bits=dataset.adc_bits[0])
    bits = int(dataset.adc_bits[0])
    words = (
        f"(ours: best converter, least cell, {bits} bits out, "
        f"{bits - dataset.attrs['headroom']} in, {int(dataset.side[-1])} rows; "
        "both ends count)"
    )
    return [_retold(dataset, "RRAM in memory", "RRAM in memory", _ends(at), words)]


def _retold(
    dataset: xr.Dataset,
    name: str,
    subject: str,
    found: tuple[float, float, float],
    words: str,
) -> Claim:
    low, high = silicon.RETOLD[name]

    def rule(least: float, most: float) -> str:
        return both(within_reach(low, least, most), within(high, least, most))

    return judged(
        dataset, f"{subject} does {low:g} to {high:g} TOPS/W {words}",
        "a retelling, not traceable", found, rule, unit="TOPS/W",
        published=(low + high) / 2,
    )  # fmt: skip


def _ends(found: xr.DataArray) -> tuple[float, float, float]:
    low, value, high = found.sel(end=[*ENDS]).values.tolist()
    return low, value, high
