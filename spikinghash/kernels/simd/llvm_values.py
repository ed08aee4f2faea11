"""What generated code needs everywhere: where an array's numbers lie, and a number in each lane of a vector."""

from __future__ import annotations

from typing import Any

import numba.extending
from llvmlite import ir

# numba's own type counts the context as an argument that callers pass; they do not
intrinsic: Any = numba.extending.intrinsic


def data_of(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Pointer to the first element of a numba array of the type `kind`."""
    return context.make_array(kind)(context, builder, array).data


def broadcast(builder: Any, value: Any, lanes: int) -> Any:
    """A vector that holds `value` in each lane."""
    unset = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    index = ir.IntType(32)
    one = builder.insert_element(unset, value, ir.Constant(index, 0))
    return builder.shuffle_vector(one, unset, ir.Constant(ir.VectorType(index, lanes), [0] * lanes))
