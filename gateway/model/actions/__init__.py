# SPDX-License-Identifier: MIT
"""Model: what people and systems do, who they are, and what is recorded of it."""
