-- SPDX-License-Identifier: MIT
-- Store, version 5: what replay needs beside the messages; message.id is given by the gateway now.

-- What changed map table or duty desk and was no message, in order. message_id is the last message
-- that had been stepped before it; a row of kind "start" begins a run and holds what it began with.
CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL
) STRICT;

CREATE INDEX alarm_by_time ON alarm (raised_us);
