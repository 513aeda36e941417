# SPDX-License-Identifier: MIT
# Conditioning: integer filters over blocks of samples. Pure: no I/O, no clock.
