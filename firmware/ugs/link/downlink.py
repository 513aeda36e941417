# SPDX-License-Identifier: MIT
# link: opens each downlink message once: verifies, decodes, and rejects replays.

from micropython import const

from ugs.wire import codec, schema, seal
from ugs.wire.errors import WireError

_WINDOW = const(64)
_WINDOW_MASK = (1 << 64) - 1


class Downlink:
    # `down_aad` binds a message to this node's topic and boot, so the window need not outlive the
    # boot.
    #   refused: count of messages rejected; `reason`: the last cause

    def __init__(self, keys, topic):
        self.refused = 0
        self.reason = ""
        self._keys = keys
        self._topic = topic
        self._topic_bytes = topic.encode()
        self.start_boot(1)

    def rekey(self, keys):
        # The counters continue: the window stays.
        self._keys = keys

    def start_boot(self, boot):
        self._aad = seal.down_aad(self._topic, boot)
        self._highest = 0
        self._seen = 0  # bit i: counter _highest - i has been used

    def open(self, topic, data):
        # (name, values) of a message for this node, or None.
        try:
            if topic != self._topic_bytes:
                raise WireError("wrong_topic")
            piv, payload = seal.open_sealed(
                self._keys.down_key, self._keys.down_iv, data, self._aad
            )
            counter = seal.parse_down_piv(piv)
            self._check_fresh(counter)
            message = codec.decode(payload, schema.DOWN)
        except WireError as error:
            self.refused += 1
            self.reason = error.reason
            return None
        self._remember(counter)
        return message

    def _check_fresh(self, counter):
        back = self._highest - counter
        if back >= _WINDOW or (back >= 0 and self._seen >> back & 1):
            raise WireError("replay")

    def _remember(self, counter):
        ahead = counter - self._highest
        if ahead > 0:
            self._highest = counter
            self._seen = (self._seen << ahead & _WINDOW_MASK) | 1 if ahead < _WINDOW else 1
        else:
            self._seen |= 1 << -ahead
