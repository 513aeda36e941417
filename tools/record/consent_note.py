# SPDX-License-Identifier: MIT
"""Record: the consent note that each person signs, and that goes with each exported set."""

from __future__ import annotations

NOTE = """\
# Consent to a recording of footsteps

What is recorded: the vibration of the ground 250 times a second (1 to 125 Hz) and the pulses of a
passive infrared sensor while I walk, stand and pass. No picture, no sound, no name, no position
outside of the test ground.

What for: to measure and to improve detectors of people on foot. The set is published, and anyone
may use it.

How I appear: by a pseudonym such as p03. The list that joins pseudonyms and names stays with the
person who records, is not part of the set, and is erased when I ask for it.

My rights: I take part by my own will and may stop at any time. I may withdraw my consent until the
set is published. Then no later version of the set contains my takes. Copies that others made before
cannot be recalled. How a person walks can, with other recordings of the same person, show that two
takes are of one person.

Pseudonym: ______  Date: ______  Signature: ______________________
"""
