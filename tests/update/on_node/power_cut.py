# SPDX-License-Identifier: MIT
# Cuts the power at every flash operation of a whole update, tears the operation, and goes on.
# Usage: power_cut.py good|bad|long FIRST STEP; "bad" is a release that never proves itself. Prints
# "cuts N operations M". Whatever tree a boot chooses has to be whole: that is what must never fail.
# "long" is never cut: so long that littlefs comes round to the blocks it has let go.

import asyncio
import gc
import os
import sys
from binascii import hexlify
from hashlib import sha256

import vfs

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../ledger/on_node")
from nor_flash import BLOCK, BLOCKS, Flash, format_flash, lfs
from slots import Slots

from ugs.ledger.journal import Journal
from ugs.update import ed25519, install
from ugs.update import updater as updater_module
from ugs.update.self_test import SelfTest
from ugs.update.updater import Updater

OLD = {
    "boards/base.mpy": b"# board\n" * 75,
    "ugs/clock.mpy": b"# old clock\n" * 900,
    "ugs/gone.mpy": b"# no longer part of it\n",
    "ugs/node.mpy": b"# old node\n",
}
NEW = {
    "boards/base.mpy": OLD["boards/base.mpy"],
    "ugs/clock.mpy": b"# new clock\n" * 1100,
    "ugs/dsp/added.mpy": b"# a new folder\n" * 20,
    "ugs/node.mpy": b"# new node\n",
}
if sys.argv[1] == "long":
    NEW = {"ugs/f%02d.mpy" % n: b"# file %02d\n" % n * 130 for n in range(40)}
VERSION = 2_000
MPY = sys.implementation._mpy & 0x3FFF
COMMAND = 77


class Hurried:
    # asyncio for code that waits: the waiting is left out, or each cut would take minutes.
    CancelledError = asyncio.CancelledError

    @staticmethod
    async def sleep_ms(_ms):
        await asyncio.sleep(0)


updater_module.asyncio = install.asyncio = Hurried


# Signatures are the matter of test_ed25519; verified on every boot they would take minutes here.
def verify_steps(key, message, signature):
    yield None
    yield True


ed25519.verify_steps = verify_steps
updater_module.unload = lambda: None


class Cut(Exception):
    pass


class Restart(Exception):
    pass


def manifest(version, files):
    text = "groundwatch release 1\nboard pico_w\nversion %s\nmpy %d\n" % (version, MPY)
    for path in sorted(files):
        digest = hexlify(sha256(files[path]).digest()).decode()
        text += "%s %d %s\n" % (digest, len(files[path]), path)
    return text.encode()


def pack_of(version, files):
    text = manifest(version, files)
    head = b"groundwatch release 1\n" + len(text).to_bytes(4, "big") + bytes(64)
    return head + text + b"".join([files[path] for path in sorted(files)])


OLD_PACK, NEW_PACK = pack_of("0.1.0", OLD), pack_of("0.2.0", NEW)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def prepare():
    image = bytearray(b"\xff" * (BLOCK * BLOCKS))
    flash = Flash(image)
    format_flash(flash)
    vfs.mount(lfs(flash), "/flash")
    os.chdir("/flash")
    with open("a.fw", "wb") as file:
        file.write(OLD_PACK)
    for name in ("node.json", "slot0", "slot1"):
        open(name, "wb").close()
    Journal("state").open()
    os.chdir("/")
    vfs.umount("/flash")
    return image


async def talk(updater, restarts):
    # The gateway: commands the update once, then answers each request.
    pieces = (manifest("0.2.0", NEW),) + tuple(NEW[path] for path in sorted(NEW))
    order = sha256(pieces[0]).digest() + bytes(64) + len(pieces[0]).to_bytes(4, "big")
    refusal = updater.take({"id": COMMAND, "data": order}, 0)
    assert refusal is None, refusal
    task = asyncio.create_task(updater.run(lambda: 0))
    while updater.is_busy and not restarts:
        request = updater.next_chunk_request(0)
        if request is not None:
            at = request["offset"]
            data = pieces[request["file"]][at : at + 1024]
            chunk = {"command_id": COMMAND, "file": request["file"], "offset": at, "data": data}
            updater.on_chunk(chunk)
            updater.on_chunk(chunk)  # brokers repeat themselves
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


def boot(flash, is_good, reported):
    # One boot until it ends by itself or by the cut. True once the update is settled.
    slots = Slots(".")
    slots.choose(0)
    assert slots.image in ("a", "b"), slots.image
    held = read(slots.path(slots.image))
    is_new = held == NEW_PACK
    assert is_new or held == OLD_PACK, ("a tree that is not whole", slots.image, len(held))
    assert is_new or not slots.on_trial
    journal = Journal("state")
    journal.open()

    def record(name, values):
        kept = journal.record(name, values)
        if kept[2]:
            reported.append((values["status"], values["value"]))

    restarts = []
    updater = Updater(
        bytes(32),
        "pico_w",
        1_000,
        slots,
        record,
        lambda: restarts.append(1),
        lambda: None,
        lambda: None,
    )
    updater.report_outcome(0)
    if slots.on_trial:
        SelfTest(slots).step(700_000 if not is_good else 61_000, is_good, True)
        if is_good:
            updater.report_outcome(0)
        return False
    SelfTest(slots).step(61_000, True, True)
    if is_new or (not is_good and reported):
        return True
    asyncio.run(talk(updater, restarts))
    return False


def boots(flash, is_good, reported):
    # Boots until the update is settled or the power is cut; True when settled.
    for _ in range(12):
        try:
            disk = lfs(flash)
            vfs.mount(disk, "/flash")
        except OSError:
            assert flash.is_dead()
            return False
        os.chdir("/flash")
        try:
            if boot(flash, is_good, reported):
                return True
        except OSError:
            if not flash.is_dead():
                raise
        finally:
            os.chdir("/")
            vfs.umount("/flash")
        if flash.is_dead():
            gc.collect()  # what the cut left open is closed while its file system is still there
            del disk
            return False
    raise AssertionError("the update never comes to an end")


def run_cut(image, is_good, cut, torn_pct):
    reported = []
    flash = Flash(bytearray(image), cut, torn_pct)
    if boots(flash, is_good, reported):
        return False, flash.done
    # Power is back; a weak battery cuts it once more, early.
    flash = Flash(flash.image, cut % 7, torn_pct)
    boots(flash, is_good, reported)
    flash = Flash(flash.image)
    assert boots(flash, is_good, reported)
    vfs.mount(lfs(flash), "/flash")
    os.chdir("/flash")
    slots = Slots(".")
    held = read(slots.path(slots.active()))
    os.chdir("/")
    vfs.umount("/flash")
    assert held == (NEW_PACK if is_good else OLD_PACK)
    assert slots.floor == (VERSION if is_good else 0), slots.floor
    assert ((0, VERSION) if is_good else (3, 10)) in reported, reported
    return True, 0


def main():
    is_good, cut, step = sys.argv[1] == "good", int(sys.argv[2]), int(sys.argv[3])
    image = prepare()
    if sys.argv[1] == "long":
        _was_cut, done = run_cut(image, True, -1, 0)
        print("cuts 0 operations %d" % done)
        return
    cuts = operations = 0
    while True:
        hit = 0
        for torn_pct in (0, 50, 99):
            was_cut, done = run_cut(image, is_good, cut, torn_pct)
            hit += was_cut
            operations = max(operations, done)
        gc.collect()
        if not hit:
            break
        cuts += hit
        cut += step
    print("cuts %d operations %d" % (cuts, operations))


main()
