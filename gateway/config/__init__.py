# SPDX-License-Identifier: MIT
"""Configuration: the files that users write, as msgspec Structs, and reading them strictly."""

from gateway.config.gateway_file import EXAMPLE, GatewayConfig, load_config
from gateway.config.network import ApiConfig, BrokerConfig, BrokerKind, ConsoleConfig, SerialConfig

__all__ = [
    "EXAMPLE",
    "ApiConfig",
    "BrokerConfig",
    "BrokerKind",
    "ConsoleConfig",
    "GatewayConfig",
    "SerialConfig",
    "load_config",
]
