# SPDX-License-Identifier: MIT
# The node: chooses an image, reads the configuration, builds the node and runs it. Any end except
# Ctrl-C resets the board.
import gc
import sys

guard = __import__("guard")
slots = __import__("slots").choose(guard.reset_cause())
feed = guard.start(slots.is_provisioned)
try:
    slots.wait(feed)
    # Safe mode keeps its code on the heap: it is for a node with a fault.
    is_safe = slots.image == "safe_mode"
    shelf = None if is_safe else __import__("inplace").make(slots.path(slots.image), feed)
    where = slots.mount(shelf and shelf.read, feed)
    sys.path.insert(0, "/fw")
    sys.modules["boards.guard"] = guard  # the same file: one copy is enough
    config = __import__("ugs.config", None, None, ("load_config",)).load_config("node.json")
    # Read once: its 2.5 KB are better used as heap. Both names keep it alive.
    del sys.modules["ugs"].config, sys.modules["ugs.config"]
    board = __import__("boards.%s.board" % config.board, None, None, ("x",)).make_board(config)
    feed()
    name = "ugs.safe_mode" if is_safe else "ugs.node"
    module = __import__(name, None, None, ("Node",))
    feed()
    if shelf:
        # As early as possible: collections are then shorter, and half of the heap is free.
        shelf.settle(where)
        feed()
    node = module.Node(board, config, slots)
    feed()
    if shelf:
        shelf.settle(where)  # what was loaded since
        feed()
    slots.umount()
    del shelf, where
    sys.modules.pop("inplace", None)
    gc.collect()
    node.run()
except Exception as error:
    print("node stops cause=%s" % error)
    sys.print_exception(error)
    if slots.is_provisioned:
        slots.keep_failure("start", error)
        slots.leave(slots.EXCEPTION, type(error).__name__)
        guard.reset()
