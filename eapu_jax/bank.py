"""The arrays of a chip that share a device model, as one.

A device works element by element, so the cells of all its arrays lie in one buffer
(`eapu_jax.rows`), and a step is compiled once, not once per layer.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, UInt32

from eapu_jax.array import ArrayState, deploy_one, weights
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.ledger import Ledger
from eapu_jax.rows import WIDTH, Arrays, Rows

_KINDS = ("up", "down", "reads", "foreign", "written")


class Bank(NamedTuple):
    """Arrays of one device model.

    Attributes:
        cells: the cells of all arrays, rows of 256.
        scales: weight per conductance (1/µS) of every array, by a label that
            names the shape of its cells and its path, "784x256 dense/kernel": what
            a state is must be in it, and labels are no numbers.
        writes: writes of every cell, rows of 256.
        totals: up, down, reads, foreign, written of every array, in two words.
        largest: the largest weight, abs, that every array has stood for so far.
    """

    cells: Any
    scales: dict[str, Scalar]
    writes: UInt32[Array, "rows width"]
    totals: UInt32[Array, "arrays 5 2"]
    largest: Float[Array, " arrays"]

    @property
    def rows(self) -> Rows:
        """Where the cells of which array lie."""
        return Rows(tuple(sorted(_named(label) for label in self.scales)))

    @property
    def scale(self) -> Arrays:
        """The scale of every array, by path."""
        return {_named(label)[0]: scale for label, scale in self.scales.items()}


def _label(path: str, cells: tuple[int, ...]) -> str:
    return f"{'x'.join(map(str, cells))} {path}"


def _named(label: str) -> tuple[str, tuple[int, ...]]:
    cells, _, path = label.partition(" ")
    return path, tuple(int(n) for n in cells.split("x"))


def alike(crossbars: dict[str, Crossbar], leaves: Arrays) -> dict[str, list[str]]:
    """Paths grouped by device model, encoding and precision: a bank each."""
    groups: dict[Any, list[str]] = {}
    for path, crossbar in sorted(crossbars.items()):
        kind = jax.tree.structure((crossbar.device, crossbar.encoding))
        single = leaves[path].dtype != jnp.float64
        stuck = crossbar.stuck_at is not None
        groups.setdefault((kind, single, stuck), []).append(path)
    return {f"{n}": paths for n, paths in enumerate(groups.values())}


def deploy_bank(
    keys: dict[str, Key[Array, ""]], crossbars: dict[str, Crossbar], leaves: Arrays
) -> Bank:
    """Fresh arrays that stand for these weights."""
    arrays = {p: deploy_one(keys[p], crossbars[p], w) for p, w in leaves.items()}
    rows = Rows.of({p: one.ledger.writes for p, one in arrays.items()})
    paths = rows.paths
    pack = lambda *parts: rows.pack(dict(zip(paths, parts, strict=True)))  # noqa: E731
    return Bank(
        cells=jax.tree.map(pack, *(arrays[p].cells for p in paths)),
        scales={_label(p, shape): arrays[p].scale for p, shape in rows.shapes},
        writes=jnp.zeros((rows.height, WIDTH), jnp.uint32),
        totals=jnp.zeros((len(paths), len(_KINDS), 2), jnp.uint32),
        largest=jnp.stack([_largest(crossbars[p], one) for p, one in arrays.items()]),
    )


def _largest(crossbar: Crossbar, state: ArrayState) -> Float[Array, ""]:
    return jnp.max(jnp.abs(weights(crossbar, state)), initial=0)


def arrays_of(bank: Bank) -> dict[str, ArrayState]:
    """Every array of a bank by itself, by path."""
    rows = bank.rows
    leaves, treedef = jax.tree.flatten(bank.cells)
    parts, writes = [rows.unpack(leaf) for leaf in leaves], rows.unpack(bank.writes)
    return {
        path: ArrayState(
            cells=jax.tree.unflatten(treedef, [part[path] for part in parts]),
            scale=bank.scale[path],
            ledger=Ledger(writes[path], *bank.totals[number]),
        )
        for number, path in enumerate(rows.paths)
    }


class Joined(NamedTuple):
    """The crossbars of a bank as one whose constants are given row by row.

    Attributes:
        crossbars: by path.
        cells: rows of the cells.
        weights: rows of the weights.
        flat: whether encoding and scales work element by element, so that rows of
            weights are rows of cells.
        device: the device of all cells.
        encoding: the encoding of all cells; only where `flat`.
        stuck_at: where stuck cells are held, µS; None where no cell is stuck.
        stuck: which cells are stuck.
        step: number of the update.
    """

    crossbars: dict[str, Crossbar]
    cells: Rows
    weights: Rows
    flat: bool
    device: Any
    encoding: Any
    stuck_at: Any
    stuck: Any
    step: Int[Array, ""]

    def read_out(self, bank: Bank) -> Array:
        """The weights that all cells stand for, in rows of weights."""
        if self.flat:
            g = self._held(self.device.conductance(bank.cells))
            return self.encoding.to_weights(g, self.cells.spread(bank.scale))
        return self.weights.pack(self.weights_at(bank))

    def weights_at(self, bank: Bank) -> Arrays:
        """The weights that all cells stand for, by path."""
        g = self.cells.unpack(
            self._held(self.device.conductance(bank.cells)), self.step
        )
        return {
            p: c.encoding.to_weights(g[p], bank.scale[p])
            for p, c in self.crossbars.items()
        }

    def _held(self, g: Array) -> Array:
        if self.stuck_at is None:
            return g
        return jnp.where(self.stuck, jnp.asarray(self.stuck_at, g.dtype), g)

    def request(self, bank: Bank, dw: Array) -> Array:
        """The change of conductance asked of every cell, µS, in rows of cells."""
        g = self.device.conductance(bank.cells)
        if self.flat:
            return self.encoding.request(g, dw, self.cells.spread(bank.scale))
        stood = self.cells.unpack(g, self.step)
        asked = self.weights.unpack(dw, self.step)
        return self.cells.pack(
            {
                p: c.encoding.request(stood[p], asked[p], bank.scale[p])
                for p, c in self.crossbars.items()
            }
        )

    def to_cells(self, bank: Bank, w: Array) -> Array:
        """Conductances that stand for weights, µS, in rows of cells."""
        if self.flat:
            return self.encoding.to_cells(w, self.cells.spread(bank.scale))
        wanted = self.weights.unpack(w, self.step)
        return self.cells.pack(
            {
                p: c.encoding.to_cells(wanted[p], bank.scale[p])
                for p, c in self.crossbars.items()
            }
        )

    def touched(self, hit: Array) -> Array:
        """Which weights have a cell among these, in rows of weights."""
        if self.flat:
            return hit
        by_path = self.cells.unpack(hit, self.step)
        return self.weights.pack(
            {p: c.encoding.touched(by_path[p]) for p, c in self.crossbars.items()},
            fill=False,
        )


def join(
    crossbars: dict[str, Crossbar], bank: Bank, leaves: Arrays, step: Int[Array, ""]
) -> Joined:
    """The crossbars of these paths as one."""
    cells, weights = bank.rows, Rows.of({p: leaves[p] for p in bank.rows.paths})
    crossbars = {p: crossbars[p] for p in cells.paths}
    scalar = all(jnp.ndim(bank.scale[p]) == 0 for p in crossbars)
    flat = scalar and next(iter(crossbars.values())).encoding.elementwise

    def spread(*values):
        return cells.spread(dict(zip(crossbars, values, strict=True)))

    stuck = [c.stuck_at for c in crossbars.values()]
    for crossbar, (_, shape) in zip(crossbars.values(), cells.shapes, strict=True):
        crossbar.check_stuck(shape)
    return Joined(
        crossbars=crossbars,
        cells=cells,
        weights=weights,
        flat=flat,
        device=jax.tree.map(spread, *(c.device for c in crossbars.values())),
        encoding=jax.tree.map(spread, *(c.encoding for c in crossbars.values()))
        if flat
        else None,
        stuck_at=None if stuck[0] is None else spread(*stuck),
        stuck=spread(*(c.are_stuck for c in crossbars.values())),
        step=step,
    )
