# SPDX-License-Identifier: MIT
# inplace: runs the code of the image in use from flash, on boards with an RP2040. Stored beside
# main.py, which updates do not change.
#
# MicroPython copies the code of each function to its heap: 60 KB of 200. It runs code in place only
# from a ROMFS, which the official build for the Pico W lacks. But 347 KB of flash between that
# build and the file system are unused. The last 208 KB of them hold a copy of the image, written
# when another image is started, and each function is pointed at its own bytes there. Machine code
# must start at a whole word, so it is copied once more after the image.
#
# Only erased flash or such a copy is ever overwritten. A function is only pointed at bytes equal to
# its own. Where that fails, the code stays on the heap.

import sys

import micropython
from micropython import const

try:
    import rp2
    from machine import mem32
    from uctypes import addressof, bytearray_at
except ImportError:  # another port
    rp2 = None

_BLOCK = const(4096)
# Blocks of the copy: the image, machine code, and one block that marks all of them as ours.
_TREE_BLOCKS = const(44)
_CODE_BLOCKS = const(51)
_BLOCKS = const(52)
_MARK = b"groundwatch copy of a tree\n"
# Offsets in a function object: type, module, children, code (mp_obj_fun_bc_t of py/objfun.h).
_MODULE = const(4)
_CODE = const(12)
# Offsets in a module: type, names, names in its code, objects in its code (mp_module_context_t). In
# a text or bytes object: type, hash, size, address (mp_obj_str_t). In a tuple: type, size, objects.
_OBJECTS = const(12)
_SIZE = const(8)
_DATA = const(12)
_TEXTS = (_MARK, "a text that is too long for a name")
_MPY_HEAD = const(4)  # followed by the numbers of names and of objects
_SRAM = const(0x20000000)
_SRAM_END = const(0x20082000)
_MIN_SIZE = const(16)  # a shorter function is not worth it
_BYTECODE = const(0)  # kinds as in a .mpy file
_VIPER = const(2)


def _function():
    pass


def _generator():
    yield


@micropython.viper
def _find(code: ptr8, copy: ptr8, at: int, end: int) -> int:
    # Where the bytes of a function at `code` start in the copy; 0 if they are not there. Before
    # them is their size in 14 bits, times 8, with a kind (docs.micropython.org, mpy_files).
    while at < end:
        n = 0
        while n < _MIN_SIZE and copy[at + n] == code[n]:
            n += 1
        if n == _MIN_SIZE and copy[at - 2] & 0x80 and copy[at - 1] < 0x80:
            size = ((copy[at - 2] & 0x7F) << 7 | copy[at - 1]) >> 3
            while n < size and copy[at + n] == code[n]:
                n += 1
            if n == size:
                return at
        at += 1
    return 0


def _number(copy, at):
    # A number coded with seven bits per byte, and the position after it.
    number = 0
    while True:
        octet = copy[at]
        at += 1
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            return number, at


def _are_laid_out(texts):
    # Whether tuples, texts and bytes are laid out as in MicroPython 1.25.
    place = id(texts)
    if mem32[place] != id(tuple) or mem32[place + 4] != len(texts):
        return False
    for i in range(len(texts)):
        text = texts[i]
        place = id(text)
        if mem32[id(texts) + 8 + 4 * i] != place or mem32[place] != id(type(text)):
            return False
        data = mem32[place + _DATA]
        if mem32[place + _SIZE] != len(text) or not _SRAM <= data < _SRAM_END:
            return False
        if bytearray_at(data, len(text)) != (text.encode() if type(text) is str else text):
            return False
    return True


_KINDS = (type(_function), type(_generator), type(_find))


def make(path, feed):
    # The shelf with the image at `path`, None if there can be none. `feed` is called between writes
    # of flash. The simulator has no such flash; the RP2350 has enough memory.
    if rp2 is None or sys.platform != "rp2" or "RP2040" not in sys.implementation._machine:
        return None
    shelf = Shelf(feed)
    return shelf if shelf.keep(path) else None


