# SPDX-License-Identifier: MIT
"""API access: the UNIX socket in the data folder, and the login name at its other end.

Only the owner of the data folder may connect (mode 0600). The kernel knows the login at the other
end: SO_PEERCRED on Linux (unix(7)), LOCAL_PEERCRED on macOS and the BSDs (unix(4)).
"""

from __future__ import annotations

import pwd
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError

NAME = "api.sock"
# sun_path has 108 bytes on Linux and 104 on macOS, with the NUL at its end.
MAX_ADDRESS = 100
_UCRED = struct.Struct("3i")  # struct ucred: pid, uid, gid
_XUCRED = struct.Struct("2I")  # struct xucred begins with cr_version, cr_uid
_XUCRED_BYTES = 76
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def bind(path: Path) -> socket.socket:
    """A listening socket at `path`, for its owner only. Raises ConfigError.

    A socket left by a gateway that was killed is replaced; one that answers is not.
    """
    if path.exists() and _answers(path):
        raise ConfigError(f"another gateway runs on {path.parent}")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        with short_address(path) as address:
            listening.bind(address)
        path.chmod(0o600)
        listening.listen()
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise ConfigError(f"cannot listen on {path}: {error.strerror or error}") from None
    return listening


def peer_name(peer: Any) -> str:
    """The login name at the other end of a connected UNIX socket. Raises OSError."""
    if sys.platform == "linux":
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        uid = _UCRED.unpack(raw)[1]
    else:
        raw = peer.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
        uid = _XUCRED.unpack_from(raw)[1]
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """`path` as an address; a long one through a short link to its folder, while it is used."""
    if len(bytes(path)) <= MAX_ADDRESS:
        yield str(path)
        return
    folder = Path(tempfile.mkdtemp(prefix="gw-"))
    try:
        (folder / "d").symlink_to(path.parent.resolve())
        yield str(folder / "d" / path.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            with short_address(path) as address:
                probe.connect(address)
        except OSError:
            return False
    return True
