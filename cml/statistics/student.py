"""Student's distribution, by SciPy's special functions: its statistics take longer to load."""

from __future__ import annotations

from typing import Any

from cml.errors import UsageError


def distributions() -> Any:
    """Return SciPy's special functions, distributions among them.

    Raises:
        UsageError: SciPy is not installed.
    """
    try:
        from scipy import special
    except ImportError as error:
        raise UsageError(
            "SciPy is not installed, which checks that reckon with chance need",
            hint="pip install 'cml-run[statistics]'",
        ) from error
    return special


def quantile(probability: float, degrees: float) -> float:
    """Return the number below which Student's distribution has this probability.

    Raises:
        UsageError: SciPy is not installed.
    """
    return float(distributions().stdtrit(degrees, probability))


def below(number: float, degrees: float) -> float:
    """Return the probability of Student's distribution below a number.

    Raises:
        UsageError: SciPy is not installed.
    """
    return float(distributions().stdtr(degrees, number))
