"""What chance explains: sums only, no files and no rules."""

from cml.statistics.compared import Compared
from cml.statistics.groups import welch
from cml.statistics.holm import holm
from cml.statistics.paired import bootstrap, paired_t
from cml.statistics.prediction import (
    LEAST,
    Prediction,
    Side,
    prediction_bound,
    prediction_chance,
)
from cml.statistics.proportions import mcnemar

__all__ = [
    "LEAST",
    "Compared",
    "Prediction",
    "Side",
    "bootstrap",
    "holm",
    "mcnemar",
    "paired_t",
    "prediction_bound",
    "prediction_chance",
    "welch",
]
