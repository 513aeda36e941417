# SPDX-License-Identifier: MIT
# wire: the error for invalid bytes from outside. `reason` is a short fixed word for a counter.


class WireError(ValueError):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason
