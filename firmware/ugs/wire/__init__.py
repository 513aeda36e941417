# SPDX-License-Identifier: MIT
# wire: the room where a report becomes a few sealed bytes. Pure: bytes in, bytes out.
