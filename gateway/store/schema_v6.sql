-- SPDX-License-Identifier: MIT
-- Store, version 6: one log. What intake took in is what the monitor reads, live and in replay.

-- Every input of the monitor in the order in which it was committed: observations with their
-- provenance (`source`: a node, a connector, a person), acts, policies, starts of the gateway.
CREATE TABLE log (
    id     INTEGER PRIMARY KEY,
    at_us  INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    source TEXT    NOT NULL,
    value  TEXT    NOT NULL
) STRICT;
CREATE INDEX log_by_time ON log (at_us);

-- Moments at which passing time changed something, after the entry `after_id` of the log.
CREATE TABLE tick (
    id       INTEGER PRIMARY KEY,
    after_id INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    kind     TEXT    NOT NULL
) STRICT;
CREATE INDEX tick_by_time ON tick (at_us);

-- Entries of the log that the monitor could not process: replay skips them as it did then.
CREATE TABLE skipped (
    id     INTEGER PRIMARY KEY,
    at_us  INTEGER NOT NULL,
    source TEXT    NOT NULL,
    error  TEXT    NOT NULL
) STRICT;

-- Acts by their idempotency key: the same key by the same person acts once.
CREATE TABLE act_key (
    id     INTEGER PRIMARY KEY,
    at_us  INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    log_id INTEGER NOT NULL,
    done   INTEGER NOT NULL,
    UNIQUE (actor, key)
) STRICT;

-- The message up to which the other rows of a node are up to date; what came after it is read again
-- from the messages at a start, so that a heartbeat rewrites no row.
ALTER TABLE node ADD COLUMN applied_id INTEGER NOT NULL DEFAULT 0;
