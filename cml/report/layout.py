"""Sections of markdown fitted into a size; knows nothing of records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CORE = 10
FEW = 10


@dataclass(frozen=True, kw_only=True)
class Section:
    """Markdown that can shrink by rows and still be whole.

    Attributes:
        name: what to call it when it is left out; our own words.
        rank: the lower, the longer it stays; below `CORE` it keeps a few rows before any section
            gets all of its own.
        head: what stands before the rows, and opens what `tail` closes.
        rows: each complete in itself.
        noun: what a row is, in the plural.
        last: when rows must go, the last ones stay, not the first.
    """

    name: str
    rank: int
    head: str = ""
    rows: Sequence[str] = ()
    between: str = "\n"
    tail: str = ""
    noun: str = "rows"
    last: bool = False

    def text(self, keep: int) -> str:
        """Return the section with `keep` of its rows, and a word about the others."""
        cut = len(self.rows) - keep
        if not cut:
            return f"{self.head}{self.between.join(self.rows)}{self.tail}"
        note = f"… {cut:,} more {self.noun}, see record.json"
        if self.last:
            return f"{self.head}{self.between.join((note, *self.rows[cut:]))}{self.tail}"
        return f"{self.head}{self.between.join(self.rows[:keep])}\n\n{note}{self.tail}"

    def rows_within(self, room: int, wanted: int) -> int | None:
        """Return how many rows, at most `wanted`, fit into `room`; None when it must be left out.

        A section with rows makes no sense without any, but for the end of an output: there the
        head says the most.
        """
        wanted = min(wanted, len(self.rows))
        if wanted == len(self.rows) and size(self.text(wanted)) <= room:
            return wanted
        room -= size(self.text(0))
        rows = self.rows[::-1] if self.last else self.rows
        keep = 0
        for row in rows[:wanted]:
            room -= size(row) + size(self.between)
            if room < 0:
                break
            keep += 1
        return keep if keep or (self.last and room >= 0) else None


def size(text: str) -> int:
    """Return the length that counts against a limit: bytes of UTF-8, never less than characters."""
    return len(text.encode())


def fit(sections: Sequence[Section], limit: int | None) -> str:
    """Return the sections as one text of at most `limit` bytes of UTF-8.

    The first section is the headline, and its first line is plain text. It goes last, and no
    limit is too small: of a headline that does not fit, the beginning stays.
    """
    whole = _join(section.text(len(section.rows)) for section in sections)
    if limit is None or size(whole) <= limit:
        return whole
    kept = _kept(sections, limit)
    if 0 not in kept:
        return _beginning(sections[0].head, limit)
    texts = [section.text(kept[index]) for index, section in enumerate(sections) if index in kept]
    return _join([*texts, *_notice(s.name for i, s in enumerate(sections) if i not in kept)])


def _kept(sections: Sequence[Section], limit: int) -> dict[int, int]:
    """Return how many rows each section keeps, by its index; without those left out."""
    plan = _Plan(sections, limit - size(_join(("", *_notice(s.name for s in sections)))))
    ranked = sorted(range(len(sections)), key=lambda index: sections[index].rank)
    for index in ranked:
        if sections[index].rank < CORE:
            plan.grant(index, FEW)
    for index in ranked:
        plan.grant(index, len(sections[index].rows))
        if plan.kept.get(index) != len(sections[index].rows):
            break
    return plan.kept


class _Plan:
    """Which sections keep how many rows, and the room that is left."""

    def __init__(self, sections: Sequence[Section], room: int) -> None:
        self._sections = sections
        self._room = room
        self._costs: dict[int, int] = {}
        self.kept: dict[int, int] = {}

    def grant(self, index: int, wanted: int) -> None:
        """Give a section as many of the rows that it wants as there is room for."""
        section, separator = self._sections[index], len("\n\n")
        room = self._room + self._costs.get(index, 0)
        keep = section.rows_within(room - separator, wanted)
        if keep is not None:
            self.kept[index] = keep
            self._costs[index] = size(section.text(keep)) + separator
            self._room = room - self._costs[index]


def _notice(names: Iterable[str]) -> list[str]:
    named = ", ".join(dict.fromkeys(names))
    return [f"Left out for size, see record.json: {named}."] if named else []


def _join(texts: Iterable[str]) -> str:
    return "\n\n".join(texts) + "\n"


def _beginning(head: str, limit: int) -> str:
    """Return all of a headline, its first line, or the beginning of that: whatever fits."""
    first = head.split("\n", 1)[0]
    more = "… more in record.json"
    for text in (f"{head}\n\n{more}", f"{first}\n\n{more}", first):
        if size(text) < limit:
            return f"{text}\n"
    return first.lstrip("# ").encode()[: max(limit, 0)].decode(errors="ignore")
