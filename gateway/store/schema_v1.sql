-- SPDX-License-Identifier: MIT
-- Store, version 1. Rowid tables with UNIQUE: about twice the insert rate of WITHOUT ROWID here.

-- Every message that came in, as it came: stepping them again in this order reproduces every alarm.
CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    node       TEXT    NOT NULL,
    lane       INTEGER NOT NULL,
    boot       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    arrival_us INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    UNIQUE (node, lane, boot, seq)
) STRICT;

-- What a detection says, with its time made UTC: for people and reports.
CREATE TABLE detection (
    id             INTEGER PRIMARY KEY,
    node           TEXT    NOT NULL,
    boot           INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    onset_ms       INTEGER NOT NULL,
    phase          TEXT    NOT NULL,
    class          TEXT    NOT NULL,
    confidence_pct INTEGER NOT NULL,
    peak_um_s_x100 INTEGER NOT NULL,
    onset_us       INTEGER NOT NULL,
    report_us      INTEGER NOT NULL,
    uncertainty_us INTEGER NOT NULL,
    arrival_us     INTEGER NOT NULL,
    UNIQUE (node, boot, seq)
) STRICT;
CREATE INDEX detection_by_time ON detection (onset_us);

-- Up to where the durable messages of a boot are complete, and when that boot began.
CREATE TABLE boot (
    node      TEXT    NOT NULL,
    boot      INTEGER NOT NULL,
    upto      INTEGER NOT NULL,
    missing   INTEGER NOT NULL,
    start_us  INTEGER,
    spread_us INTEGER,
    samples   INTEGER,
    at_us     INTEGER,
    UNIQUE (node, boot)
) STRICT;

-- Per node: replay window of the volatile lane, and the down counters given out so far.
CREATE TABLE node (
    node          TEXT    NOT NULL UNIQUE,
    window_newest INTEGER NOT NULL,
    window_bits   BLOB    NOT NULL,
    down_reserved INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL
) STRICT;

-- Open state of the map table and the duty officer, so that a restart goes on where it stopped.
CREATE TABLE state (
    name  TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE alarm (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    raised_us    INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    value        TEXT    NOT NULL
) STRICT;
CREATE INDEX alarm_open ON alarm (open, id);

-- Who saw what and did what about it; rows are only ever added.
CREATE TABLE alarm_history (
    id       INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    change   TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    value    TEXT    NOT NULL
) STRICT;

CREATE TABLE refused (
    reason TEXT    NOT NULL,
    node   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    UNIQUE (reason, node)
) STRICT;
