# SPDX-License-Identifier: MIT
"""What travels to a node: the same program, its comments left at home."""

from __future__ import annotations

import ast

import pytest

from tools.bundle import FIRMWARE, boards, tree_files
from tools.uncommented import uncommented

SOURCES = sorted({path for board in boards() for path in tree_files(board) if path.suffix == ".py"})


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_uncommented_firmware_is_the_same_program_on_the_same_lines(path: str):
    source = (FIRMWARE / path).read_bytes()
    sent = uncommented(source)
    # With the attributes: every node of the tree stands in the line and column it stood in.
    assert ast.dump(ast.parse(sent), include_attributes=True) == ast.dump(
        ast.parse(source), include_attributes=True
    )


def test_uncommented_firmware_is_a_fifth_smaller():
    sizes = [(len(data), len(uncommented(data))) for data in map(_read, SOURCES)]
    assert sum(sent for _, sent in sizes) < 0.85 * sum(whole for whole, _ in sizes)


def test_uncommented_leaves_strings_and_the_licence_alone():
    source = b"""# SPDX-License-Identifier: MIT
# goes
a = "# stays"  # goes
b = '''
# stays
'''
"""
    assert (
        uncommented(source)
        == b"""# SPDX-License-Identifier: MIT

a = "# stays"
b = '''
# stays
'''
"""
    )


def _read(path: str) -> bytes:
    return (FIRMWARE / path).read_bytes()
