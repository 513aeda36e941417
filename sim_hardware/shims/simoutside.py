# SPDX-License-Identifier: MIT
# Link layer, simulated: real TCP in virtual time. The far end runs in the host's time, so the
# node's time must not get far ahead of it:
#
#   while bytes pass, and some seconds after, virtual time runs at PACE times the host's speed;
#   after a longer silence, or without a connection, it runs as fast as the node can;
#   before bytes go out, and at the times in stops_s, the node reports its time and waits for the
#   host's answer.

import simclock
import simhardware
import uselect
import usocket
import utime

# A commit on the host's disk takes PACE times as long for the node: at 20, a busy disk delayed a
# backlog of 700 records for more than five minutes.
PACE = 8
_TALK_US = 12_000_000
_LOOK_US = 50_000  # without traffic the host's bytes are polled so often, in virtual time
# Small, because it is on the node's heap.
_buffer = bytearray(256)

_port = 0
_host = None  # the connection on which the time is reported
_ends = []  # far ends whose connection stands
_poll = None
_talk_us = None  # virtual and host's time of the last byte
_talk_host_us = 0
_looked_us = 0


def start(settings):
    global _port, _host, _poll
    _port = settings.outside[0]
    _host = usocket.socket()
    _host.connect(usocket.getaddrinfo("127.0.0.1", settings.outside[1])[0][-1])
    _poll = uselect.poll()
    simclock.outside = hold
    for stop_us in settings.stops_us:
        if stop_us >= simclock.now():
            simclock.at(stop_us, _stop)
    _report("boot")


def _stop(_t_us):
    _report("stop")


def _report(word):
    # Returns when the host has answered: it has then done what was due.
    _host.write("%s %d\n" % (word, simclock.now()))
    if not _host.readline():
        simhardware.leave(simclock.EXIT_END, "end")  # the host has gone


def _talk():
    global _talk_us, _talk_host_us
    _talk_us, _talk_host_us = simclock.now(), utime.ticks_us()


def hold(t_us):
    # Waits until virtual time may be t_us; True when bytes arrived before.
    global _looked_us
    if not _ends:
        return False
    while True:
        wait_us = 0
        if _talk_us is not None and t_us < _talk_us + _TALK_US:
            passed_us = utime.ticks_diff(utime.ticks_us(), _talk_host_us)
            wait_us = (t_us - _talk_us) // PACE - passed_us
        if wait_us < 1000:
            if 0 <= t_us - _looked_us < _LOOK_US:
                return False
            _looked_us = t_us
        if _look(max(0, wait_us // 1000)):
            return True
        if wait_us < 1000:
            return False


def _look(wait_ms):
    # Whether bytes arrived within that time.
    ready = _poll.poll(wait_ms)
    for entry in ready:
        for end in list(_ends):
            if end.socket is entry[0]:
                end.read()
    return bool(ready)


class FarEnd:
    # Replaces the broker of simlink.

    def __init__(self, line):
        self._line = line
        _report("time")
        self.socket = usocket.socket()
        self.socket.connect(usocket.getaddrinfo("127.0.0.1", _port)[0][-1])
        self.socket.setblocking(False)
        _ends.append(self)
        _poll.register(self.socket, uselect.POLLIN)
        _talk()

    def receive(self, data):
        # From the node.
        if self.socket is None:
            return
        _report("time")
        try:
            self.socket.write(data)
        except OSError:
            self._line.cut()
            return
        _talk()

    def read(self):
        # To the node.
        try:
            size = self.socket.readinto(_buffer)
        except OSError:
            size = 0
        if size is None:
            return
        _talk()
        if size:
            self._line.to_node(bytes(memoryview(_buffer)[:size]))
        else:
            self.lost()
            self._line.ended()

    def lost(self):
        # One of the two sides is closed.
        if self.socket is not None:
            _poll.unregister(self.socket)
            _ends.remove(self)
            self.socket.close()
            self.socket = None
