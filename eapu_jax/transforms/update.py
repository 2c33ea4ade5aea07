"""One update of the arrays of a bank."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Key

from eapu_jax.bank import Bank, Joined
from eapu_jax.devices.base import Scalar
from eapu_jax.ledger import one_more
from eapu_jax.rows import Arrays, add, row_largest, row_sums
from eapu_jax.transforms import few
from eapu_jax.transforms.few import Outcome
from eapu_jax.transforms.foreign import difference, emitted, reaches, set_cells
from eapu_jax.transforms.requests import Plain, Request, requested
from eapu_jax.transforms.tally import totals, words
from prng import marks
from prng.chance import CROWD
from prng.derive import folded, halves
from prng.once import computed_once, derived_as, where_wanted


class Update(NamedTuple):
    """Time passes, requests are written.

    Attributes:
        key: of this update; other draws than those of `eapu`, given its key too.
        chip: the crossbars.
        step_time: time that passes before the write, s.
    """

    key: Key[Array, ""]
    chip: Joined
    step_time: Scalar

    def __call__(
        self, bank: Bank, asked: Arrays, held: Arrays, *, setting: bool
    ) -> tuple[Bank, Arrays]:
        """The bank after the update, and how the weights move.

        Args:
            bank: the arrays.
            asked: updates, by path.
            held: weights as they were handed in, by path.
            setting: whether cells are put where weights were changed from outside.
        """
        rows, dtype = self.chip.weights, bank.largest.dtype
        request = requested(asked, rows, dtype, self.chip.step)
        held = {p: held[p].astype(dtype) for p in rows.paths}
        reach = reaches(bank, asked, held)
        keys = folded(self.key, 2, self.chip.step), *halves(self.key, self.chip.step)
        given = keys, bank, request, held, reach
        if few.pays(keys[-1], self.chip, bank) and not setting:
            way = Update._few_or_all if request.rare else Update._all_unpacked
            bank, moved = derived_as(Update._all, way, self, *given)
        else:
            bank, moved = self._all(*given, setting)
        return bank, {p: x.astype(asked[p].dtype) for p, x in moved.items()}

    def _few_or_all(
        self, keys, bank: Bank, request: Request, held: Arrays, reach: Array
    ) -> tuple[Bank, Arrays]:
        """Write the cells that are asked by themselves, or all if they are many."""
        key = keys[-1]
        possible = request.waiting()
        nothing = marks.zero(key, possible)
        many = (marks.count(possible) > possible.size * 32 // CROWD) | (nothing != 0)
        many |= few.any_foreign(self.chip, bank, held, reach)
        start = few.untouched(key, self.chip, bank, nothing)
        wait = jnp.where(many, 0, possible)
        out = few.write_few(key, self.chip, bank, request, wait, start)

        def everywhere(carry):
            current = bank._replace(cells=carry[0].cells, writes=carry[0].writes)
            before, w = self.chip.read_out(current), self.chip.weights.pack(held)
            gap = difference(w, before, self.chip.weights.along(reach))
            dw = request.all(possible) + gap
            out = self._write_all(key, current, dw, before, gap != 0)
            return out, self._count(gap)

        none = jnp.zeros((len(held), 2), jnp.uint32) + nothing
        out, found = where_wanted(many, everywhere, (out, none))
        return self._followed(bank, out, found, held)

    def _all_unpacked(
        self, keys, bank: Bank, request: Plain, held: Arrays, reach: Array
    ) -> tuple[Bank, Arrays]:
        """Write every cell; weights are packed only if some were changed outside."""
        rows, before = self.chip.weights, self.chip.read_out(bank)
        changed = few.any_foreign(self.chip, bank, held, reach)
        nothing = changed & ~changed

        def foreign(carry):
            gap = difference(rows.pack(held), before, rows.along(reach))
            return carry[0] + gap, gap != 0, self._count(gap)

        none = jnp.zeros((len(held), 2), jnp.uint32) + nothing.astype(jnp.uint32)
        start = request.update, jnp.zeros(before.shape, bool) | nothing, none
        dw, differs, found = where_wanted(changed, foreign, start)
        out = self._write_all(keys[-1], bank, dw, before, differs)
        return self._followed(bank, out, found, held)

    def _followed(
        self, bank: Bank, out: Outcome, foreign: Array, held: Arrays
    ) -> tuple[Bank, Arrays]:
        """The bank with what happened, and how weights follow that never drift."""
        bank = self._recorded(bank, out, foreign)
        after, moved = (
            self.chip.weights_at(bank),
            self.chip.weights.unpack(out.moved, self.chip.step),
        )
        return bank, {p: jnp.where(moved[p], after[p] - held[p], 0) for p in held}

    def _all(
        self,
        keys,
        bank: Bank,
        request: Request,
        held: Arrays,
        reach: Array,
        setting=False,
    ) -> tuple[Bank, Arrays]:
        """Write every cell."""
        key_set, key_time, key_write = keys
        rows, before = self.chip.weights, self.chip.read_out(bank)
        w = computed_once(rows.pack(held), self.chip.step)
        gap = difference(w, before, rows.along(reach))
        if setting:
            bank = set_cells(key_set, self.chip, bank, w, gap)
        if self.chip.device.volatile:
            aged = self.chip.device.advance(key_time, bank.cells, self.step_time)
            bank = bank._replace(cells=aged)
        waiting = computed_once(request.waiting(), self.chip.step)
        asked = computed_once(request.all(waiting), self.chip.step)
        dw = asked if setting else asked + gap
        out = self._write_all(key_write, bank, dw, before, gap != 0)
        bank = self._recorded(bank, out, self._count(gap))
        move = emitted(w, before, gap, self.chip.read_out(bank), out.moved | setting)
        return bank, rows.unpack(computed_once(move, self.chip.step), self.chip.step)

    def _write_all(self, key, bank: Bank, dw, before, differs) -> Outcome:
        """Write every cell; weights that differ follow where a pulse was sent."""
        dg = computed_once(self.chip.request(bank, dw), self.chip.step)
        written = self.chip.device.write(key, bank.cells, dg)
        cells, pulses = computed_once(written, self.chip.step)
        after = self.chip.read_out(bank._replace(cells=cells))
        settled = self.chip.touched(pulses.sent)
        return Outcome(
            cells,
            one_more(bank.writes, pulses.sent),
            tuple(row_sums(word) for word in words(pulses)),
            jnp.where(differs, settled, after != before),
            row_largest(after),
        )

    def _count(self, gap) -> Array:
        """How many weights of every array were found changed."""
        return self.chip.weights.sums(gap != 0)

    def _recorded(self, bank: Bank, out: Outcome, foreign: Array) -> Bank:
        """The bank with what just happened."""
        up, down, written = jnp.moveaxis(totals(bank.rows, out.pulses), 1, 0)
        happened = jnp.stack([up, down, jnp.zeros_like(up), foreign, written], 1)
        # written: at the last update alone
        since = jnp.asarray(bank.totals).at[:, -1].set(0)
        return bank._replace(
            cells=out.cells,
            writes=out.writes,
            totals=add(since, happened),
            largest=jnp.maximum(bank.largest, self.chip.weights.most(out.largest)),
        )
