# SPDX-License-Identifier: MIT
"""Commands: what `groundwatch VERB` does with a gateway, one thin module for each verb."""
