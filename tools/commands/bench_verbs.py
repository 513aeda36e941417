# SPDX-License-Identifier: MIT
"""Table of verbs: simulate, record, measure, train, build."""

from __future__ import annotations

from tools.commands.verb import Group, Verb

GROUPS = (
    Group("bench", "measure the gateway beside its peers, a node, a board"),
    Group("sim", "simulated worlds, and boards that run the official firmware", "export", True),
    Group("model", "the model and the rules that decide: train, score, tune"),
    Group("release", "the offline side of updates: a release key, a signed firmware"),
    Group("record", "labelled takes of one node, and data sets of them", "take", True),
)

# Names and formats of demo, replay, score, recordings, bench, bundle and doctor are stable.
VERBS = (
    Verb(
        "demo",
        "tools.demo:demo",
        "run a gateway, its console and eight simulated nodes on this machine",
        "groundwatch demo --seconds 60 --json",
    ),
    Verb(
        "replay",
        "tools.commands.simulation:replay",
        "feed a take through firmware and gateway, or a store through the rules once more",
        "groundwatch replay takes/night_walker",
    ),
    Verb(
        "score",
        "tools.commands.scoring:score",
        "measure detectors and alarms on takes and worlds with ground truth",
        "groundwatch score --scenario walkers_line_of_8 --seeds 1-3 --hours 0.5",
    ),
    Verb(
        "recordings",
        "tools.commands.simulation:recordings",
        "what a node makes of a folder of real recordings",
        "groundwatch recordings ~/recordings --markdown recordings.md",
    ),
    Verb(
        "bundle",
        "tools.bundle:bundle",
        "write the exact file tree for a node's filesystem",
        "groundwatch bundle --board pico_w --config node.toml --out build/n07",
    ),
    Verb(
        "doctor",
        "tools.doctor:doctor",
        "is this machine fit to run a site and to flash nodes; what to do if not",
        "groundwatch doctor --json",
    ),
    Verb(
        "power",
        "tools.power.cli:power",
        "size battery and solar panel for a board, a mode and a place; all computed",
        "groundwatch power --board pico_w --radio burst --latitude 52 --panel-w 5 "
        "--battery lifepo4:6Ah",
    ),
    Verb(
        "wire",
        "tools.wiregen:wire",
        "write what is generated from the wire's schema table, or check that it is current",
        "groundwatch wire --check",
        hidden=True,
    ),
    Verb(
        "record take",
        "tools.commands.simulation:take",
        "a labelled take, PIR included, of a node at its USB cable or of a simulated one; "
        "`record n07` is enough",
        'groundwatch record n07 --label "p03 walks 5-40 m" --people p03',
    ),
    Verb(
        "record export",
        "tools.record.export:export",
        "write recorded takes as a data set, with data sheet, consent note and check sums",
        "groundwatch record export takes --out set.tar.gz",
    ),
    Verb(
        "record check",
        "tools.commands.simulation:check_set",
        "check a data set: every file, every sum, every take",
        "groundwatch record check set.tar.gz",
    ),
    Verb(
        "sim list",
        "tools.commands.sim_list:list_scenarios",
        "describe the built-in scenarios",
        "groundwatch sim list --json",
    ),
    Verb(
        "sim run",
        "tools.simrun.cli:run",
        "run simulated nodes of your own site, with the real firmware, against your own gateway",
        "groundwatch sim run --config gateway.toml --seconds 60 --json",
    ),
    Verb(
        "sim export",
        "tools.commands.simulation:export",
        "make a take from a simulated world, with the truth of who went where",
        "groundwatch sim export night_walker_line_of_8 --seconds 120 --out takes/night",
    ),
    Verb(
        "sim board",
        "tools.sim_board:board",
        "run official firmware on an emulated board: a serial port and a network for any program",
        "groundwatch sim board pico_w --serial ttyACM0 --network 127.0.0.1:1883",
    ),
    Verb(
        "sim control",
        "tools.sim_control:control",
        "ask an emulated board that runs: inject signals, cut power or Wi-Fi, read its time",
        'groundwatch sim control control \'{"do": "time"}\'',
    ),
    Verb(
        "model train",
        "tools.commands.scoring:train",
        "grow the model that nodes decide by, from simulated sites",
        "groundwatch model train --sites 200 --out firmware/ugs/model.bin",
    ),
    Verb(
        "model score",
        "tools.commands.scoring:score_takes",
        "score the model that nodes decide by on recorded takes",
        "groundwatch model score --takes takes --json",
    ),
    Verb(
        "model tune",
        "gateway.commands.tune:tune",
        "each node's rate of unwanted detections, and proposals for its threshold",
        "groundwatch model tune --weeks 4 --replay",
    ),
    Verb(
        "model calibrate",
        "tools.commands.scoring:calibrate",
        "fit what each sign of an event weighs, on simulated sites; hours, or a minute if kept",
        "groundwatch model calibrate --sites 400 --hours 0.25",
    ),
    Verb(
        "model policies",
        "tools.commands.scoring:policies",
        "score the policies for alarms over the same runs; minutes",
        "groundwatch model policies --suite tools/score/held_out.toml",
    ),
    Verb(
        "release key",
        "tools.release:make_key",
        "make the offline release key",
        "groundwatch release key --out release.key",
    ),
    Verb(
        "release sign",
        "tools.release:sign",
        "compile the firmware for one kind of board into one signed file",
        "groundwatch release sign --board pico_w --version 0.2.0 --out pico_w-0.2.0.gwr",
    ),
    Verb(
        "release show",
        "tools.release:show",
        "check a release file and show what is in it",
        "groundwatch release show pico_w-0.2.0.gwr",
    ),
    Verb(
        "completion",
        "tools.commands.completion:completion",
        "print the script that completes words of `groundwatch` in a shell",
        'eval "$(groundwatch completion bash)"  # in ~/.bashrc',
    ),
    Verb(
        "bench ingest",
        "tools.bench.cli:ingest",
        "durable messages per second beside a naive script and Node-RED",
        "groundwatch bench ingest --json",
    ),
    Verb(
        "bench connections",
        "tools.bench.cli:connections",
        "many nodes held by the gateway's own broker, and its memory",
        "groundwatch bench connections --nodes 1000 --seconds 60",
    ),
    Verb(
        "bench erase",
        "tools.bench.cli:erase",
        "how long commits take while records past their retention are erased",
        "groundwatch bench erase --rows 1000000",
    ),
    Verb(
        "bench node",
        "tools.bench.cli:node",
        "the firmware on an emulated Pico W beside its goals",
        "groundwatch bench node --minutes 2",
    ),
    Verb(
        "bench board",
        "tools.bench.cli:board",
        "a board on metal, part by part, in ten minutes",
        "groundwatch bench board --port /dev/ttyACM0",
    ),
)
