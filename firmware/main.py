# SPDX-License-Identifier: MIT
# The node: choose a tree, read the configuration, build the node, run. Any end but Ctrl-C resets.
import gc
import sys
import time

_PAUSE_S = 5  # long enough to reach for Ctrl-C, so that a broken node does not just flicker
sys.path.insert(0, "rescue")
guard = __import__("boards.guard", None, None, ("start",))
del sys.modules["boards"], sys.modules["boards.guard"]  # the chosen tree brings its own
slots = __import__("slots").choose()
sys.path[0] = slots.tree
try:
    feed = guard.start(slots.is_told)
    config = __import__("ugs.config", None, None, ("load_config",)).load_config("node.json")
    # Read once: its 2.5 KB are worth more as heap. Both names hold on to it.
    del sys.modules["ugs"].config, sys.modules["ugs.config"]
    board = __import__("boards.%s.board" % config.board, None, None, ("x",)).make_board(config)
    gc.collect()
    feed()
    name = "ugs.rescue" if slots.tree == "rescue" else "ugs.node"
    module = __import__(name, None, None, ("Node",))
    feed()
    module.Node(board, config, slots).run()
except Exception as error:
    print("node stops cause=%s" % error)
    sys.print_exception(error)
    if slots.is_told:
        time.sleep(_PAUSE_S)
        guard.reset()
