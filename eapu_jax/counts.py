"""How often cells were written: the figures of merit of a training run.

All of these read the arrays in the state of `program`, or of a rule with several arrays
per weight, wherever in an optax state it sits, and of all of them together where there
are several.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from eapu_jax import ledger as ledgers
from eapu_jax.array import ArrayState
from eapu_jax.bank import arrays_of
from eapu_jax.checks import number, numbers, whole


def view(state: PyTree) -> dict[str, ArrayState]:
    """Every array of an optax state, by path; `path@tile` where a weight has several.

    Args:
        state: an optax state that holds that of at least one `program`, or of a rule
            with several arrays per weight.

    Raises:
        ValueError: if no such link is part of the chain, or two hold the same path.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, tiki_taka
        >>> tx = tiki_taka(Crossbar(), Crossbar(), key=jax.random.key(0))
        >>> sorted(view(tx.init({"kernel": jnp.zeros((2, 2))})))
        ['kernel@fast', 'kernel@slow']
    """
    programs, several = _found(state, "ProgramState"), _found(state, "TilesState")
    if not programs and not several:
        raise ValueError(
            "state must hold that of a `program`, put last in the chain: `eapu` alone "
            "writes no array"
        )
    banks = [bank for held in programs for bank in held.banks.values()]
    pairs = [pair for bank in banks for pair in arrays_of(bank).items()]
    pairs += [
        (f"{path}@{tile}", array)
        for held in several
        for tile, arrays in held.tiles.items()
        for path, array in arrays.items()
    ]
    every: dict[str, ArrayState] = {}
    for path, array in pairs:
        if path in every:
            raise ValueError(f"two `program`s of the state hold an array at {path!r}")
        every[path] = array
    return every


def _found(state: PyTree, name: str) -> list[Any]:
    """The states of this name, wherever they sit."""
    return [held for _, held in optax.tree.get_all_with_path(state, name)]


def writes_per_cell(state: PyTree) -> dict[str, jax.Array]:
    """Writes of every cell since deployment, by path; shaped like the cells.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, program
        >>> w = {"kernel": jnp.zeros((2, 2))}
        >>> tx = program(Crossbar(), key=jax.random.key(0))
        >>> updates = {"kernel": jnp.array([[0.0, 0.1], [0.2, 0.3]])}
        >>> _, state = tx.update(updates, tx.init(w), w)
        >>> writes_per_cell(state)["kernel"]
        Array([[0, 1],
               [1, 1]], dtype=uint32)
        >>> update_ratio(state)
        Array(0.75, dtype=float32)
    """
    return {path: array.ledger.writes for path, array in view(state).items()}


def layer_update_ratio(state: PyTree) -> dict[str, Float[Array, ""]]:
    """Fraction of the cells of each layer written at the last step ($R_{up}$)."""
    return {
        path: ledgers.ratio(array.ledger.written, array.ledger.writes.size)
        for path, array in view(state).items()
    }


def update_ratio(state: PyTree) -> Float[Array, ""]:
    """Fraction of all cells written at the last step ($R_{up}$); 0 without cells."""
    return _over_all_cells(state, "written")


def pulses_per_cell(state: PyTree) -> Float[Array, ""]:
    """Pulses of either sign since deployment, mean over all cells."""
    return _over_all_cells(state, "up") + _over_all_cells(state, "down")


def totals(state: PyTree) -> dict[str, int]:
    """Exact counts over all arrays: up, down, reads, foreign, written. Not traced.

    `written` is of the last update alone, all else since deployment.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, program
        >>> w = jnp.zeros((2, 2))
        >>> tx = program(Crossbar(), key=jax.random.key(0))
        >>> _, state = tx.update(jnp.array([[0.0, 0.1], [-0.2, 0.3]]), tx.init(w), w)
        >>> totals(state)
        {'up': 2, 'down': 1, 'reads': 0, 'foreign': 0, 'written': 3}
    """
    held = [array.ledger for array in view(state).values()]
    names = ("up", "down", "reads", "foreign", "written")
    return {n: sum(ledgers.value(getattr(one, n)) for one in held) for n in names}


def lifetime_factor(writes: Any, steps: int) -> Float[Array, ""]:
    r"""How much longer the array lives than if every step wrote every cell.

    $T / \bar n$, with $\bar n$ the mean number of writes per cell after $T$ steps.
    INFERRED accounting; it matches the published factor of about 1000.

    Args:
        writes: writes per cell, a tree (`writes_per_cell`).
        steps: training steps $T$.

    Example:
        >>> import jax.numpy as jnp
        >>> lifetime_factor(jnp.array([[1, 3], [0, 0]]), 100)
        Array(100., dtype=float32)
    """
    whole("steps", steps, at_least=0)
    leaves = jax.tree.leaves(writes)
    for leaf in leaves:
        numbers("writes", leaf, dtype=jnp.integer)
        if leaf.size:
            number("fewest writes of a cell", jnp.min(leaf), at_least=0)
    cells = sum(n.size for n in leaves)
    if not cells:
        raise ValueError(f"writes must hold at least one cell, got {writes!r}")
    return jnp.float32(steps) / sum(_mean_part(n, cells) for n in leaves)


def _mean_part(n: jax.Array, cells: int) -> Float[Array, ""]:
    """The sum of counts up to 2**32, over a number of cells."""
    low, high = (ledgers.count(part) for part in (n & 0xFFFF, n >> 16))
    return ledgers.ratio(low, cells) + 2.0**16 * ledgers.ratio(high, cells)


def _over_all_cells(state: PyTree, name: str) -> Float[Array, ""]:
    held = [array.ledger for array in view(state).values()]
    cells = sum(one.writes.size for one in held)
    parts = [ledgers.ratio(getattr(one, name), cells) for one in held]
    return sum(parts, jnp.zeros((), jnp.float32))
