# SPDX-License-Identifier: MIT
# remote: handlers of rare commands. Their code is loaded when needed (ugs.seldom) and kept by no
# module.
