-- SPDX-License-Identifier: MIT
-- Store, version 3: signed checkpoints of the audit's chain.

CREATE TABLE checkpoint (
    number    INTEGER PRIMARY KEY,
    link      BLOB    NOT NULL,
    at_us     INTEGER NOT NULL,
    key_id    BLOB    NOT NULL,
    signature BLOB    NOT NULL
) STRICT;
