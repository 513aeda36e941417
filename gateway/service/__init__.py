# SPDX-License-Identifier: MIT
"""Service: what runs beside the two stages: supervision, reload, publication to the picture."""
