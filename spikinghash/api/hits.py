"""What a search found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from spikinghash.visible import visible

_HEADINGS = ("distance", "label", "name", "start_us", "end_us")


@dataclass(frozen=True)
class Hit:
    """One clip that was found: its `distance` from the query in bits, the times it covers in microseconds."""

    name: str
    distance: int
    label: str | None
    start_us: int
    end_us: int


@dataclass(frozen=True, repr=False)
class Hits:
    """Clips nearest to Q queries, each answer ordered by (distance, id); iterating gives the `Hit`s of all of them.

    `answers` are Q pairs of the query's name and what was found for it; `bits` is the width of the codes, the largest
    distance there can be. A notebook shows it as tables.
    """

    answers: tuple[tuple[str, tuple[Hit, ...]], ...]
    bits: int

    @property
    def rows(self) -> list[Hit]:
        """All that was found, query by query."""
        return [hit for _, hits in self.answers for hit in hits]

    @property
    def names(self) -> list[str]:
        """Names of the clips that were found."""
        return [hit.name for hit in self]

    @property
    def distances(self) -> list[int]:
        """Their Hamming distances in bits."""
        return [hit.distance for hit in self]

    @property
    def labels(self) -> list[str | None]:
        """Their labels, None where nothing is known."""
        return [hit.label for hit in self]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.rows)

    def __getitem__(self, row: int) -> Hit:
        return self.rows[row]

    def __str__(self) -> str:
        lines = []
        for query, hits in self.answers:
            lines.append(f"{visible(query)}:" if hits else f"{visible(query)}: nothing else is there")
            for distance, label, name, start, end in map(_cells, hits):
                lines.append(f"{distance:>4}  {label:12}  {name}  {start}-{end} us")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The tables that a notebook shows; names and labels come from strangers and are escaped."""
        head = "".join(f"<th>{name}</th>" for name in _HEADINGS)
        parts = []
        for query, hits in self.answers:
            rows = ("".join(f"<td>{escape(cell)}</td>" for cell in _cells(hit)) for hit in hits)
            body = "".join(f"<tr>{row}</tr>" for row in rows)
            parts.append(f"<p>{escape(visible(query))}</p><table><tr>{head}</tr>{body}</table>")
        return "".join(parts)


def _cells(hit: Hit) -> tuple[str, str, str, str, str]:
    return str(hit.distance), visible(hit.label or "-"), visible(hit.name), str(hit.start_us), str(hit.end_us)
