# SPDX-License-Identifier: MIT
# Verdict: boosted trees (Friedman, Ann. Stat. 29, 1189), evaluated in one pass.
#
# The model's bytes, made by tools/train: the header ("GWF1", version, count of features, count of
# trees, eight bytes for the verdict, CRC-32 of the rest), an int16 start score per class, then the
# trees. The trees of one round are together, one per class, each after its length (uint16):
#   branch   feature, threshold, and the offset of the right child in bytes (uint16)
#   leaf     255, and 128 + its value
# Left children follow their branch; a value of at most the threshold goes left. Every number is
# little-endian. Scores count 64 for one unit of log-odds.
# From a file the trees are read for each result, a few at a time: 22 KB take 1 KB of heap.

from array import array
from binascii import crc32

import micropython
from micropython import const

from ugs.detect.features import COUNT

CLASSES = const(6)  # nothing, and the five of the wire's table
HEADER = const(20)
_MAGIC = b"GWF1"
_LEAF = const(255)
_BYTES_MAX = const(25_600)
_START = const(32)  # of the trees: the header and 2 * CLASSES bytes
_WINDOW = const(1024)
_EIO = const(5)
_LEFT = const(0)
_TARGET = const(1)


@micropython.viper
def _walk(window: ptr8, at: int, size: int, values: ptr8, scores: ptr32, state: ptr32) -> int:
    # evaluates the trees that are whole in the window; returns where the next one starts
    trees = state[_LEFT]
    target = state[_TARGET]
    while trees > 0 and at + 2 <= size:
        length = window[at] | (window[at + 1] << 8)
        if at + 2 + length > size:
            break
        at += 2
        node = at
        while window[node] != _LEAF:
            if values[window[node]] <= window[node + 1]:
                node += 4
            else:
                node += window[node + 2] | (window[node + 3] << 8)
        scores[target] += window[node + 1] - 128
        at += length
        trees -= 1
        target += 1
        if target == CLASSES:
            target = 0
    state[_LEFT] = trees
    state[_TARGET] = target
    return at


def _u16(model, at):
    return model[at] | model[at + 1] << 8


class Forest:
    # limits: the verdict's own numbers, bytes 8..15 of the header
    def __init__(self, model):
        # model: bytes in flash or memory, or an open file with readinto() and seek()
        # Raises ValueError for bytes that are no whole model for these features.
        self._file = None if isinstance(model, (bytes, memoryview)) else model
        self._window = window = bytearray(_WINDOW) if self._file else model
        count = size = self._file.readinto(window) if self._file else len(model)
        if count <= _START or bytes(window[:4]) != _MAGIC:
            raise ValueError("no model of this kind")
        self.version = window[4]
        self.limits = bytes(window[8:16])
        self._trees = _u16(window, 6)
        features, check = window[5], _u16(window, 16) | _u16(window, 18) << 16
        self._prior = array("i", [0] * CLASSES)
        for index in range(CLASSES):
            prior = _u16(window, HEADER + 2 * index)
            self._prior[index] = prior - 65536 if prior & 0x8000 else prior
        self._scores = array("i", [0] * CLASSES)
        self._state = array("i", [0, 0])
        found = crc32(window[HEADER:count])
        while self._file and count and size <= _BYTES_MAX:
            count = self._file.readinto(window)
            size += count
            found = crc32(window[:count], found)
        if size > _BYTES_MAX:
            raise ValueError("no model of this kind")
        if found != check:
            raise ValueError("the model is damaged")
        if features != COUNT:
            raise ValueError("a model for other features")

    def score(self, values):
        # values: as Features has them; an array of six scores that the next call overwrites
        # Raises OSError if flash differs from its content at the start.
        scores, state = self._scores, self._state
        for index in range(CLASSES):
            scores[index] = self._prior[index]
        state[_LEFT] = self._trees
        state[_TARGET] = 0
        file, window, at = self._file, self._window, _START
        if file is None:
            _walk(window, at, len(window), values, scores, state)
            return scores
        while state[_LEFT]:
            file.seek(at)
            walked = _walk(window, 0, file.readinto(window), values, scores, state)
            if not walked:
                raise OSError(_EIO)
            at += walked
        return scores
