"""Which leaves of a model live on an array, and which stay digital."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

Place = Callable[[str, tuple[int, ...]], str]
"""`place(path, shape)` says "array", or "digital: why"."""

_DIGITAL = {
    "bias": "added after the product",
    "scale": "a factor per channel, not a matrix",
    "embedding": "a table that is looked up, not multiplied",
}


def place(path: str, shape: tuple[int, ...]) -> str:
    """Matrices of products live on the array; all else is digital.

    Weights of two or more axes go on the array (STATED by the EaPU authors' code),
    unless the last name of their path ends in `bias`, `scale` or `embedding`: those
    of layers under a scan, of attention heads and of convolutions have two axes and
    more without being matrices. An embedding is looked up, not multiplied; a tied
    one that is both stays digital too, unless a rule of your own says otherwise.
    equinox calls all of them `weight`: its tables and its norms of several axes need
    such a rule. What is no array at all (a function in a model) is digital.

    Args:
        path: names from the root, joined by "/".
        shape: of the leaf.

    Example:
        >>> place("Dense_0/kernel", (64, 10)), place("Dense_0/bias", (2, 4))
        ('array', 'digital: added after the product')
        >>> place("norm/gain", (64,))
        'digital: fewer than two axes'
    """
    name = path.rsplit("/", 1)[-1].lower()
    for ending, why in _DIGITAL.items():
        if name.endswith(ending):
            return f"digital: {why}"
    return "array" if len(shape) >= 2 else "digital: fewer than two axes"


def on_array(tree: PyTree, place: Place | None = None) -> dict[str, Any]:
    """The leaves that live on the array, by path, in the order of their paths."""
    return dict(sorted(_chosen(tree, place)))


def put(tree: PyTree, leaves: dict[str, Any]) -> PyTree:
    """The tree with other leaves at these paths."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaves.get(path_name(path), leaf), tree
    )


def placements(params: PyTree, place: Place | None = None) -> dict[str, str]:
    """Where every leaf goes, by path.

    Example:
        >>> import jax.numpy as jnp
        >>> placements({"kernel": jnp.ones((4, 3)), "bias": jnp.ones((2, 3))})
        {'bias': 'digital: added after the product', 'kernel': 'array'}
    """
    return {path: where(path, leaf, place) for path, leaf in _named(params)}


def table(params: PyTree, place: Place | None = None) -> str:
    """What went where, as a text to print.

    Example:
        >>> import jax.numpy as jnp
        >>> print(table({"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}))
        bias    (3,)    digital: added after the product
        kernel  (4, 3)  array
    """
    rows = [
        (p, str(getattr(x, "shape", "")), where(p, x, place)) for p, x in _named(params)
    ]
    wide = [max((len(r[i]) for r in rows), default=0) for i in (0, 1)]
    return "\n".join(f"{p:<{wide[0]}}  {s:<{wide[1]}}  {w}" for p, s, w in rows)


def path_name(path: Iterable[Any]) -> str:
    """Names from the root to a leaf, joined by "/"; what merely wraps has no name."""
    names = [jax.tree_util.keystr((key,), simple=True) for key in path]
    if len(names) > 1 and names[-1] in ("value", "raw_value"):  # a flax Variable
        names = names[:-1]
    return "/".join(names)


def is_array(leaf: Any) -> bool:
    """Whether a leaf is numbers at all: models may hold functions beside them."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _named(tree: PyTree) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [(path_name(path), leaf) for path, leaf in leaves]


def _chosen(tree: PyTree, rule: Place | None) -> list[tuple[str, Any]]:
    return [(p, x) for p, x in _named(tree) if where(p, x, rule) == "array"]


def where(path: str, leaf: Any, rule: Place | None) -> str:
    """The answer of the rule, or of `place` where there is none."""
    if not (rule is None or callable(rule)):
        raise ValueError(
            f"place must be a function (path, shape) -> answer, got {rule!r}"
        )
    if not is_array(leaf):
        return "digital: no array"
    answer = (rule or place)(path, jnp.shape(leaf))
    if answer != "array" and not str(answer).startswith("digital"):
        raise ValueError(
            f'place must answer "array" or "digital: why", got {answer!r} for {path!r}'
        )
    return answer