class Shelf:
    def __init__(self, feed):
        self._feed = feed
        self._flash = rp2.Flash()
        self._address = addressof(self._flash) - _BLOCKS * _BLOCK
        self._copy = memoryview(bytearray_at(self._address, _BLOCKS * _BLOCK))
        self._knows_texts = _are_laid_out(_TEXTS)
        # Functions in machine code: where their address is stored, the address, the size.
        self._machine_code = []
        self._next_block = _TREE_BLOCKS
        self._settled = set()  # names of modules; samples wait while one is processed

    def keep(self, path):
        # Whether the copy now is of this image.
        if not self._is_ours():
            return False
        block = bytearray(_BLOCK)
        with open(path, "rb") as file:
            for number in range(_TREE_BLOCKS):
                count = file.readinto(block)
                if count and not self._write(number, block, count):
                    return False
            return not file.read(1)

    def read(self, at, size):
        # A view of the flash: nothing is copied.
        return self._copy[at : at + size]

    def settle(self, where):
        # Points everything loaded from the image since the last call at its copy. where(path) gives
        # place and size of a file in it. No function of the image may be running, and no coroutine
        # of one may exist.
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", "")
            if path.startswith("/fw/") and name not in self._settled:
                self._settled.add(name)
                at, size = where(path[3:])
                self._settle(id(module), module.__dict__, at, at + size)
                if self._knows_texts:
                    self._settle_texts(mem32[id(module) + _OBJECTS], at, size)
        if self._machine_code:
            self._place_machine_code()

    def _settle(self, owner, names, begin, end):
        # What a module or one of its classes defines; imported functions belong to other modules.
        kinds, point = _KINDS, self._point
        for value in names.values():
            kind = type(value)
            if kind in kinds:
                if mem32[id(value) + _MODULE] == owner:
                    point(id(value) + _CODE, begin, end)
            elif kind is type:
                for method in value.__dict__.values():
                    if type(method) in kinds and mem32[id(method) + _MODULE] == owner:
                        point(id(method) + _CODE, begin, end)

    def _settle_texts(self, table, at, size):
        # Long texts and bytes of a module: the object stays, its data are those of the file. The
        # head of the file states the number of objects.
        copy = self._copy
        count, place = _number(copy, at + _MPY_HEAD)
        count, place = _number(copy, place)
        file = bytes(copy[at : at + size])
        for place in range(table, table + 4 * count, 4):
            self._settle_text(mem32[place], file, self._address + at)

    def _settle_text(self, it, file, address):
        if it & 3 or not _SRAM <= it < _SRAM_END:
            return
        kind = mem32[it]
        if kind == id(tuple):
            for place in range(it + 8, it + 8 + 4 * mem32[it + 4], 4):
                self._settle_text(mem32[place], file, address)
        elif kind == id(str) or kind == id(bytes):
            data = mem32[it + _DATA]
            if _SRAM <= data < _SRAM_END:
                # Including the final zero byte, which C code may need.
                at = file.find(bytes(bytearray_at(data, mem32[it + _SIZE] + 1)))
                if at >= 0:
                    mem32[it + _DATA] = address + at

    def _is_ours(self):
        # Erased flash is marked as ours; any other content is not ours.
        last = self._copy[_CODE_BLOCKS * _BLOCK :]
        if last[: len(_MARK)] == _MARK:
            return True
        empty = b"\xff" * _BLOCK
        for number in range(_CODE_BLOCKS):
            if self._copy[number * _BLOCK : (number + 1) * _BLOCK] != empty:
                return False
        return self._write(_CODE_BLOCKS, _MARK + bytes(_BLOCK - len(_MARK)), _BLOCK)

    def _write(self, number, block, count):
        # Whether these bytes were there already; they are, except at the first start of an image.
        there = self._copy[number * _BLOCK : number * _BLOCK + count]
        wanted = memoryview(block)[:count]
        if there != wanted:
            # Blocks are counted from the first block of the file system.
            self._flash.writeblocks(number - _BLOCKS, block)
            self._feed()
        return there == wanted

    def _point(self, place, begin, end):
        code = mem32[place]
        if not _SRAM <= code < _SRAM_END:
            return
        copy = self._copy
        at = _find(code, copy, begin, end)
        if not at:
            return
        kind = copy[at - 1] & 3
        if kind == _BYTECODE:
            mem32[place] = self._address + at
        elif kind == _VIPER and copy[at - 3] < 0x80:  # else the size may have another 7 bits
            size = ((copy[at - 2] & 0x7F) << 7 | copy[at - 1]) >> 3
            self._machine_code.append((place, code, size))

    def _place_machine_code(self):
        # It must start at a whole word, so it is copied once more after the image.
        block = bytearray(_BLOCK)
        used, placed = 0, []
        for place, code, size in self._machine_code:
            if used + size > _BLOCK:
                self._end_block(block, placed)
                used, placed = 0, []
            block[used : used + size] = bytearray_at(code, size)
            placed.append((place, used))
            used += size + 3 & ~3
        self._end_block(block, placed)
        self._machine_code = []

    def _end_block(self, block, placed):
        number = self._next_block
        if number == _CODE_BLOCKS or not self._write(number, block, _BLOCK):
            return
        self._next_block += 1
        for place, at in placed:
            mem32[place] = self._address + number * _BLOCK + at
