# SPDX-License-Identifier: MIT
# update: makes the spare image match a signed manifest, and continues after an interruption.

import asyncio
import sys

from micropython import const

from ugs.update import ed25519, image
from ugs.update.manifest import Manifest, ManifestError
from ugs.update.updater import (
    BAD_SIGNATURE,
    CORRUPT,
    FAILED,
    MALFORMED,
    NOT_NEWER,
    OTHER_BOARD,
    OTHER_MPY,
    REFUSED,
    UpdateError,
)

# The signed text is short, whatever the manifest's size: this prefix and the manifest's SHA-256.
SIGNED = b"groundwatch release 1\n"
_PIECE = const(1024)
_MPY_MASK = const(0x3FFF)  # as in package.py
_TRIES = const(2)


class Install:
    # ask(file, offset) fetches a chunk; alive() is called on progress.

    def __init__(self, slots, ask, alive):
        self._slots = slots
        self._ask = ask
        self._alive = alive

    async def run(self, key, board, floor, digest, signature, size):
        # The version that is complete in the spare image. Raises UpdateError or OSError.
        if not await self._drive(ed25519.verify_steps(key, SIGNED + digest, signature)):
            raise UpdateError(REFUSED, BAD_SIGNATURE)
        print("update signed")
        self._slots.open_spare()
        spare = self._slots.path(self._slots.spare())
        head = SIGNED + size.to_bytes(4, "big") + signature
        for _ in range(_TRIES):
            if not _begins_with(spare, head):
                image.remove(spare)
                image.append(spare, head)
            version = await self._fill(spare, board, floor, digest, size)
            if version:
                return version
            image.remove(spare)
        raise UpdateError(FAILED, CORRUPT)

    async def _fill(self, spare, board, floor, digest, size):
        # Continues where an earlier boot stopped. The version, or 0 if a hash does not match.
        if not await self._bring(0, spare, digest, len(SIGNED) + 68, size):
            return 0
        try:
            manifest = Manifest(spare)
        except ManifestError:
            raise UpdateError(REFUSED, MALFORMED)
        if manifest.board != board:
            raise UpdateError(REFUSED, OTHER_BOARD)
        if manifest.mpy != sys.implementation._mpy & _MPY_MASK:
            raise UpdateError(REFUSED, OTHER_MPY)
        if manifest.version <= floor:
            raise UpdateError(REFUSED, NOT_NEWER)
        source = _manifest(self._slots.path(self._slots.active()))
        number, place, at = 0, manifest.first, manifest.end
        while place < manifest.end:
            number += 1
            try:
                file_digest, file_size, place = manifest.entry(place)
            except ManifestError:
                return 0  # it matched a moment ago: the flash is unreliable
            if not await self._bring(number, spare, file_digest, at, file_size, source):
                return 0
            at += file_size
        return manifest.version if image.size_of(spare) == at else 0

    async def _bring(self, number, spare, digest, at, size, source=None):
        # Completes one file: copied from the image in use if it is there, otherwise from the
        # gateway.
        have = image.size_of(spare) - at
        if have < size and source is not None:
            found = source.find(digest)
            if found is not None:
                await self._drive(image.copy_steps(source.path, found + have, size - have, spare))
                have = image.size_of(spare) - at
        while have < size:
            data = await self._ask(number, have)
            if len(data) != min(_PIECE, size - have):
                raise UpdateError(FAILED, CORRUPT)
            image.append(spare, data)
            have += len(data)
        return await self._drive(image.digest_steps(spare, at, size)) == digest

    async def _drive(self, steps):
        # Runs a long calculation in small steps; the last value is the result.
        answer = None
        try:
            for word in steps:
                answer = word
                await self._breathe()
        finally:
            steps.close()  # this also closes its files
        return answer

    async def _breathe(self):
        self._alive()
        await asyncio.sleep_ms(0)


def _begins_with(path, head):
    try:
        with open(path, "rb") as file:
            return file.read(len(head)) == head
    except OSError:
        return False


def _manifest(path):
    # Of the image in use; None if it is damaged: then everything is fetched.
    try:
        return Manifest(path)
    except (OSError, ManifestError):
        return None
