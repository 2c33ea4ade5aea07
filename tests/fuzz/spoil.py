"""Values that cannot be meant, by the kind of argument, and the verdict on a call."""

import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np

NAN, INF = float("nan"), float("inf")

NOT_A_NUMBER = ("2", "", b"1", None, [], {}, (), object(), 1 + 2j, True, "nan")
NOT_A_NUMBER += (np.array(["a"]), np.array([1 + 1j]), np.zeros(0), np.array([True]))
NOT_A_NUMBER += ([[1.0], [1.0, 2.0]], {"a": 1.0}, np.datetime64("2020-01-01"), int)
UNBOUNDED = (NAN, INF, -INF, 1e300, -1e300, 10**400, np.float32(NAN))
UNBOUNDED += (np.array([1.0, NAN]), jnp.array(INF))
NEGATIVE = (-1, -0.5, -1e-3, np.float32(-2), np.int64(-1), jnp.array(-1.0))
NEGATIVE += (np.array([1.0, -1.0]), -1e30)
ZERO = (0, 0.0, -0.0, np.float32(0), jnp.zeros(()), np.zeros(2), 1e-300)
BEYOND_ONE = (1.5, 2, 1.0001, np.float32(3), np.array([0.5, 1.5]), 1e30)
NOT_WHOLE = (2.5, "3", None, NAN, INF, 1e300, [], [2], {}, True, 1 + 0j, b"2")
NO_BITS = (1, 0, -1, 25, 200, *(v for v in NOT_WHOLE if v is not None))
NOT_WHOLE += (np.array([2, 3]), np.float64(2.5), object(), int, np.zeros(0, int))
NO_KEY = (0, None, "key", 1.5, [], {}, object(), np.zeros(2, np.uint32), b"0")
NO_CHOICE = ("nope", "", None, 3, b"array", [], {}, 1.5, "ARRAY", ("fresh",))
NO_OBJECT = (3, "device", None, object(), {}, [], 1.5, NAN, int, lambda x: x)


def _keys() -> tuple[Any, ...]:
    strange = jr.split(jr.key(0)), jr.key(0, impl="rbg"), jr.key(0, impl="unsafe_rbg")
    return NO_KEY + strange + (jr.split(jr.key(0), (2, 2)),)


KINDS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "real": lambda: NOT_A_NUMBER + UNBOUNDED,
    "not NaN": lambda: (*NOT_A_NUMBER, NAN, np.float32(NAN), np.array([1.0, NAN])),
    "positive": lambda: NOT_A_NUMBER + UNBOUNDED + NEGATIVE + ZERO,
    "not negative": lambda: NOT_A_NUMBER + UNBOUNDED + NEGATIVE,
    "proportion": lambda: NOT_A_NUMBER + UNBOUNDED + NEGATIVE + BEYOND_ONE,
    "count": lambda: (*NOT_WHOLE, 0, -1, -(2**31), np.int64(0), np.int8(-3)),
    "number of": lambda: (*NOT_WHOLE, -1, -(2**40), np.int64(-1)),
    "plural": lambda: (*NOT_WHOLE, 1, 0, -1, np.int64(1)),
    "bits": lambda: NO_BITS,
    "key": _keys,
    "choice": lambda: NO_CHOICE,
    "object": lambda: NO_OBJECT,
    "weights": lambda: _weights(),
}


def _weights() -> tuple[Any, ...]:
    """No finite floating-point matrix of 4 by 3."""
    whole = np.ones((4, 3))
    strange = [whole.astype(kind) for kind in (int, bool, complex, np.uint8, object)]
    strange += [np.full((4, 3), "a"), np.full((4, 3), NAN), np.full((4, 3), INF)]
    return (*strange, jnp.full((4, 3), NAN), jnp.full((4, 3), -INF))


class Subject(NamedTuple):
    """Something public, and what its arguments must be.

    Attributes:
        name: of it.
        call: with the good arguments it succeeds.
        good: arguments that are right.
        kinds: of the arguments that are spoilt, one at a time.
        also: words that name an argument as well as itself.
    """

    name: str
    call: Callable[..., Any]
    good: Mapping[str, Any]
    kinds: Mapping[str, str | tuple[Any, ...]]
    also: Mapping[str, str] = {}


def spoilt(
    subjects: list[Subject], seed: int, count: int
) -> Iterator[tuple[Subject, str, Any]]:
    """Subject, argument and bad value: every pair once before any comes twice."""
    draw, left = random.Random(seed), []
    for _ in range(count):
        if not left:
            left = list(every_one(subjects))
            draw.shuffle(left)
        yield left.pop()


def every_one(subjects: list[Subject]) -> Iterator[tuple[Subject, str, Any]]:
    """All bad inputs, in order."""
    for subject in subjects:
        for argument, kind in subject.kinds.items():
            for value in KINDS[kind]() if isinstance(kind, str) else kind:
                yield subject, argument, value


def fault(subject: Subject, argument: str, value: Any) -> str | None:
    """What is wrong with how a bad value was taken; None where it was refused."""
    where = f"{subject.name}({argument}={_shown(value)})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = subject.call(**{**subject.good, argument: value})
    except (ValueError, TypeError) as error:
        words = " ".join(str(error).split())
        names = (argument, subject.also.get(argument, argument))
        if any(
            re.search(rf"(?<![A-Za-z]){re.escape(n)}(?![A-Za-z])", words) for n in names
        ):
            return None
        return f"{where} is not named: {type(error).__name__}: {words[:150]}"
    except Exception as error:
        words = " ".join(str(error).split())
        return f"{where} ends in {type(error).__name__}: {words[:150]}"
    return f"{where} is accepted: {_shown(found)}"


def _shown(value: Any) -> str:
    if hasattr(value, "dtype"):
        text = f"{type(value).__name__} {value.dtype} {getattr(value, 'shape', '')} "
        return text + " ".join(str(value).split())[:40]
    return " ".join(repr(value).split())[:80]
