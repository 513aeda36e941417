# SPDX-License-Identifier: MIT
"""The order of a collection: the main program runs in it, with what leads to few others first."""

from __future__ import annotations

from tests.on_node import run_on_node

SCRIPT = """
import asyncio
import sys
from ugs import base, marking
from ugs.drivers import sampler

part = sampler.Sampler(None, None, 250, 8000)

def main():
    chain = locals()["order"]
    order = []
    while chain is not None:
        chain, found = chain
        order.append(found)
    print(len(order), len(sys.modules))
    assert order[0] is sys.modules["ugs.wire.schema"]
    assert order[-1] is base and order[-2] is part
    names = [len(module.__dict__) for module in order[1:-2]]
    assert names == sorted(names) and names[0] >= 7
    assert not [one for one in order[:-2] if "asyncio" in one.__dict__]
    assert sys.modules["ugs.ledger.ledger"] in order and sys.modules["ugs"] not in order
    raise OSError(5)

try:
    marking.run(main, (part,))
except OSError as error:
    print("raised", error.errno)
print("order" in locals())
"""


def test_main_program_runs_with_modules_in_order(micropython, tmp_path):
    script = tmp_path / "marking_check.py"
    script.write_text(SCRIPT)
    counts, *rest = run_on_node(micropython, script)
    in_order, loaded = (int(word) for word in counts.split())
    assert 15 < in_order < loaded
    assert rest == ["raised 5", "False"]
