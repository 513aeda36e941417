# SPDX-License-Identifier: MIT
# update: firmware updates over the air: fetch, verify, trial, then commit or roll back
# (docs/updates.md).
