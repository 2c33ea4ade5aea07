"""The arrays of one weight, and what a rule may do to them."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key

from eapu_jax import array
from eapu_jax.array import ArrayState
from eapu_jax.checks import traced
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Pulses
from eapu_jax.ledger import Ledger, count, one_more
from eapu_jax.rows import add
from eapu_jax.transforms.lines import Line, cut, put_line
from prng import unrolled
from prng.once import computed_once


class Several(NamedTuple):
    """Several arrays that stand for one weight, during one update.

    Every method gives back the whole as it then is, and draws from the next of its
    keys, so that the order of a rule's steps is the order of its draws.

    Attributes:
        crossbars: what every tile is made of.
        arrays: the tiles, by name.
        memory: the digital numbers of the rule, by name.
        threshold: of a digital buffer, weight units; None where the rule has none.
        keys: of the draws of this update.
        step: number of the update.
        drawn: keys used so far.
        value: loss of the step, as optax hands it on; None where nobody told.
    """

    crossbars: dict[str, Crossbar]
    arrays: dict[str, ArrayState]
    memory: dict[str, Array]
    threshold: Any
    keys: Key[Array, " draws"]
    step: Int[Array, ""]
    drawn: int = 0
    value: Any = None

    def key(self) -> tuple[Key[Array, ""], "Several"]:
        """The next key."""
        if self.drawn == self.keys.shape[0]:
            raise IndexError(f"a rule drew more than its {self.drawn} keys")
        return self.keys[self.drawn], self._replace(drawn=self.drawn + 1)

    def weights(self, tile: str) -> Float[Array, "*weights"]:
        """What a tile stands for now, without read noise."""
        return array.weights(self.crossbars[tile], self.arrays[tile])

    def read(
        self, tile: str, line: Line, *, all_lines: bool = False
    ) -> tuple[Float[Array, "*line"], "Several"]:
        """Read a line of a tile, or all of it, with its noise; counted where due."""
        key, one = self.key()
        held = self.arrays[tile]
        crossbar, part = self.crossbars[tile], held
        if not all_lines:
            crossbar, part = cut((crossbar, held), line)
        seen, _ = array.read(key, crossbar, part)
        seen = computed_once(seen, self.step)
        once = jnp.stack([jnp.uint32(0), line.due.astype(jnp.uint32)])
        ledger = held.ledger._replace(reads=add(held.ledger.reads, once))
        return seen, one._with(tile, held._replace(ledger=ledger))

    def write(self, tile: str, dw: jax.Array, line: Line | None = None) -> "Several":
        """Ask a tile, or one line of it where due, to change by `dw`."""
        key, one = self.key()
        crossbar, held = self.crossbars[tile], self.arrays[tile]
        if line is None:
            new, _ = pulsed(key, crossbar, held, dw)
            return one._with(tile, computed_once(new, self.step))
        crossbar, part = cut((crossbar, held), line)
        new, _ = pulsed(key, crossbar, part, jnp.where(line.due, dw, 0))
        new = computed_once(new, self.step)
        return one._with(tile, put_line(held, new, line))

    def advance(self, dt: Any) -> "Several":
        """Let `dt` (s) pass for the tiles that move by themselves."""
        one = self
        for tile, crossbar in self.crossbars.items():
            if crossbar.device.volatile:
                key, one = one.key()
                one = one._with(
                    tile, array.advance(key, crossbar, one.arrays[tile], dt)
                )
        return one

    def recall(self, name: str, line: Line) -> jax.Array:
        """A line of the digital memory."""
        return cut(self.memory[name], line)

    def remember(self, name: str, new: jax.Array, line: Line) -> "Several":
        """Put a line of the digital memory where due."""
        held = self.memory[name]
        new = jnp.where(line.due, new, cut(held, line))
        return self._replace(memory=self.memory | {name: put_line(held, new, line)})

    def _with(self, tile: str, state: ArrayState) -> "Several":
        return self._replace(arrays=self.arrays | {tile: state})


def pulsed(
    key: Key[Array, ""],
    crossbar: Crossbar,
    state: ArrayState,
    dw: jax.Array,
    *,
    nearest: bool = False,
) -> tuple[ArrayState, Pulses]:
    """Ask an array to change by `dw`, in whole pulses that are right in the mean.

    A device of identical pulses answers the nearest number of them, which forgets
    for ever what is always below half a pulse. Here a request of 0.3 pulses is one
    pulse in three cases of ten, as a train of random coincidences makes it in the
    mean (such trains are STATED for these rules; that each cell draws for itself is
    INFERRED). The mean is exact where both directions have the same nominal step.

    Args:
        key: typed key.
        crossbar: what the array is made of.
        state: the array.
        dw: the change, weight units.
        nearest: leave it to the device, as `program` does.
    """
    key_round, key_write = jr.split(key)
    dg = array.request(crossbar, state, dw)
    dg = dg if nearest else whole_pulses(key_round, crossbar.device, dg)
    cells, pulses = crossbar.device.write(unrolled(key_write), state.cells, dg)
    return ArrayState(cells, state.scale, _recorded(state.ledger, pulses)), pulses


def whole_pulses(key: Key[Array, ""], device: Any, dg: jax.Array) -> jax.Array:
    """Requests (µS) rounded up or down to whole pulses at random, the mean kept.

    Unchanged for a device that answers every request.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import SoftBounds
        >>> asked = jnp.full(10_000, 0.6)  # a pulse is 0.5
        >>> sent = whole_pulses(jax.random.key(0), SoftBounds(), asked)
        >>> sorted(set(sent.tolist())), f"{float(sent.mean()):.2f}"
        ([0.5, 1.0], '0.60')
    """
    with jax.ensure_compile_time_eval():  # known constants stay known under jit
        pulse = 2 * device.smallest_request()
    known = not traced(pulse)
    if known and not np.any(np.asarray(pulse)):
        return dg
    all_pulsed = known and np.all(np.asarray(pulse))
    size = pulse if all_pulsed else jnp.where(pulse > 0, pulse, 1)
    draw = jr.uniform(unrolled(key), dg.shape, dg.dtype)
    whole = jnp.sign(dg) * jnp.floor(jnp.abs(dg) / size + draw) * size
    whole = whole.astype(dg.dtype)
    return whole if all_pulsed else jnp.where(pulse > 0, whole, dg)


def at_rest(state: ArrayState) -> ArrayState:
    """The array at the start of an update: nothing written at it yet."""
    none = jnp.zeros(2, jnp.uint32)
    return state._replace(ledger=state.ledger._replace(written=none))


def _recorded(ledger: Ledger, pulses: Pulses) -> Ledger:
    """Add the pulses of one of the writes of an update."""
    return ledger._replace(
        writes=one_more(ledger.writes, pulses.sent),
        up=add(ledger.up, count(pulses.up)),
        down=add(ledger.down, count(pulses.down)),
        written=add(ledger.written, count(pulses.sent)),
    )
