# SPDX-License-Identifier: MIT
"""The table of verbs and the module that runs them; the code of the verbs is elsewhere."""
