"""Where a kernel lies within the folder of its digest: by its place in the package, wherever the package is.

Numba's own form goes by absolute path: every clone, and every copy that an experiment makes, would compile for minutes
what is there.
"""

from __future__ import annotations

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator

_PACKAGE = Path(__file__).parents[1]


class PackageCacheLocator(UserProvidedCacheLocator):
    """As numba's for a folder that is named, which holds it against the source's content."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """The name of a folder in it: `kernels_simd` for a file of `kernels/simd/`; by path outside the package."""
        folder = Path(py_file).parent
        if folder.is_relative_to(_PACKAGE):
            return "_".join(folder.relative_to(_PACKAGE).parts) or _PACKAGE.name
        found: str = super().get_suitable_cache_subpath(py_file)
        return found
