# SPDX-License-Identifier: MIT
# ugs: the node package, from a sample of ground motion to a sealed message.
