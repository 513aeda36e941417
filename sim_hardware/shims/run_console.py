# SPDX-License-Identifier: MIT
# Room "board", simulated: MicroPython on a USB cable. A littlefs on a flash image, boot.py and
# main.py, then the console with its friendly prompt, raw REPL and raw paste, as boards have it.
#
#   micropython run_console.py FLASH.IMG BLOCKS IDENTITY.JSON [prompt]
#
# With `prompt` it starts at its prompt, as after Ctrl-C: neither boot.py nor main.py is run.
# Speaks on stdin and stdout; while code runs SIGINT stands for Ctrl-C. Exit codes: 3
# machine.reset(), 4 machine.bootloader(): whoever holds the cable starts it again, or shows the
# boot ROM's drive.

import io
import json
import sys

import micropython
import uos
from vfs import VfsLfs2, mount

_BLOCK = 4096
_PROG = 256  # rp2_flash.c
_WINDOW = 128  # half the stdin buffer of rp2 and esp32
# Told to whoever holds the cable: code runs, which SIGINT interrupts; or the console reads.
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
        # A board's driver is C, which Ctrl-C does not break off.
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
        _say(_BREAKS if char == 3 else _BYTES)

    def __getattr__(self, name):
        return getattr(micropython, name)


class Left(BaseException):
    # Flies past every `except Exception` of what runs, as a reset does.
    pass


class Sys:
    # Everything as on this machine but who it is.
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


def _say(text):
    sys.stdout.write(text)


def _read():
    # One byte; here Ctrl-C is one as well.
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
    # The trace of what it raised, or None.
    try:
        _say(_RUNS)
        exec(compile(source, "<stdin>", "exec"), scope)
    except (Exception, KeyboardInterrupt) as error:
        trace = io.StringIO()
        sys.print_exception(error, trace)
        return trace.getvalue()
    finally:
        _say(_READS)


def _run_file(name, scope):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    trace = _execute(source, scope)
    if trace:
        _say(trace)


def _take_paste():
    # Raw paste: two windows are granted at first, then one for each that was taken.
    sys.stdout.buffer.write(b"R\x01" + bytes((_WINDOW, 0, 1)))
    source = bytearray()
    taken = 0
    while True:
        byte = _read()
        if byte == b"\x04":
            _say("\x04")
            return source
        if byte == b"\x03":
            _say("\x04")
            return None
        source.extend(byte)
        taken += 1
        if taken == _WINDOW:
            taken = 0
            _say("\x01")


def _raw(scope):
    # True for the friendly prompt, False for a soft reset.
    _say("raw REPL; CTRL-B to exit\n>")
    while True:
        source = bytearray()
        while True:
            byte = _read()
            if byte == b"\x02":
                _say("\n")
                return True
            if byte == b"\x01":
                _say("raw REPL; CTRL-B to exit\n>")
                source = bytearray()
            elif byte == b"\x03":
                source = bytearray()
            elif byte == b"\x04":
                if not source:
                    _say("OK\n")
                    return False
                _say("OK")
                break
            elif byte == b"\x05" and not source:
                if _read() + _read() == b"A\x01":
                    source = _take_paste()
                    break
                _say("R\x00")
            else:
                source.extend(byte)
        trace = None
        if source is not None:
            trace = _execute(str(source, "utf-8"), scope)
        _say("\x04" + (trace or "") + "\x04>")


def _friendly(scope):
    # True for the raw REPL, False for a soft reset.
    _say('MicroPython on a simulated board\nType "help()" for more information.\n>>> ')
    line = ""
    while True:
        byte = _read()
        if byte == b"\x01":
            return True
        if byte == b"\x04" and not line:
            _say("\n")
            return False
        if byte == b"\x03":
            line = ""
            _say("\n>>> ")
        elif byte == b"\r":
            _say("\n")
            trace = _execute(line, scope)
            _say((trace or "") + ">>> ")
            line = ""
        else:
            _say(str(byte, "latin-1"))
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
        _say(_READS)
        while True:
            try:
                if (_raw if in_raw else _friendly)(scope):
                    in_raw = not in_raw
                else:
                    break
            except KeyboardInterrupt:  # meant for code that has just ended
                pass
        _say("MPY: soft reboot\n")


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
