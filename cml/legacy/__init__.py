"""Files of DVC before 3.0 become what DVC 3 reads, hashes kept; knows DVC's formats, never DVC."""

from cml.legacy.advice import notes
from cml.legacy.change import Change
from cml.legacy.conversion import convert
from cml.legacy.detection import find
from cml.legacy.writing import write

__all__ = ["Change", "convert", "find", "notes", "write"]
