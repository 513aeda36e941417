# SPDX-License-Identifier: MIT
# link: the one a node is told to use; the other one is not loaded, for the sake of the heap.


def make_link(config, password, session, board, random):
    # run() carries for ever; rssi_dbm(); is_hopeless(): only a restart can help.
    if config.is_wired:
        from ugs.link.serial import SerialLink

        return SerialLink(session, board.line, random)
    from ugs.link.broker import BrokerLink

    return BrokerLink(config, password, session, board.wlan, random)
