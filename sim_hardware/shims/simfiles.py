# SPDX-License-Identifier: MIT
# Board, simulated: the file system of the board, littlefs on flash of the board's size. It starts
# as a copy of the tree in the current directory, as if the tree had been flashed.

import simcharge
import uos
from parts import flash

POINT = "/flash"
_FOLDER = 0x4000


def start(path):
    # Mounts the file system kept in the host's file `path` and makes it the current directory.
    # Raises OSError, ENOSPC for a tree that is larger than the board's flash.
    sectors = simcharge.port("flash_blocks")
    size = simcharge.port("flash_program_bytes")
    tree = uos.getcwd()
    try:
        uos.stat(path)
        is_new = False
    except OSError:
        is_new = True
        flash.make(path + ".new", sectors)
        device = flash.Flash(path + ".new", sectors)
        uos.VfsLfs2.mkfs(device, progsize=size)
        mount(path + ".new")
        copy(tree, POINT)
        uos.umount(POINT)
        uos.rename(path + ".new", path)
    mount(path)
    uos.chdir(POINT)
    return is_new


def mount(path):
    # The file system in an image of the chosen board's flash, at POINT.
    device = flash.Flash(path, simcharge.port("flash_blocks"))
    uos.mount(uos.VfsLfs2(device, progsize=simcharge.port("flash_program_bytes")), POINT)


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
