# SPDX-License-Identifier: MIT
# The node in a MicroPython that has it frozen: code runs in place from flash and takes no heap.
# There is one image, changed over the cable only. This file replaces main.py.
import gc
import sys

# Frozen modules first: beside this file is a folder ugs with the model.
sys.path.insert(0, ".frozen")
guard = __import__("boards.guard", None, None, ("start",))
slots = __import__("slots").Slots()
if slots.is_provisioned:
    slots.count(guard.reset_cause())
feed = guard.start(slots.is_provisioned)
try:
    slots.wait(feed)
    config = __import__("ugs.config", None, None, ("load_config",)).load_config("node.json")
    config.release = None  # so that it refuses updates over the air
    board = __import__("boards.%s.board" % config.board, None, None, ("x",)).make_board(config)
    feed()
    node = __import__("ugs.node", None, None, ("Node",)).Node(board, config, slots)
    gc.collect()
    node.run()
except Exception as error:
    print("node stops cause=%s" % error)
    sys.print_exception(error)
    if slots.is_provisioned:
        slots.keep_failure("start", error)
        slots.leave(slots.EXCEPTION, type(error).__name__)
        guard.reset()
