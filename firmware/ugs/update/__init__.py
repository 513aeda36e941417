# SPDX-License-Identifier: MIT
# update: new firmware over the air: verified, fetched, tried, kept or taken back (docs/updates.md).
