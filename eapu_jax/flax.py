"""Flax models, Linen and NNX, that multiply through arrays without an edit.

Their layers promote kernels to plain arrays before they multiply. Both steps are
arguments of every layer, and are set here for the time of a call (Linen) or once on
the modules (NNX). Layers without an `Analog` kernel compute what they did before.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax.numpy as jnp
from flax import linen as nn
from flax import nnx
from flax.linen.dtypes import promote_dtype as promote_linen
from flax.nnx.nn.dtypes import promote_dtype as promote_nnx
from jax import lax

from eapu_jax.analog import Analog, conv_general_dilated, dot_general

M = TypeVar("M", bound=nnx.Module)


def through_arrays(apply: Callable[..., Any]) -> Callable[..., Any]:
    """The `apply` of a Linen model, for parameters that `wrap` has made analog.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from flax import linen as nn
        >>> from eapu_jax import Crossbar, deploy, wrap
        >>> model, key, x = nn.Dense(3), jax.random.key(0), jnp.ones((1, 2))
        >>> params, arrays = deploy(key, Crossbar(), model.init(key, x))
        >>> apply = through_arrays(model.apply)
        >>> y = apply(wrap(params, arrays, key, Crossbar()), x)
        >>> bool(jnp.allclose(y, model.apply(params, x)))
        True
    """

    def applied(*args: Any, **kwargs: Any) -> Any:
        with nn.intercept_methods(_redirect):
            return apply(*args, **kwargs)

    return applied


def prepare(model: M) -> M:
    """An NNX model whose layers multiply through arrays where they are analog.

    The hooks are set on the model itself, which is returned; with plain parameters
    it computes what it did before.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from flax import nnx
        >>> from eapu_jax import Crossbar, deploy, wrap
        >>> model = prepare(nnx.Linear(2, 3, rngs=nnx.Rngs(0)))
        >>> graph, params = nnx.split(model, nnx.Param)
        >>> key = jax.random.key(0)
        >>> params, arrays = deploy(key, Crossbar(), params)
        >>> analog = nnx.merge(graph, wrap(params, arrays, key, Crossbar()))
        >>> analog(jnp.ones((1, 2))).shape
        (1, 3)
    """
    for _, module in nnx.iter_modules(model):
        for name, hook in _HOOKS.items():
            if getattr(module, name, None) in _PLAIN[name]:
                setattr(module, name, hook)
        if getattr(module, "promote_dtype", None) is promote_nnx:
            setattr(module, "promote_dtype", _promoted_nnx)  # noqa: B010
    return model


def _redirect(call, args, kwargs, context):
    """Swap the hooks of one Linen layer for the time of its call."""
    module = context.module
    if context.method_name != "__call__":
        return call(*args, **kwargs)
    kept = {}
    for name, hook in (*_HOOKS.items(), ("promote_dtype", _promoted_linen)):
        if getattr(module, name, ...) in _PLAIN[name]:
            kept[name] = getattr(module, name)
            object.__setattr__(module, name, hook)  # a bound layer is frozen
    try:
        return call(*args, **kwargs)
    finally:
        for name, hook in kept.items():
            object.__setattr__(module, name, hook)


def _promoted_linen(*args: Any, dtype: Any = None, **kwargs: Any) -> list[Any]:
    return list(_promoted(lambda *a, **k: promote_linen(*a, **k), args, dtype, kwargs))


def _promoted_nnx(args: tuple, /, *, dtype: Any = None, **kwargs: Any) -> tuple:
    return tuple(_promoted(lambda *a, **k: promote_nnx(a, **k), args, dtype, kwargs))


def _promoted(promote, args, dtype, kwargs) -> list[Any]:
    """Promote all together, `Analog` kernels by their weights."""
    plain = [a.w if isinstance(a, Analog) else a for a in args]
    done = promote(*plain, dtype=dtype, **kwargs)
    return [
        a.astype(jnp.result_type(p)) if isinstance(a, Analog) else p
        for a, p in zip(args, done, strict=True)
    ]


_HOOKS = {"dot_general": dot_general, "conv_general_dilated": conv_general_dilated}
_PLAIN = {name: (None, getattr(lax, name)) for name in _HOOKS} | {
    "promote_dtype": (promote_linen,)
}
