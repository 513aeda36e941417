# SPDX-License-Identifier: MIT
# link: the address of the broker. First the one that was found when the node was flashed. A name is
# looked up only if there is none, or if the one in use does not answer.


def is_address(text):
    # Whether it is four numbers with dots and needs no look-up.
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) <= 255 for part in parts)


class BrokerAddress:
    # host: a name or an address; pinned: an address, "" if none was found.

    def __init__(self, host, pinned):
        self._host = host
        self._is_name = not is_address(host)
        self._pinned = pinned
        self._address = (pinned or None) if self._is_name else host
        self._has_failed = False
        if self._is_name:
            # Loaded only for a name, to save heap. Later no image is mounted to load it from.
            from ugs.link import resolver

            self._resolver = resolver

    async def choose(self, name_server):
        # The address to try now. Raises OSError if there is none.
        if self._is_name and (self._has_failed or self._address is None):
            self._address = await self._another(name_server)
        return self._address

    async def _another(self, name_server):
        try:
            found = await self._resolver.resolve(self._host, name_server)
        except OSError as error:
            if self._address is None and not self._pinned:
                raise
            print("name server fails cause=%s" % error)
            found = None
        if found is not None and found != self._address:
            print("broker found host=%s address=%s" % (self._host, found))
            return found
        return self._pinned or self._address

    def reached(self):
        self._has_failed = False

    def failed(self):
        self._has_failed = True
