# SPDX-License-Identifier: MIT
# link: selects the configured link. The other one is not loaded, to save heap.


def make_link(config, password, session, board, random):
    # run() runs for ever; rssi_dbm(); is_hopeless(): only a restart can help.
    if config.is_wired:
        from ugs.link.serial import SerialLink

        return SerialLink(session, board.line, random)
    from ugs.link.broker import BrokerLink

    return BrokerLink(config, password, session, board.wlan, random)
