# SPDX-License-Identifier: MIT
"""`groundwatch init`: a folder with all that a gateway needs to start."""
