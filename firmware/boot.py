# SPDX-License-Identifier: MIT
# Runs first on a node: reserves room for the trace of an error inside an interrupt, and sets early
# collections. Then it compares each file that a start needs outside the images with its copy, and
# replaces it if it is damaged.
import gc

import micropython

if hasattr(micropython, "alloc_emergency_exception_buf"):  # ports without interrupts lack it
    micropython.alloc_emergency_exception_buf(100)
gc.threshold(16_384)


# Names here are built into MicroPython where possible: other names stay on the heap for ever.
def check(path):
    # root.copy (tools/bundle.py) and node.copy (ugs/ratchet.py): lines "name size CRC-32", each
    # before the bytes of the file. The CRC covers name and size, then the bytes.
    from binascii import crc32
    from os import listdir

    def copy(file, size, value, out=None):
        # CRC-32, continued from `value`, of the next `size` bytes. They are written to `out`.
        data = b"x"
        while data:
            data = file.read(min(size, 512))
            size -= len(data)
            value = crc32(data, value)
            if out:
                out.write(data)
        return value

    # Without main.py the board is being flashed: a file that differs may be newer.
    if "main.py" not in listdir() or path not in listdir():
        return
    with open(path, "rb") as file:
        line = file.readline(64)
        while line:
            name, size, end = line.split()
            start = file.tell()
            value = crc32(name + b" " + size)
            name, size, end = name.decode(), abs(int(size)), int(end)
            try:
                with open(name, "rb") as out:
                    is_same = copy(out, size, value) == end and not out.read(1)
            except OSError:
                is_same = False
            if not is_same and copy(file, size, value) == end:
                file.seek(start)
                with open(name, "wb") as out:
                    copy(file, size, value, out)
                print("replaced damaged file=%s" % name)
            file.seek(start + size)
            line = file.readline(64)


for path in ("root.copy", "node.copy"):
    try:
        check(path)
    except Exception as error:
        print("not checked copy=%s cause=%r" % (path, error))
del check, path
# What the check left is freed before the node is loaded. Otherwise the heap is fragmented, and the
# ring of readings (boards/rp2_adc.py) takes 4 KB more.
gc.collect()
