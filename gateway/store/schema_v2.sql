-- SPDX-License-Identifier: MIT
-- Store, version 2: who did what, why and until when.

-- A chain (gateway.audit.chain): rows are only ever added. Content whose time is over is erased,
-- digest and link stay.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at_us       INTEGER,
    actor       TEXT,
    action      TEXT,
    subject     TEXT,
    reason      TEXT,
    until_us    INTEGER,
    detail_json TEXT,
    salt        BLOB,
    digest      BLOB    NOT NULL,
    link        BLOB    NOT NULL
) STRICT;
