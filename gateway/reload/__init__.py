# SPDX-License-Identifier: MIT
"""Standing orders while the gateway runs: read anew, all of them or none."""
