# SPDX-License-Identifier: MIT
# take_out.py IMAGE BOARD FOLDER: copies the file system in an image of a board's flash to FOLDER.

import sys

import simcharge
import uos
from parts import flash

_FOLDER = 0x4000


def copy(source, target):
    for name, kind, *_ in uos.ilistdir(source):
        below, to = source + "/" + name, target + "/" + name
        if kind == _FOLDER:
            uos.mkdir(to)
            copy(below, to)
            continue
        with open(below, "rb") as read, open(to, "wb") as write:
            while data := read.read(4096):
                write.write(data)


def main(image, board, folder):
    simcharge.choose(board)
    device = flash.Flash(image, simcharge.port("flash_blocks"))
    size = simcharge.port("flash_program_bytes")
    uos.mount(uos.VfsLfs2(device, progsize=size), "/flash")
    copy("/flash", folder)


main(*sys.argv[1:])
