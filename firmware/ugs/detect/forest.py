# SPDX-License-Identifier: MIT
# Verdict: boosted trees (Friedman, Ann. Stat. 29, 1189) walked in one go.
#
# The model's bytes, made by tools/train: the header ("GWF1", version, count of features, count of
# trees, eight bytes for the verdict, CRC-32 of what follows it), an int16 a class to begin with,
# then the trees, those of one round together, one a class, each behind its length (uint16):
#   branch   feature, threshold, and how many bytes on the right child stands (uint16)
#   leaf     255, and 128 + its value
# Left children follow their branch; a value of at most the threshold goes left. Every number is
# little-endian. Scores count 64 for one unit of log-odds.

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


@micropython.viper
def _walk(model: ptr8, start: int, trees: int, values: ptr8, scores: ptr32):
    at = start
    tree = 0
    target = 0
    while tree < trees:
        length = model[at] | (model[at + 1] << 8)
        at += 2
        node = at
        while model[node] != _LEAF:
            if values[model[node]] <= model[node + 1]:
                node += 4
            else:
                node += model[node + 2] | (model[node + 3] << 8)
        scores[target] += model[node + 1] - 128
        at += length
        tree += 1
        target += 1
        if target == CLASSES:
            target = 0


def _u16(model, at):
    return model[at] | model[at + 1] << 8


class Forest:
    # limits: the verdict's own numbers, bytes 8..15 of the header
    def __init__(self, model):
        # ValueError for bytes that are no model for these features, or not whole
        if not _START < len(model) <= _BYTES_MAX or bytes(model[:4]) != _MAGIC:
            raise ValueError("no model of this kind")
        if crc32(model[HEADER:]) != _u16(model, 16) | _u16(model, 18) << 16:
            raise ValueError("the model is damaged")
        if model[5] != COUNT:
            raise ValueError("a model for other features")
        self.version = model[4]
        self.limits = bytes(model[8:16])
        self._model = model
        self._trees = _u16(model, 6)
        self._prior = array("i", [0] * CLASSES)
        for index in range(CLASSES):
            prior = _u16(model, HEADER + 2 * index)
            self._prior[index] = prior - 65536 if prior & 0x8000 else prior
        self._scores = array("i", [0] * CLASSES)

    def score(self, values):
        # values: as Features has them; an array of six scores that the next call overwrites
        scores = self._scores
        for index in range(CLASSES):
            scores[index] = self._prior[index]
        _walk(self._model, _START, self._trees, values, scores)
        return scores
