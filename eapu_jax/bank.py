"""The arrays of a chip that share a device model, as one.

A device works element by element, so the cells of all its arrays lie in one buffer
(`eapu_jax.rows`), and a step is compiled once, not once per layer.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, UInt32

from eapu_jax.array import ArrayState, deploy_one
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Pulses
from eapu_jax.ledger import Ledger, one_more
from eapu_jax.rows import Arrays, Rows, add

_KINDS = ("up", "down", "reads", "foreign", "written")


class Bank(NamedTuple):
    """Arrays of one device model.

    Attributes:
        cells: the cells of all arrays, rows of 256.
        scale: weight per conductance (1/µS) of every array, by path.
        writes: writes of every cell, by path, shaped like the cells of its array.
        totals: up, down, reads, foreign, written of every array, in two words.
    """

    cells: Any
    scale: Arrays
    writes: dict[str, UInt32[Array, "*cells"]]
    totals: UInt32[Array, "arrays 5 2"]

    @property
    def rows(self) -> Rows:
        """Where the cells of which array lie."""
        return Rows.of(dict(sorted(self.writes.items())))


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
        scale={p: one.scale for p, one in arrays.items()},
        writes={p: one.ledger.writes for p, one in arrays.items()},
        totals=jnp.zeros((len(paths), len(_KINDS), 2), jnp.uint32),
    )


def arrays_of(bank: Bank) -> dict[str, ArrayState]:
    """Every array of a bank by itself, by path."""
    rows = bank.rows
    leaves, treedef = jax.tree.flatten(bank.cells)
    parts = [rows.unpack(leaf) for leaf in leaves]
    return {
        path: ArrayState(
            cells=jax.tree.unflatten(treedef, [part[path] for part in parts]),
            scale=bank.scale[path],
            ledger=Ledger(bank.writes[path], *bank.totals[number]),
        )
        for number, path in enumerate(rows.paths)
    }


def recorded(bank: Bank, pulses: Pulses, foreign: Array, weights: Rows) -> Bank:
    """The bank with what just happened in its ledger.

    Args:
        bank: with its new cells.
        pulses: of every cell, in rows.
        foreign: which weights were found changed, in rows of weights.
        weights: the rows of the weights.
    """
    rows, sent = bank.rows, pulses.sent
    if pulses.up.dtype == jnp.bool_:
        up, down, written = jnp.moveaxis(rows.tally(pulses.up, pulses.down, sent), 1, 0)
    else:
        up, down = rows.sums(pulses.up), rows.sums(pulses.down)
        written = rows.tally(sent)[:, 0]
    none, found = jnp.zeros_like(up), weights.tally(foreign)[:, 0]
    happened = jnp.stack([up, down, none, found, none], 1)
    totals = add(bank.totals, happened).at[:, -1].set(written)
    by_path = rows.unpack(sent)
    writes = {p: one_more(n, by_path[p]) for p, n in bank.writes.items()}
    return bank._replace(writes=writes, totals=totals)


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
    """

    crossbars: dict[str, Crossbar]
    cells: Rows
    weights: Rows
    flat: bool
    device: Any
    encoding: Any
    stuck_at: Any
    stuck: Any

    def read_out(self, bank: Bank) -> Array:
        """The weights that all cells stand for, in rows of weights."""
        g = self.device.conductance(bank.cells)
        if self.stuck_at is not None:
            g = jnp.where(self.stuck, jnp.asarray(self.stuck_at, g.dtype), g)
        if self.flat:
            return self.encoding.to_weights(g, self.cells.spread(bank.scale))
        by_path = self.cells.unpack(g)
        return self.weights.pack(
            {
                p: c.encoding.to_weights(by_path[p], bank.scale[p])
                for p, c in self.crossbars.items()
            }
        )

    def request(self, bank: Bank, dw: Array) -> Array:
        """The change of conductance asked of every cell, µS, in rows of cells."""
        g = self.device.conductance(bank.cells)
        if self.flat:
            return self.encoding.request(g, dw, self.cells.spread(bank.scale))
        stood, asked = self.cells.unpack(g), self.weights.unpack(dw)
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
        wanted = self.weights.unpack(w)
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
        by_path = self.cells.unpack(hit)
        return self.weights.pack(
            {p: c.encoding.touched(by_path[p]) for p, c in self.crossbars.items()},
            fill=False,
        )


def join(crossbars: dict[str, Crossbar], bank: Bank, leaves: Arrays) -> Joined:
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
    )
