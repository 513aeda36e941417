-- SPDX-License-Identifier: MIT
-- Store, version 4: what is older than it may be is found without reading everything.

CREATE INDEX message_by_age ON message (kind, arrival_us);
CREATE INDEX history_by_alarm ON alarm_history (alarm_id);

-- What was refused: the newest few, for whoever must find out what somebody is trying.
CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    arrival_us INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    head       BLOB    NOT NULL
) STRICT;
