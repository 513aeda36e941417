# SPDX-License-Identifier: MIT
"""Train: from simulated sites to the model that nodes classify with."""
