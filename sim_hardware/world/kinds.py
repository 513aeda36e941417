# SPDX-License-Identifier: MIT
"""Ground layer: kinds of actors and their typical figures, which a scenario may override.

Step rates of people: Ekimov & Sabatier, JASA 129, 1306 (walk, 0.5..0.69 s a step; sneaking 0.01 to
0.03 of the body weight) and Nilsson & Thorstensson, Acta Physiol. Scand. 136, 217 (running, impact
2..3 times the weight). Strides of animals: Heglund, Taylor & McMahon, Science 186, 1112: at the
change from trot to gallop 269 M^-0.14 strides per minute (M in kg), that is 1.9 Hz for a horse and
2.9 Hz for a dog; a trot takes 0.6..0.85 of that rate, a walk about half. Levels of vehicles at 10 m
lie in the spans of Altmann, JSV 273, 713 (2004): car 1..5 um/s, truck 5..30, tracked ten times a
wheeled vehicle's. Digging: the spans of spade and pick strikes as field recordings have them,
0.3..1.2 Hz with pulses of 30..80 ms and 200..800 N; a shovel at its best pace takes 18..21 scoops a
minute (Freivalds, Ergonomics 29, 3), and what it throws lands between two strikes.
"""

from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """One kind of actor. Each pass draws from the spans unless the scenario sets a figure."""

    class_name: str
    speed_m_s: float
    about: str
    rate_hz: Span = (0.0, 0.0)  # steps of a person, strides of an animal, strikes of a digger
    heel: Span = (0.0, 0.0)  # heel pulse over body weight, at one standard deviation either side
    width_s: Span = (0.014, 0.028)  # full width of the pulse at half its height
    jitter: float = 0.03  # of a step's duration
    mass_kg: float = 76.0
    gait: str = "walk"
    level_nm_s: float = 0.0  # vehicle: rms in 8..60 Hz at 10 m
    axles_m: tuple[float, ...] = ()  # behind the first one
    firing_hz: Span = (0.0, 0.0)
    tread_m: float = 0.0  # pitch of lugs or track links
    tread: Span = (0.0, 0.0)  # its share of the amplitude
    newton: Span = (0.0, 0.0)
    scrape_n: Span = (0.0, 0.0)  # rms of the drag after a strike
    throw: Span = (0.0, 0.0)  # thud of what a shovel throws, over its strike
    active: Span = (0.0, 0.0)  # a run's slow push over body weight
    seen: float = 1.0  # reach of a PIR compared with a standing person's
    spread_m: float = 0.0  # how far apart a group or herd goes


KINDS = {
    "walker": Kind("person", 1.4, "a person walking", (1.6, 2.1), (0.105, 0.21)),
    "runner": Kind(
        "person", 3.2, "a person running", (2.5, 3.0), (0.3, 0.55), (0.012, 0.022), 0.02
    ),
    "any_walker": Kind(
        "person", 1.35, "a person drawn at random", (1.3, 2.4), (0.06, 0.3), (0.012, 0.045), 0.05
    ),
    "any_runner": Kind(
        "person", 3.0, "a runner drawn at random", (2.3, 3.3), (0.1, 0.6), (0.012, 0.04), 0.035,
        active=(1.2, 3.0),
    ),
    "sneaker": Kind(
        "person", 0.6, "a person sneaking", (0.8, 1.4), (0.01, 0.03), (0.025, 0.04), 0.1, seen=0.8
    ),
    "group": Kind("group", 1.3, "people walking", (1.73, 1.97), (0.105, 0.21), spread_m=1.0),
    "horse": Kind(
        "animal", 1.7, "a horse", (0.8, 1.1), width_s=(0.015, 0.03), mass_kg=500, seen=1.3
    ),
    "rider": Kind(
        "animal", 1.7, "a horse with rider", (0.85, 1.1), width_s=(0.015, 0.03), mass_kg=590,
        seen=1.4,
    ),
    "cattle": Kind(
        "animal", 0.9, "cattle", (0.55, 0.9), width_s=(0.02, 0.04), jitter=0.08, mass_kg=600,
        seen=1.3, spread_m=8.0,
    ),
    "deer": Kind(
        "animal", 1.3, "a deer", (0.9, 1.2), width_s=(0.01, 0.02), jitter=0.07, mass_kg=70, seen=0.8
    ),
    "dog": Kind(
        "animal", 2.2, "a dog", (1.8, 2.4), width_s=(0.012, 0.025), mass_kg=28, gait="trot",
        seen=0.45,
    ),
    "car": Kind(
        "vehicle", 9.0, "a car", level_nm_s=2500, axles_m=(2.6,), firing_hz=(45, 80), seen=0.9
    ),
    "motorcycle": Kind(
        "vehicle", 10.0, "a motorcycle", level_nm_s=1200, axles_m=(1.4,), firing_hz=(35, 90),
        seen=0.8,
    ),
    "truck": Kind(
        "vehicle", 8.0, "a truck", level_nm_s=11000, axles_m=(3.8, 5.1), firing_hz=(45, 75),
        tread_m=0.12, tread=(0.1, 0.3),
    ),
    "tracked": Kind(
        "vehicle", 5.0, "a tracked vehicle", level_nm_s=60000, axles_m=(1.0, 2.0, 3.0, 4.0),
        firing_hz=(80, 120), tread_m=0.15, tread=(0.5, 0.7),
    ),
    "any_vehicle": Kind("vehicle", 8.0, "a vehicle drawn at random", level_nm_s=5000),
    "shovel": Kind(
        "digging", 1.0, "digging with a shovel", (0.3, 0.6), width_s=(0.04, 0.08), jitter=0.15,
        newton=(200, 500), scrape_n=(2, 6),
    ),
    "pickaxe": Kind(
        "digging", 1.0, "digging with a pickaxe", (0.5, 1.2), width_s=(0.03, 0.045), jitter=0.1,
        newton=(400, 800), scrape_n=(0.5, 2),
    ),
    "any_digger": Kind(
        "digging", 1.0, "digging, its figures drawn at random", (0.2, 0.8), width_s=(0.015, 0.1),
        jitter=0.25, newton=(100, 900), scrape_n=(0.3, 10), throw=(0.0, 0.8),
    ),
}  # fmt: skip
