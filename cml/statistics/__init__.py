"""What chance explains: sums only, no files and no rules."""

from cml.statistics.compared import Compared
from cml.statistics.groups import welch
from cml.statistics.holm import holm
from cml.statistics.prediction import (
    LEAST,
    Prediction,
    Side,
    prediction_bound,
    prediction_chance,
)

__all__ = [
    "LEAST",
    "Compared",
    "Prediction",
    "Side",
    "holm",
    "prediction_bound",
    "prediction_chance",
    "welch",
]
