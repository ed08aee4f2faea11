"""Numbers in memory that several processes share: what was written before one is stored is seen once it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BYTES = 8


def _pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])


def _store(typingctx: Any, values: Any, at: Any, value: Any) -> Any:
    """values[at] = value, int64, after everything before."""
    signature = types.void(values, types.intp, types.int64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _pointer(context, builder, sig, args), "release", _BYTES)
        return context.get_dummy_value()

    return signature, codegen


def _load(typingctx: Any, values: Any, at: Any) -> Any:
    """values[at], int64, before everything after."""
    signature = types.int64(values, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> ir.Value:
        return builder.load_atomic(_pointer(context, builder, sig, args), "acquire", _BYTES)

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
store: Callable[..., None] = intrinsic(_store)
load: Callable[..., int] = intrinsic(_load)
