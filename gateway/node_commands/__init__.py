# SPDX-License-Identifier: MIT
"""Node commands: what people ask of a node, until the node has answered or time is up."""
