# SPDX-License-Identifier: MIT
# remote: what seldom comes: its code is loaded when it comes (ugs.seldom) and kept by no module.
