"""Functions that write vector code where kernels call them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from numba import types

from spikinghash.kernels.simd.code import Code, code_of
from spikinghash.kernels.simd.llvm_values import data_of, intrinsic


def vector_intrinsic(write: Callable[..., Any], result: Any = types.void) -> Callable[..., Any]:
    """What kernels call by the arguments of `write(code, *arguments)` but the first.

    Arrays reach `write` as pointers to their first number, whole numbers as indices, others as float32; `code`
    writes vectors of what the first array holds. An index that it returns is the call's, if that is the `result`.
    """

    def define(_: Any, *kinds: Any) -> Any:
        signature = result(*(_passed_as(kind) for kind in kinds))

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            arrays = [isinstance(kind, types.Array) for kind in sig.args]
            code: Code = code_of(builder, sig.args[arrays.index(True)])
            passed = zip(arrays, sig.args, args, strict=True)
            found = write(code, *(data_of(context, builder, kind, x) if array else x for array, kind, x in passed))
            return context.get_dummy_value() if result is types.void else found

        return signature, codegen

    # numba reads the names of arguments from it; `code` stands where it expects its typing context
    define.__signature__ = inspect.signature(write)  # type: ignore[attr-defined]
    made: Callable[..., Any] = intrinsic(define)
    return made


def _passed_as(kind: Any) -> Any:
    if isinstance(kind, types.Array):
        return kind
    return types.intp if isinstance(kind, types.Integer) else types.float32
