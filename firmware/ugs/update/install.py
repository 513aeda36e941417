# SPDX-License-Identifier: MIT
# update: makes the spare tree exactly what a signed manifest says, going on where a cut left it.

import asyncio

from micropython import const

from ugs.update import ed25519, tree
from ugs.update.manifest import Manifest, ManifestError
from ugs.update.updater import (
    BAD_SIGNATURE,
    CORRUPT,
    FAILED,
    MALFORMED,
    NOT_NEWER,
    OTHER_BOARD,
    REFUSED,
    UpdateError,
)

# What is signed is short, whatever the manifest's size: these words and its SHA-256.
SIGNED = b"groundwatch release 1\n"
_PIECE = const(1024)
_TRIES = const(2)


class Install:
    # ask(file, offset) brings a piece; alive() is told of progress.

    def __init__(self, slots, ask, alive):
        self._slots = slots
        self._ask = ask
        self._alive = alive

    async def run(self, key, board, floor, digest, signature, size):
        # The version that is whole in the spare tree. Raises UpdateError or OSError.
        spare = self._slots.spare()
        if not await self._drive(ed25519.verify_steps(key, SIGNED + digest, signature)):
            raise UpdateError(REFUSED, BAD_SIGNATURE)
        self._slots.open_spare()
        path = spare + "/" + tree.MANIFEST
        await self._bring(0, path, size, digest, spare)
        try:
            manifest = Manifest(path)
        except ManifestError:
            raise UpdateError(REFUSED, MALFORMED)
        if manifest.board != board:
            raise UpdateError(REFUSED, OTHER_BOARD)
        if manifest.version <= floor:
            raise UpdateError(REFUSED, NOT_NEWER)
        await self._make_exact(manifest, spare)
        for number, (name, file_size, file_digest) in enumerate(manifest.entries(), 1):
            await self._bring(number, spare + "/" + name, file_size, file_digest, spare)
        return manifest.version

    async def _make_exact(self, manifest, spare):
        kept = {tree.MANIFEST}
        for name, _size, file_digest in manifest.entries():
            kept.add(name)
            kept.add(tree.part_path(spare, file_digest)[len(spare) + 1 :])
            await self._breathe()
        for path in tree.files(spare):
            if path not in kept:
                tree.remove(spare + "/" + path)
                await self._breathe()

    async def _bring(self, number, path, size, digest, spare):
        # Makes the file at `path` what it has to be: left, copied from the tree in use, or fetched.
        if await self._is(path, size, digest):
            return
        part = tree.part_path(spare, digest)
        tree.make_folders(part)
        for _ in range(_TRIES):
            source = self._slots.active() + path[len(spare) :]
            if number and await self._is(source, size, digest):
                await self._drive(tree.copy_steps(source, part))
            else:
                await self._fetch(number, part, size)
            if await self._is(part, size, digest):
                tree.put(part, path)
                return
            tree.remove(part)
        raise UpdateError(FAILED, CORRUPT)

    async def _fetch(self, number, part, size):
        # Goes on where a former boot was cut off.
        at = tree.size_of(part) or 0
        if at > size or not size:
            tree.remove(part)
            tree.append(part, b"")
            at = 0
        while at < size:
            data = await self._ask(number, at)
            if len(data) != min(_PIECE, size - at):
                raise UpdateError(FAILED, CORRUPT)
            tree.append(part, data)
            at += len(data)

    async def _is(self, path, size, digest):
        return tree.size_of(path) == size and await self._drive(tree.digest_steps(path)) == digest

    async def _drive(self, steps):
        # Runs a long calculation in small steps; its last word is the answer.
        answer = None
        for word in steps:
            answer = word
            await self._breathe()
        return answer

    async def _breathe(self):
        self._alive()
        await asyncio.sleep_ms(0)
