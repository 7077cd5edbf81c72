"""How much better one side is than the other, as far as data tell."""

from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a test says of a gain: the new side minus the old one, where more is better.

    Attributes:
        gain: the estimate, in the unit of the numbers compared.
        low: the gain is at least this, with a confidence of `CONFIDENCE`.
        high: the gain is at most this, with the same confidence.
        chance: how often data look so bad, or worse, where the true gain is minus the margin.
        missing: how many more items or runs of each side it takes to tell anything; where any
            are missing, the other numbers say nothing.
        more: about how many it takes until `low` reaches minus the margin if the gain and the
            spread stay as they are: 0 where it has, None where no number does.
    """

    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    chance: float = 1.0
    missing: int = 0
    more: int | None = None
