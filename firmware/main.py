# SPDX-License-Identifier: MIT
# The node: read the configuration, pick the board, build the node, run. Any end but Ctrl-C resets.
import gc
import sys
import time

_PAUSE_S = 10  # long enough to reach for Ctrl-C, so that a broken node does not just flicker

reset = None
try:
    import ugs.config

    config = ugs.config.load_config("node.json")
    # Read once: its 2.5 KB are worth more as heap. Both names hold on to it.
    del ugs.config, sys.modules["ugs.config"]
    name = "boards." + config.board + ".board"
    make_board = __import__(name, None, None, ("make_board",)).make_board
    reset = __import__("boards.base", None, None, ("reset",)).reset
    board = make_board(config)
    gc.collect()
    from ugs.node import Node

    Node(board, config).run()
except Exception as error:
    print("node stops cause=%s" % error)
    sys.print_exception(error)
    if reset is not None:  # without a configuration a reset would help nobody
        time.sleep(_PAUSE_S)
        reset()
