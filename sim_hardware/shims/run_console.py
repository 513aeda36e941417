# SPDX-License-Identifier: MIT
# Board layer, simulated: MicroPython on a USB cable. A littlefs on a flash image, boot.py and
# main.py, then the console with its friendly prompt, raw REPL and raw paste, as on boards.
#
#   micropython run_console.py FLASH.IMG BLOCKS IDENTITY.JSON [prompt]
#
# With `prompt` it starts at its prompt, as after Ctrl-C, and runs neither boot.py nor main.py.
# It uses stdin and stdout; while code runs, SIGINT is Ctrl-C. Exit codes: 3 machine.reset(), 4
# machine.bootloader(). The parent process then starts it again, or shows the boot ROM's drive.

import io
import json
import sys

import micropython
import uos
from vfs import VfsLfs2, mount

_BLOCK = 4096
_PROG = 256  # rp2_flash.c
_WINDOW = 128  # half the stdin buffer of rp2 and esp32
# Written for the parent process: code runs, which SIGINT interrupts; or the console reads.
_RUNS, _READS = "\x1e", "\x1f"
# Ctrl-C is a byte like any other, or it interrupts again (micropython.kbd_intr).
_BYTES, _BREAKS = "\x1c", "\x1d"
EXIT_RESET = 3
EXIT_BOOTLOADER = 4


class Flash:
    # The extended block device of littlefs over a file; a page is on flash when write returns.
    def __init__(self, path, blocks):
        self._file = open(path, "r+b")
        self._blocks = blocks

    def readblocks(self, block, buffer, offset=0):
        self._whole(self._file.readinto, block * _BLOCK + offset, buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._whole(self._file.write, block * _BLOCK + offset, buffer)
        self._whole(lambda _buffer: self._file.flush(), 0, b"")

    def _whole(self, work, at, buffer):
        # A board's driver is C, which Ctrl-C does not interrupt.
        while True:
            try:
                self._file.seek(at)
                work(buffer)
                return
            except KeyboardInterrupt:
                pass

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return _BLOCK
        if op == 6:
            self.writeblocks(arg, b"\xff" * _BLOCK)
        return 0


class Machine:
    def __init__(self, identity):
        self._id = bytes.fromhex(identity["unique_id"])

    def unique_id(self):
        return self._id

    def reset(self):
        _leave(EXIT_RESET)

    def bootloader(self):
        _leave(EXIT_BOOTLOADER)


class Micropython:
    def kbd_intr(self, char):
        _write(_BREAKS if char == 3 else _BYTES)

    def __getattr__(self, name):
        return getattr(micropython, name)


class Left(BaseException):
    # No `except Exception` of the running code catches it, as with a reset.
    pass


class Sys:
    # The host's sys with the identity of the board.
    def __init__(self, identity):
        self.platform = identity["platform"]
        self.implementation = Implementation(identity)

    def __getattr__(self, name):
        return getattr(sys, name)


class Implementation:
    def __init__(self, identity):
        self.name = "micropython"
        self.version = tuple(identity["version"])
        self._machine = identity["machine"]
        self._mpy = identity["mpy"] or sys.implementation._mpy


def _leave(code):
    raise Left(code)


def _write(text):
    sys.stdout.write(text)


def _read():
    # One byte; Ctrl-C is a byte as well.
    while True:
        try:
            byte = sys.stdin.buffer.read(1)
            break
        except KeyboardInterrupt:  # meant for code that has just ended
            pass
    if not byte:
        sys.exit(0)
    return byte


def _execute(source, scope):
    # The traceback as text, or None.
    try:
        _write(_RUNS)
        exec(compile(source, "<stdin>", "exec"), scope)
    except (Exception, KeyboardInterrupt) as error:
        trace = io.StringIO()
        sys.print_exception(error, trace)
        return trace.getvalue()
    finally:
        _write(_READS)


def _run_file(name, scope):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    trace = _execute(source, scope)
    if trace:
        _write(trace)


def _take_paste():
    # Raw paste: grants two windows at first, then one for each received window.
    sys.stdout.buffer.write(b"R\x01" + bytes((_WINDOW, 0, 1)))
    source = bytearray()
    taken = 0
    while True:
        byte = _read()
        if byte == b"\x04":
            _write("\x04")
            return source
        if byte == b"\x03":
            _write("\x04")
            return None
        source.extend(byte)
        taken += 1
        if taken == _WINDOW:
            taken = 0
            _write("\x01")


def _raw(scope):
    # True for the friendly prompt, False for a soft reset.
    _write("raw REPL; CTRL-B to exit\n>")
    while True:
        source = bytearray()
        while True:
            byte = _read()
            if byte == b"\x02":
                _write("\n")
                return True
            if byte == b"\x01":
                _write("raw REPL; CTRL-B to exit\n>")
                source = bytearray()
            elif byte == b"\x03":
                source = bytearray()
            elif byte == b"\x04":
                if not source:
                    _write("OK\n")
                    return False
                _write("OK")
                break
            elif byte == b"\x05" and not source:
                if _read() + _read() == b"A\x01":
                    source = _take_paste()
                    break
                _write("R\x00")
            else:
                source.extend(byte)
        trace = None
        if source is not None:
            trace = _execute(str(source, "utf-8"), scope)
        _write("\x04" + (trace or "") + "\x04>")


def _friendly(scope):
    # True for the raw REPL, False for a soft reset.
    _write('MicroPython on a simulated board\nType "help()" for more information.\n>>> ')
    line = ""
    while True:
        byte = _read()
        if byte == b"\x01":
            return True
        if byte == b"\x04" and not line:
            _write("\n")
            return False
        if byte == b"\x03":
            line = ""
            _write("\n>>> ")
        elif byte == b"\r":
            _write("\n")
            trace = _execute(line, scope)
            _write((trace or "") + ">>> ")
            line = ""
        else:
            _write(str(byte, "latin-1"))
            line += str(byte, "latin-1")


def _console(is_held):
    in_raw = False
    while True:
        scope = {"__name__": "__main__"}
        if not is_held:
            _run_file("boot.py", scope)
            if not in_raw:
                _run_file("main.py", scope)
        is_held = False
        _write(_READS)
        while True:
            try:
                if (_raw if in_raw else _friendly)(scope):
                    in_raw = not in_raw
                else:
                    break
            except KeyboardInterrupt:  # meant for code that has just ended
                pass
        _write("MPY: soft reboot\n")


def main():
    flash = Flash(sys.argv[1], int(sys.argv[2]))
    with open(sys.argv[3]) as file:
        identity = json.load(file)
    try:
        files = VfsLfs2(flash, progsize=_PROG)
    except OSError:
        VfsLfs2.mkfs(flash, progsize=_PROG)
        files = VfsLfs2(flash, progsize=_PROG)
    mount(files, "/")
    uos.chdir("/")
    sys.path[:] = ["", "/lib", ".frozen"]
    sys.modules["sys"] = Sys(identity)
    sys.modules["micropython"] = Micropython()
    sys.modules["machine"] = Machine(identity)
    try:
        _console(sys.argv[4:] == ["prompt"])
    except Left as left:
        sys.exit(left.args[0])


main()
