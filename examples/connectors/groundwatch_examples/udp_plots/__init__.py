# SPDX-License-Identifier: MIT
"""Connectors, udp_plots: plots of a radar or a camera, one JSON datagram each."""

from gateway.ports.connector import ConnectorType
from groundwatch_examples.udp_plots.config import UdpPlotsConfig
from groundwatch_examples.udp_plots.run import UdpPlots

TYPE = ConnectorType("udp_plots", UdpPlotsConfig, UdpPlots.make, "plots as JSON datagrams")
