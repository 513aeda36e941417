# SPDX-License-Identifier: MIT
# The processor time of a signature on a line that starts with "us ", and the results.
import gc
import time

start = time.ticks_us()
ed25519 = __import__("ugs.update.ed25519", None, None, ("verify",))
loading = time.ticks_diff(time.ticks_us(), start)
KEY = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
gc.collect()
free = gc.mem_free()
steps = longest = total = 0
lowest = free
generator = ed25519.verify_steps(KEY, b"\xaf\x82", SIGNATURE)
answer = None
while answer is None:
    start = time.ticks_us()
    answer = next(generator)
    took = time.ticks_diff(time.ticks_us(), start)
    steps += 1
    total += took
    longest = max(longest, took)
    lowest = min(lowest, gc.mem_free())
print("answer", answer, ed25519.verify(KEY, b"\xaf\x83", SIGNATURE))
print("us verify total=%d steps=%d longest=%d loading=%d" % (total, steps, longest, loading))
gc.collect()
print("bytes kept=%d used_most=%d" % (free - gc.mem_free(), free - lowest))
