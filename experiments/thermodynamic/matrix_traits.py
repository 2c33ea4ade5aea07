"""What a passive board can hold of a matrix as it is, as answers to questions.

Passive boards hold symmetric, weakly diagonally dominant matrices without a positive
entry off the diagonal (DERIVED); the rest takes scaling, doubling, or another board.
"""

import numpy as np

ROUNDING = 1e-9
"""Relative to the largest entry; files have about as many digits."""


def traits(a: np.ndarray) -> dict[str, bool]:
    """Questions in words, and whether the answer is yes.

    Args:
        a: `(n, n)`, finite.

    Example:
        >>> [name for name, holds in traits(np.array([[2.0, 1], [1, 2]])).items()
        ...  if not holds]
        ['no positive entry off the diagonal', 'an M-matrix']
    """
    small = ROUNDING * np.abs(a).max()
    symmetric = bool(np.abs(a - a.T).max() <= small)
    off = a - np.diag(np.diagonal(a))
    signs = bool(off.max(initial=0.0) <= small)
    rows = np.diagonal(a) - np.abs(off).sum(1)
    return {
        "symmetric": symmetric,
        "positive definite": symmetric and np.linalg.eigvalsh((a + a.T) / 2)[0] > 0,
        "no positive entry off the diagonal": signs,
        "diagonally dominant": bool(np.all(rows >= -small)),
        "an M-matrix": signs and _comparable(a),
        "dominant once scaled (an H-matrix)": _comparable(a),
    }


def _comparable(a: np.ndarray) -> bool:
    """Whether the diagonal less the sizes of the rest has a positive inverse."""
    own = np.diagonal(a)
    comparison = np.diag(own + np.abs(own)) - np.abs(a)
    try:
        w = np.linalg.solve(comparison, np.ones(len(a)))
    except np.linalg.LinAlgError:
        return False
    return bool(np.all(w > 0) and np.all(np.isfinite(w)))
