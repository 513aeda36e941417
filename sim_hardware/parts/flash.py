# SPDX-License-Identifier: MIT
# Board, simulated: the NOR flash that holds the file system, as the block device of littlefs
# (MicroPython's extended interface). Its cells are in a file of the host, so that they outlast
# the process. A sector is erased to ones, a page is programmed to zeros, never the other way.

import simcharge

SECTOR = 4096
PAGE = 256
_BLANK = b"\xff" * PAGE


def make(path, sectors):
    # A new flash, erased.
    with open(path, "wb") as file:
        for _ in range(sectors * (SECTOR // PAGE)):
            file.write(_BLANK)


class Flash:
    # Raises OSError when there is no such file.

    def __init__(self, path, sectors):
        self._cells = open(path, "r+b", 0)
        self._sectors = sectors
        self._page = bytearray(PAGE)

    def ioctl(self, request, sector):
        if request == 4:
            return self._sectors
        if request == 5:
            return SECTOR
        if request == 6:
            self._erase(sector)
        return 0

    def readblocks(self, sector, data, offset=0):
        self._cells.seek(sector * SECTOR + offset)
        self._cells.readinto(data)

    def writeblocks(self, sector, data, offset=None):
        at = sector * SECTOR
        if offset is None:
            self._erase(sector)
        else:
            at += offset
        # Half of the data, the charged time, the other half: a power cut in between tears the page.
        half = len(data) // 2
        self._program(at, data, 0, half)
        simcharge.program((len(data) + PAGE - 1) // PAGE)
        self._program(at, data, half, len(data))

    def _erase(self, sector):
        half = SECTOR // PAGE // 2
        for part in range(2):
            self._cells.seek(sector * SECTOR + part * half * PAGE)
            for _ in range(half):
                self._cells.write(_BLANK)
            if not part:
                simcharge.erase()

    def _program(self, at, data, begin, end):
        # Nothing is allocated: it would be on the node's heap.
        cells, page = self._cells, self._page
        while begin < end:
            size = min(PAGE, end - begin)
            cells.seek(at + begin)
            cells.readinto(page, size)
            i = 0
            while i < size:
                page[i] &= data[begin + i]
                i += 1
            cells.seek(at + begin)
            cells.write(page, size)
            begin += size
