# SPDX-License-Identifier: MIT
# A NOR flash in memory under a real littlefs, whose power can be cut at any operation.

import vfs

BLOCK = 4096
BLOCKS = 40
_EIO = -5


class Flash:
    # A NOR flash: erased in blocks, dead once `cut` operations were started. The last one is torn:
    # of a write the first torn_pct % of the bytes arrive, of an erase that part of the block. Then
    # it returns an error number: raising would need heap, which the finalizers of files left open
    # do not have.
    def __init__(self, image, cut=-1, torn_pct=0):
        self.image = image
        self.cut = cut
        self.torn_pct = torn_pct
        self.done = 0

    def readblocks(self, n, buf, off=0):
        if self.is_dead():
            return _EIO
        at = n * BLOCK + off
        buf[:] = memoryview(self.image)[at : at + len(buf)]
        return 0

    def writeblocks(self, n, buf, off=0):
        if self.is_dead():
            return _EIO
        at = n * BLOCK + off
        size = self._spend(len(buf))
        self.image[at : at + size] = memoryview(buf)[:size]
        return 0 if size == len(buf) else _EIO

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            if self.is_dead():
                return _EIO
            size = self._spend(BLOCK)
            self.image[arg * BLOCK : arg * BLOCK + size] = b"\xff" * size
            return 0 if size == BLOCK else _EIO
        return 0

    def is_dead(self):
        return 0 <= self.cut < self.done

    def _spend(self, size):
        self.done += 1
        if self.is_dead():
            return min(size - 1, size * self.torn_pct // 100)
        return size


def lfs(flash):
    return vfs.VfsLfs2(flash, readsize=32, progsize=256, lookahead=128)


def format_flash(flash):
    vfs.VfsLfs2.mkfs(flash, readsize=32, progsize=256, lookahead=128)
