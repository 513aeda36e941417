# SPDX-License-Identifier: MIT
"""Workbench, bench: what runs on the board, plain MicroPython that prints one line of JSON."""

ANSWER_S = 600.0  # of wall time; an emulated board is slow

# A third of VSYS is on GP29, which the radio uses as well: it is read while GP25 keeps that away.
SUPPLY = """
import json
from machine import ADC, Pin
Pin(25, Pin.OUT, value=1)
Pin(29, Pin.IN)
r = ADC(29).read_u16
_reply(sum(r() for _ in range(64)) * 3 * 3300 // (64 * 65535))
"""

HEAP = """
import gc, json
gc.collect()
_reply(gc.mem_free())
"""

BATTERY = """
import json
from machine import ADC, Pin
r = ADC(Pin(28)).read_u16
_reply(sum(r() for _ in range(64)) * 2 * 3300 // (64 * 65535))
"""

# Samples as the node takes them: four readings of 12 bits at 250 Hz. The noise is that of the
# differences between samples, over the root of two: neither hum of the floor nor drift counts.
SAMPLE = """
import json, time
from array import array
from machine import ADC, Pin, Timer
_r = ADC(Pin(26)).read_u16
_n = {0} * 250
_a = array('h', bytes(2 * _n))
_s = [0, 0, 0]
def _take(_t):
 now = time.ticks_us()
 if _s[0] < _n:
  _a[_s[0]] = (_r() >> 4) + (_r() >> 4) + (_r() >> 4) + (_r() >> 4) - 8192
  if _s[0]:
   gap = time.ticks_diff(now, _s[1])
   if gap > _s[2]: _s[2] = gap
  _s[0] += 1
  _s[1] = now
_begin = time.ticks_us()
_timer = Timer(-1)
_timer.init(freq=250, mode=Timer.PERIODIC, callback=_take)
while _s[0] < _n: time.sleep_ms(20)
_timer.deinit()
_us = time.ticks_diff(_s[1], _begin)
_m = sum(_a) // _n
_d = sum((_a[i] - _a[i - 1]) ** 2 for i in range(1, _n)) / (_n - 1)
_p = max(max(_a) - _m, _m - min(_a))
_reply({{'count': _n, 'us': _us, 'gap_us': _s[2], 'offset': _m, 'peak': _p,
 'rms_x100': int((_d / 2) ** 0.5 * 100)}})
"""

EDGES = """
import json, time
from machine import Pin
_pin = Pin({0}, Pin.IN, Pin.{1})
_rises = [0]
def _rose(_p): _rises[0] += 1
_pin.irq(handler=_rose, trigger=Pin.IRQ_RISING)
_end = time.ticks_add(time.ticks_ms(), {2} * 1000)
while time.ticks_diff(_end, time.ticks_ms()) > 0:
 time.sleep_ms(20)
_pin.irq(handler=None)
_reply({{'rises': _rises[0], 'level': _pin.value()}})
"""

# Twenty of them at most, the strongest first.
SCAN = """
import json, network
_w = network.WLAN(network.STA_IF)
_w.active(True)
_f = sorted(((_e[0].decode('utf-8'), _e[3]) for _e in _w.scan()), key=lambda e: -e[1])
_w.active(False)
_reply(_f[:20])
"""
