# SPDX-License-Identifier: MIT
# Key rotations of a node on a real littlefs: steps.py cut FIRST STEP PROGSIZE [LAST] cuts the power
# at every STEP-th flash operation of one and prints "cuts N operations M". steps.py dump FILE N
# writes the flash of a node after N rotations. A scrubbed flash holds no key of a past epoch.

import json
import os
import sys
from binascii import hexlify

import vfs

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../ledger/on_node")
import nor_flash
from nor_flash import Flash

from ugs.ledger.journal import Journal
from ugs.ratchet import Ratchet
from ugs.wire import keys

DAY_MS = 86_400_000
T0_MS = 1_800_000_000_000
KEY = bytes(range(32))
CHAIN = [KEY]
for number in range(1, 9):
    CHAIN.append(keys.next_key(CHAIN[-1], number))
PROVISIONED = {
    "site": "north",
    "node": "n07",
    "board": "pico_w",
    "key": hexlify(KEY).decode(),
    "wifi": {"ssid": "groundwatch", "passphrase": "correct horse"},
    "broker": {"host": "192.168.4.1", "port": 1883},
    "x_m": 75,
    "y_m": 12.5,
    "pir": True,
}


def mounted(flash, progsize):
    nor_flash.BLOCKS = len(flash.image) // nor_flash.BLOCK
    vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=progsize, lookahead=128), "/node")
    os.chdir("/node")


def dismounted():
    os.chdir("/")
    vfs.umount("/node")


def new_node(blocks, progsize):
    # A node that got its key at the cable, has a ledger and has received one answer.
    flash = Flash(bytearray(b"\xff" * nor_flash.BLOCK * blocks))
    nor_flash.BLOCKS = blocks
    vfs.VfsLfs2.mkfs(flash, readsize=32, progsize=progsize, lookahead=128)
    mounted(flash, progsize)
    with open("node.json", "w") as file:
        json.dump(PROVISIONED, file)
    with open("a.fw", "wb") as file:
        file.write(bytes(30_000))
    journal = Journal("state")
    journal.open()
    for number in range(40):
        journal.record("result", {"t_ms": number, "command_id": number, "status": 0})
    assert not loaded_ratchet().step(T0_MS)
    dismounted()
    return flash


def loaded_ratchet():
    with open("node.json") as file:
        key = json.load(file).get("key")
    return Ratchet("state", key and bytes.fromhex(key))


def scrub(ratchet):
    rounds = 0
    while ratchet.left != 0:
        ratchet.scrub()
        rounds += 1
        assert rounds < 3_000, "it never ends"


def step(epoch):
    # The whole rotation to an epoch.
    ratchet = loaded_ratchet()
    if ratchet.step(T0_MS + epoch * DAY_MS):
        assert ratchet.keys.up_key == keys.Keys(CHAIN[epoch], b"").up_key
    faults = ratchet.faults
    while ratchet.left != 0 and ratchet.faults == faults:
        ratchet.scrub()


def copies(image, epochs):
    # How often keys of those epochs occur in a flash, raw or in hex digits.
    found = 0
    for epoch in epochs:
        for text in (CHAIN[epoch], hexlify(CHAIN[epoch])):
            at = image.find(text)
            while at >= 0:
                found += 1
                at = image.find(text, at + 1)
    return found


def cut(first, every, progsize, last=1_000_000):
    base = new_node(18, progsize)
    assert copies(base.image, (0,)) >= 2
    flash = Flash(bytearray(base.image))
    mounted(flash, progsize)
    step(1)
    dismounted()
    assert copies(flash.image, (0,)) == 0, copies(flash.image, (0,))
    assert copies(flash.image, (1,)) >= 1
    operations, cuts, reached = flash.done, 0, set()
    for at in range(first, min(operations, last), every):
        for torn_pct in (0, 50, 100):
            flash = Flash(bytearray(base.image), at, torn_pct)
            mounted(flash, progsize)
            try:
                step(1)
            except (OSError, ValueError):
                pass
            try:
                dismounted()
            except OSError:
                pass
            cuts += 1
            # Power is back.
            flash = Flash(flash.image)
            mounted(flash, progsize)
            ratchet = loaded_ratchet()
            reached.add(ratchet.epoch)
            assert ratchet.key == CHAIN[ratchet.epoch]
            assert ratchet.keys.mqtt_password == keys.derive(KEY).mqtt_password
            # The gateway has received the current epoch; a day later the next step is due.
            scrub(ratchet)
            assert loaded_ratchet().step(T0_MS + 5 * DAY_MS)
            ratchet = loaded_ratchet()
            scrub(ratchet)
            left = copies(flash.image, range(ratchet.epoch))
            assert left == 0, (at, torn_pct, ratchet.epoch, left)
            dismounted()
    assert reached == {0, 1}, reached
    print("cuts %d operations %d" % (cuts, operations))


def dump(path, epochs):
    flash = new_node(64, 256)
    for epoch in range(1, epochs + 1):
        mounted(flash, 256)
        step(epoch)
        dismounted()
    mounted(flash, 256)
    assert loaded_ratchet().epoch == epochs
    dismounted()
    with open(path, "wb") as file:
        file.write(flash.image)
    print("epoch %d copies %d" % (epochs, copies(flash.image, range(epochs))))


if sys.argv[1] == "cut":
    cut(*[int(word) for word in sys.argv[2:]])
else:
    dump(sys.argv[2], int(sys.argv[3]))
