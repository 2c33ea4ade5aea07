"""Writing the few cells that are asked, without a pass over all the others.

EaPU asks one cell in a hundred or fewer. Those that may be asked are marked, and every
turn of a loop serves the next of them, as many as it has room for: takes their state
out, writes it by the very code that writes whole arrays, mapped over cells, and puts it
back. A cell draws what it would have drawn among all (`prng.elements`), so that the way
changes no number.
"""

from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Key, UInt32

from eapu_jax.bank import Bank, Joined
from eapu_jax.ledger import one_more
from eapu_jax.rows import TOGETHER, WIDTH, Arrays, Rows, eighths, whole_rows
from eapu_jax.transforms.requests import Request, taken
from eapu_jax.transforms.tally import Words, words
from prng import counts_its_draws, marks
from prng.chance import few_at_once, loop_pays
from prng.elements import element_keys
from prng.once import any_of, computed_once


class Outcome(NamedTuple):
    """What an update made of the cells of a bank.

    Attributes:
        cells: as they now are.
        writes: of every cell so far.
        pulses: of every row, see `tally`.
        moved: which weights follow their cells.
        largest: of the weights written in a row, abs.
    """

    cells: Any
    writes: UInt32[Array, "rows width"]
    pulses: Words
    moved: Bool[Array, "rows width"]
    largest: Float[Array, " rows"]


def pays(key: Key[Array, ""], chip: Joined, bank: Bank) -> bool:
    """Whether a few cells can be written alone, and that is worth a loop.

    Not outside `jit`, nor under a bare `vmap`: every call would compile a loop anew.
    """
    g = jax.eval_shape(chip.device.conductance, bank.cells)
    alone = chip.flat and not chip.device.volatile
    counted = counts_its_draws(key) and g.dtype == jnp.float32
    within_jit = compiled(jax.tree.leaves(bank.cells)[0])
    return alone and counted and within_jit and loop_pays(g.size)


def compiled(x: Any) -> bool:
    """Whether this is computed within `jit`, whatever maps or differentiates it."""
    while isinstance(x, Tracer):
        if hasattr(x, "batch_dim"):  # within vmap
            x = x.val
        elif hasattr(x, "primal"):  # within a derivative
            x = x.primal
        else:
            return True
    return False


def untouched(key: Key[Array, ""], chip: Joined, bank: Bank, nothing) -> Outcome:
    """What no update makes of the cells; `nothing` as in `prng.marks.zero`."""
    shape = (bank.rows.height, WIDTH)
    dg = jax.ShapeDtypeStruct(shape, jnp.float32)
    pulses = jax.eval_shape(
        lambda *x: words(chip.device.write(*x)[1]), key, bank.cells, dg
    )
    row = shape[:1]

    def none(shape, dtype):
        return jnp.zeros(shape, dtype) + nothing.astype(dtype)

    return Outcome(
        jax.tree.map(lambda x: x + nothing.astype(x.dtype), bank.cells),
        bank.writes + nothing,
        tuple(none(row, word.dtype) for word in pulses),
        none(shape, bool),
        none(row, jnp.float32),
    )


def write_few(
    key: Key[Array, ""],
    chip: Joined,
    bank: Bank,
    asked: Request,
    wait: marks.Marks,
    start: Outcome,
) -> Outcome:
    """Write the cells that are marked.

    Args:
        key: of the writes.
        chip: the crossbars.
        bank: the arrays.
        asked: what is asked of them.
        wait: marks on those that it may be asked of.
        start: what to begin from.
    """
    scale = bank.rows.spread(bank.scale)
    ranks = marks.ranked(wait)
    batch = few_at_once(bank.writes.size)

    def turn(carry):
        served, out = carry
        cell = computed_once(ranks.elements(served, batch), chip.step)
        return served + batch, _served(key, chip, scale, asked, cell, out)

    some_wait = lambda carry: any_of(carry[0] < ranks.total)  # noqa: E731
    return jax.lax.while_loop(some_wait, turn, (ranks.total * 0, start))[1]


def _served(
    key, chip: Joined, scale: Any, asked: Request, cell, out: Outcome
) -> Outcome:
    """A few cells written; what is past the end is dropped."""
    few = lambda tree: jax.tree.map(lambda x: taken(x, cell), tree)  # noqa: E731
    device, encoding, scale = few(chip.device), few(chip.encoding), few(scale)

    def weight(cells):
        g = device.conductance(cells)
        if chip.stuck_at is not None:
            g = jnp.where(few(chip.stuck), jnp.asarray(few(chip.stuck_at), g.dtype), g)
        return encoding.to_weights(g, scale)

    cells = few(out.cells)
    dg = encoding.request(device.conductance(cells), asked.of(cell), scale)
    cells, dg = computed_once((cells, dg), chip.step)
    mapped = jax.tree.map(lambda x: 0 if jnp.ndim(x) else None, device)
    keys = element_keys(key, cell.astype(jnp.uint32))
    write = jax.vmap(lambda d, k, c, x: d.write(k, c, x), in_axes=(mapped, 0, 0, 0))
    new, pulses = write(device, keys, cells, dg)
    new, pulses = computed_once((new, pulses), chip.step)
    before, after = weight(cells), weight(new)
    reach = jnp.where(jnp.isfinite(after), jnp.abs(after), 0)
    place = lambda whole, part: _placed(whole, cell, part)  # noqa: E731
    row, counted = cell // WIDTH, zip(out.pulses, words(pulses), strict=True)
    return Outcome(
        jax.tree.map(place, out.cells, new),
        place(out.writes, one_more(taken(out.writes, cell), pulses.sent)),
        tuple(n.at[row].add(word, mode="drop") for n, word in counted),
        place(out.moved, after != before),
        out.largest.at[row].max(reach, mode="drop"),
    )


def _placed(whole, cell, part):
    flat = whole.ravel().at[cell].set(part, mode="drop", unique_indices=True)
    return flat.reshape(whole.shape)


def any_foreign(
    chip: Joined, bank: Bank, held: Arrays, reach: Float[Array, " arrays"]
) -> Bool[Array, ""]:
    """Whether any weight differs from its array by more than its reach."""
    found = []
    for w, stood, most in _side_by_side(chip.weights, held, chip.read_out(bank), reach):
        found.append(~(reduce(jnp.maximum, eighths(jnp.abs(w - stood))) <= most))
    return jnp.stack([x.any() for x in found]).any()


def _side_by_side(rows: Rows, held: Arrays, stood: Array, reach: Array):
    """Weights, what their arrays stand for, and the reach: in rows.

    Of few arrays one by one, which saves the pass that packs them; of many all at once,
    which compiles sooner.
    """
    if len(held) > TOGETHER:
        return [(rows.pack(held), stood, rows.along(reach))]
    parts = rows.each(stood)
    numbered = enumerate(rows.paths)
    return [(whole_rows(held[p]), parts[p], reach[n]) for n, p in numbered]
