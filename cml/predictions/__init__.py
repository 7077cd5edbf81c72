"""What models say of each test item: bytes -> tables -> pairs; reads no file."""

from cml.predictions.items import Items, Names, read
from cml.predictions.pairing import Pairs, pair

__all__ = ["Items", "Names", "Pairs", "pair", "read"]
