"""stub until the other part is merged"""

from numba import njit


def kernel(function=None, **options):
    options = {"cache": True, "nogil": True} | options
    if options.get("inline") == "always":
        options = {"inline": "always"}
    if options.get("parallel"):
        options.pop("nogil")
    return njit(**options)(function) if function is not None else njit(**options)
