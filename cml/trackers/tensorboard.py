"""Scalars from TensorBoard event files, written by TensorFlow, PyTorch or tensorboardX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PATTERN = "*tfevents*"
_HIDDEN = (".git", ".dvc", ".cml")


def scalars(files: Iterable[Path]) -> dict[str, list[float]]:
    """Return all logged values of each scalar tag, in the order of the files.

    Values that are not finite are among them, so that a check can see them.

    Raises:
        UsageError: tensorboard is not installed, or an event file cannot be read.
    """
    found: dict[str, list[float]] = {}
    for file in files:
        for tag, values in _read(file).items():
            found.setdefault(tag, []).extend(values)
    return found


def files(folder: Path) -> list[Path]:
    """Return the event files of all runs below a folder, sorted."""
    return [
        file
        for file in sorted(folder.rglob(PATTERN))
        if file.is_file() and not any(part in _HIDDEN for part in file.relative_to(folder).parts)
    ]


def _read(file: Path) -> dict[str, list[float]]:
    try:
        from tensorboard.compat.tensorflow_stub import errors, pywrap_tensorflow
    except ImportError as error:
        raise UsageError(
            "event files can only be read with tensorboard",
            hint="pip install 'cml-run[tensorboard]'",
        ) from error
    found: dict[str, list[float]] = {}
    try:
        # TensorBoard's own accumulator passes over what is damaged; its reader below does not.
        reader = pywrap_tensorflow.PyRecordReader_New(str(file))
        while True:
            reader.GetNext()
            for tag, value in _scalars(reader.record()):
                found.setdefault(tag, []).append(value)
    except errors.OutOfRangeError:
        return found
    except (errors.OpError, OSError, ValueError) as error:
        raise UsageError(f"the event file {file} is damaged: {error}") from error


def _scalars(event: bytes) -> Iterator[tuple[str, float]]:
    """Yield the scalars of an event: plain, or as a tensor, as TensorFlow 2 writes them."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2
    from tensorboard.util import tensor_util

    try:
        values = event_pb2.Event.FromString(event).summary.value
    except DecodeError as error:
        raise ValueError(str(error)) from error
    for value in values:
        if value.HasField("simple_value"):
            yield value.tag, _shortest(value.simple_value)
        elif value.HasField("tensor"):
            array = tensor_util.make_ndarray(value.tensor)
            if array.ndim == 0 and array.dtype.kind in "fiu":
                single = array.dtype.name == "float32"
                yield value.tag, _shortest(float(array)) if single else float(array)


def _shortest(value: float) -> float:
    """Return the number that people logged: 0.7 in 32 bits is 0.699999988 in 64."""
    import numpy as np

    return float(str(np.float32(value)))
