# SPDX-License-Identifier: MIT
# Board layer, simulated: power-on. Runs boot.py and main.py of the tree in the current directory.
#
#   cd TREE; GROUNDWATCH_SIM=sim.json MICROPYPATH=SHIMS:.frozen micropython SHIMS/run_node.py
#
# Exit codes: 0 the end set in sim.json; 1 the firmware raised; 2 a needed file is missing;
# 3 the node was reset (start it again: exit.json holds the cause and time for the next boot).

import json
import random
import sys

import uos

_BOOT_US = 300_000  # from reset to the first line of boot.py


def _prepare():
    here = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    # The shims first: a time.py in the tree must not replace the simulated clock.
    sys.path[:] = [here, here + "/..", "", "lib", ".frozen"]
    import simsettings

    path = uos.getenv("GROUNDWATCH_SIM")
    if not path:
        raise simsettings.SettingsError("set GROUNDWATCH_SIM to the path of sim.json")
    settings = simsettings.load(path)
    try:
        uos.stat("main.py")
    except OSError:
        raise simsettings.SettingsError("no main.py here; run in a bundled tree") from None
    return settings


def _start(settings):
    import simclock
    import simhardware
    import simsettings

    cause, t_us = _last_exit(settings.exit)
    if settings.mode == "virtual":
        start_us = simsettings.microseconds(settings.start_s)
        simclock.start_virtual(start_us if t_us is None else t_us + _BOOT_US)
    else:
        _start_real(settings)
    simclock.install_asyncio()
    try:
        simhardware.build(settings, cause)
    except KeyError:
        raise simsettings.SettingsError("no wiring for board " + settings.board) from None
    except OSError:
        raise simsettings.SettingsError("cannot open the feed " + settings.feed) from None
    random.seed(settings.seed * 1_000_003 + simclock.boot_us // 1000 & 0x3FFFFFFF)
    _bind(settings)


def _bind(settings):
    # Board, files and memory from the settings. Last, so that no earlier work is charged.
    import simcharge
    import simclock
    import simfiles
    import simimport
    import simmemory

    if settings.flash is not None:
        simfiles.start(settings.flash)
    # Built-in modules of a port use no heap of the node.
    for name in ("asyncio", "machine", "network", "os", "socket", "time"):
        __import__(name)
    collector = simmemory.Collector()
    sys.modules["gc"] = collector
    if settings.charges != "none":
        simcharge.start(settings.board, settings.charges == "worst")
        simimport.install()
        simclock.waits = collector.wait
    if settings.board_heap:
        simmemory.fit(simcharge.port("heap_free"), simcharge.port("in_flash"))
    collector.start()
    for begin_us, end_us in settings.faults_us["low_memory"]:
        simmemory.squeeze(begin_us, end_us)
    if settings.outside:
        import simoutside

        simoutside.start(settings)


def _start_real(settings):
    import simcharge
    import simclock
    import simpower

    simclock.start_real(settings.t0_epoch_ms)
    if settings.faults_us["power_off"] or settings.battery_points:
        simcharge.choose(settings.board)
        if not simpower.wait_real(settings):
            simclock.leave(simclock.EXIT_END)
        simclock.start_real(settings.t0_epoch_ms)
    _watch_parent()


def _watch_parent():
    # A killed fleet cannot stop its nodes: they detect the loss of their parent and end.
    import simclock
    import simhardware

    try:
        import ffi

        getppid = ffi.open(None).func("i", "getppid", "")
    except (ImportError, OSError):
        return
    parent = getppid()

    def look(t_us):
        if getppid() != parent:
            simhardware.leave(simclock.EXIT_END, "end")
        return t_us + 2_000_000

    simclock.at(simclock.now(), look)


def _last_exit(path):
    # The cause and time of the previous boot's end; a first boot is a power-on.
    try:
        with open(path) as file:
            last = json.load(file)
        uos.unlink(path)
    except OSError:
        return "power_on", None
    if last["cause"] in ("end", "crash"):
        return "power_on", last["t_us"]
    return last["cause"], last["t_us"]


def _run(name):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    code = compile(source, name, "exec")
    import simcharge

    simcharge.imported(len(source), True)
    exec(code, {"__name__": "__main__", "__file__": name})


def main():
    try:
        settings = _prepare()
        _start(settings)
    except Exception as error:
        if type(error).__name__ != "SettingsError":
            raise
        print("run_node: %s" % error)
        sys.exit(2)
    import simclock
    import simhardware

    try:
        _run("boot.py")
        _run("main.py")
    except Exception as error:
        sys.print_exception(error)
        simhardware.leave(simclock.EXIT_CRASH, "crash")
    simhardware.leave(simclock.EXIT_END, "end")


main()
