# SPDX-License-Identifier: MIT
# link: commands of the gateway. Each is executed once and answered by a durable result.

from micropython import const

from ugs.wire import schema

_REMEMBERED = const(8)
_OK = schema.enum_value("result", "status", "ok")
_UNSUPPORTED = schema.enum_value("result", "status", "unsupported")
_EXPIRED = schema.enum_value("result", "status", "expired")
_PING = schema.enum_value("command", "kind", "ping")
_REBOOT = schema.enum_value("command", "kind", "reboot")
_UPDATE = schema.enum_value("command", "kind", "update")


class Commands:
    # record(name, values) stores the result; request_reboot() is called after that.
    # take_update(command, now_ms) returns (status, value) of a rejection, or None: then the result
    # follows when the update ends. take_remote(command, now_ms) handles all others: it returns
    # (status, value, data) of a result, or None in the same way.
    #   repeated: commands received again, which were answered only once

    def __init__(self, record, request_reboot, take_update, take_remote=None):
        self.repeated = 0
        self._record = record
        self._request_reboot = request_reboot
        self._take_update = take_update
        self._take_remote = take_remote
        self._done = []

    def take(self, command, now_ms):
        number, kind = command["id"], command["kind"]
        if number in self._done:
            self.repeated += 1
            return
        self._done.append(number)
        if len(self._done) > _REMEMBERED:
            self._done.pop(0)
        value = data = None
        if now_ms > command.get("expires_ms", now_ms):
            status = _EXPIRED
        elif kind == _UPDATE:
            refusal = self._take_update(command, now_ms)
            if refusal is None:
                return
            status, value = refusal
        elif kind in (_PING, _REBOOT):
            status = _OK
        elif self._take_remote:
            taken = self._take_remote(command, now_ms)
            if taken is None:
                return
            status, value, data = taken
        else:
            status = _UNSUPPORTED
        print(
            "command taken id=%d kind=%s status=%s"
            % (
                number,
                schema.enum_name("command", "kind", kind),
                schema.enum_name("result", "status", status),
            )
        )
        values = {"t_ms": now_ms, "command_id": number, "status": status, "value": value}
        if data is not None:
            values["data"] = data
        self._record("result", values)
        if kind == _REBOOT and status == _OK:
            self._request_reboot()
