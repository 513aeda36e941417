# SPDX-License-Identifier: MIT
"""Commands: the table of verbs and the front that runs them; their code is elsewhere."""
