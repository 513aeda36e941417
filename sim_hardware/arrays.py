# SPDX-License-Identifier: MIT
"""Ground layer: reads .npz files of unknown origin: no pickles, bounded memory."""

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError

# A day at 1 kHz as int32 is 346 MB.
_BYTES_MAX = 1 << 29
_MEMBERS_MAX = 32
_HEADER_MAX = 4096
Array = NDArray[Any]


def read_npz(path: Path) -> dict[str, Array]:
    """All arrays of a .npz file by name, numeric ones only.

    Raises SimError for anything else: damaged or huge archives, object arrays, wrong headers.
    """
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise SimError(f"{path}: larger than {_BYTES_MAX >> 20} MiB; cut it into parts")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS_MAX:
                raise SimError(f"{path}: {len(members)} arrays are more than {_MEMBERS_MAX}")
            if sum(member.file_size for member in members) > _BYTES_MAX:
                raise SimError(f"{path}: unpacks to more than {_BYTES_MAX >> 20} MiB; cut it")
            return {
                member.filename.removesuffix(".npy"): _array(archive.read(member), path)
                for member in members
            }
    except OSError as error:
        raise SimError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SimError(f"{path}: damaged or no .npz file ({error})") from None


def _array(data: bytes, path: Path) -> Array:
    # numpy.load allocates the size in the header; this compares the header with the data first.
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER_MAX)
        else:
            header = np.lib.format.read_array_header_2_0(stream, max_header_size=_HEADER_MAX)
    except (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError):
        raise SimError(f"{path}: damaged array header") from None
    shape, fortran, dtype = header
    if dtype.hasobject or dtype.kind not in "biufU" or dtype.itemsize == 0:
        raise SimError(f"{path}: holds {dtype}; only numbers are read")
    count = math.prod(shape)
    body = stream.read()
    if any(length < 0 for length in shape) or count * dtype.itemsize != len(body):
        raise SimError(f"{path}: array data does not have the length its header gives")
    flat = np.frombuffer(body, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def scalar(arrays: dict[str, Array], name: str, path: Path, default: float | None = None) -> float:
    """One finite number stored as an array of one element."""
    if name not in arrays:
        if default is None:
            raise SimError(f"{path}: {name} is missing")
        return default
    array = arrays[name]
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise SimError(f"{path}: {name} must be one number")
    value = float(array.reshape(-1)[0])
    if not math.isfinite(value):
        raise SimError(f"{path}: {name} is {value}")
    return value
