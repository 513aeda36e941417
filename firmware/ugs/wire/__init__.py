# SPDX-License-Identifier: MIT
# wire: the layer that turns a report into a few sealed bytes. Pure: bytes in, bytes out.
