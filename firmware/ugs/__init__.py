# SPDX-License-Identifier: MIT
# ugs: the node package, one sample from the ground to a sealed message.
