# SPDX-License-Identifier: MIT
# The board's converter by DMA on the official firmware: what it gives, what it costs, how it ends.
import gc
import time

import machine

from boards import rp2_adc as adc
from ugs.drivers.dma_sampler import DmaSampler

machine.ADC(machine.Pin(26))
battery = machine.ADC(machine.Pin(28)).read_u16
gc.collect()
free = gc.mem_free()
converter = adc.Converter(adc.RP2040, 0, 2, battery)
converter.lap = 1 << 13  # ends every 2 s, and the second channel starts it again
sampler = DmaSampler(converter, 250, 8000)
print("aside", sampler.read_aside())
sampler.start()
sampler.keep_time()
gc.collect()
print("us", "heap", free - gc.mem_free())
took = 0
for _ in range(50):
    time.sleep_ms(100)
    start = time.ticks_us()
    sampler.keep_time()
    took += time.ticks_diff(time.ticks_us(), start)
    sampler.rate_hz_x100()  # again each second; a lap of the readings lasts two
print("us sample mean=%d" % (took // sampler.written))
print("written", sampler.written, sampler.missed, sampler.overruns, sampler.clipped)
print("aside", sampler.read_aside())
for _ in range(12):
    time.sleep_ms(100)
    sampler.keep_time()
    sampler.rate_hz_x100()
print("bridged", sampler.bridged, sampler.missed)
print("rate", sampler.rate_hz_x100())
newest = [sampler.ring[at & 1023] for at in range(sampler.written - 500, sampler.written)]
print("range", min(newest), max(newest))
time.sleep_ms(1200)
sampler.keep_time()
print("late", sampler.missed, sampler.overruns)
sampler.stop()
before = bytes(converter.ring)
time.sleep_ms(50)
print("stopped", before == bytes(converter.ring), sampler.read_aside())
