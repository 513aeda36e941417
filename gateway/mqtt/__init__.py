# SPDX-License-Identifier: MIT
"""MQTT: one session with a broker that is not ours, on paho-mqtt."""
