# SPDX-License-Identifier: MIT
# The node's packages for a MicroPython that has them frozen: docs/updates.md, "Frozen into
# MicroPython". The build of MicroPython runs this file and provides `package`.

package("boards", base_path="..")
package("ugs", base_path="..")
