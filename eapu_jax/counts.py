"""How often cells were written: the figures of merit of a training run.

All of these read the state of `program`, wherever it sits in an optax state.
"""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from eapu_jax.checks import whole


def writes_per_cell(state: PyTree) -> PyTree:
    """Writes of every cell so far, a tree like the array leaves.

    Args:
        state: an optax state that holds that of `program`.

    Raises:
        ValueError: if not exactly one `program` is part of the chain.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, program
        >>> w = jnp.zeros((2, 2))
        >>> tx = program(Crossbar(), key=jax.random.key(0))
        >>> _, state = tx.update(jnp.array([[0.0, 0.1], [0.2, 0.3]]), tx.init(w), w)
        >>> writes_per_cell(state)
        Array([[0, 1],
               [1, 1]], dtype=int32)
        >>> update_ratio(state)
        Array(0.75, dtype=float32)
    """
    return _field(state, "writes")


def layer_update_ratio(state: PyTree) -> PyTree:
    """Fraction of the cells of each layer written at the last step ($R_{up}$)."""
    return _field(state, "update_ratio")


def update_ratio(state: PyTree) -> Float[Array, ""]:
    """Fraction of all cells written at the last step ($R_{up}$)."""
    ratios = jax.tree.leaves(layer_update_ratio(state))
    if not ratios:
        return jnp.zeros(())
    cells = [n.size for n in jax.tree.leaves(writes_per_cell(state))]
    weights = jnp.array(cells, jnp.float32) / max(sum(cells), 1)
    return jnp.sum(jnp.stack(ratios) * weights)


def lifetime_factor(writes: PyTree, steps: int) -> Float[Array, ""]:
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
    if not leaves:
        raise ValueError(f"writes must hold at least one array, got {writes!r}")
    total = sum(jnp.sum(n, dtype=jnp.float32) for n in leaves)
    return jnp.float32(steps) * sum(n.size for n in leaves) / total


def _field(state: PyTree, name: str) -> PyTree:
    found = [value for _, value in optax.tree.get_all_with_path(state, "ProgramState")]
    if len(found) != 1:
        raise ValueError(
            f"state must hold that of exactly one `program`, got {len(found)}: "
            "is it part of the chain?"
        )
    return getattr(found[0], name)
