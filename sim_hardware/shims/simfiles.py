# SPDX-License-Identifier: MIT
# Board, simulated: the file system of the board, littlefs on flash of the board's size. It begins
# as a copy of the tree in the current directory, as if the tree had been flashed.

import simcharge
import uos
from parts import flash

_POINT = "/flash"
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
        uos.mount(uos.VfsLfs2(device, progsize=size), _POINT)
        _copy(tree, _POINT)
        uos.umount(_POINT)
        uos.rename(path + ".new", path)
    uos.mount(uos.VfsLfs2(flash.Flash(path, sectors), progsize=size), _POINT)
    uos.chdir(_POINT)
    return is_new


def _copy(source, target):
    for name, kind, *_ in uos.ilistdir(source):
        below, to = source + "/" + name, target + "/" + name
        if kind == _FOLDER:
            uos.mkdir(to)
            _copy(below, to)
            continue
        with open(below, "rb") as read, open(to, "wb") as write:
            while data := read.read(4096):
                write.write(data)
