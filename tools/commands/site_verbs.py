# SPDX-License-Identifier: MIT
"""Table of verbs: those that run a site."""

from __future__ import annotations

from tools.commands.verb import Group, Verb

GROUPS = (
    Group("gateway", "run the gateway and look after it", "run"),
    Group("node", "nodes: flash, watch, configure, update, revoke"),
    Group("alarm", "alarms of the running gateway: list, acknowledge, assess, export"),
    Group("site", "sectors, nodes and ground of a site: show, map, plan, calibrate"),
    Group("operator", "the people who may sign in at the console"),
    Group("token", "tokens with which other systems use the gateway's API"),
    Group("connector", "connectors of the running gateway, and a test notification"),
    Group("walktest", "announce a walk over the line, and see how much of it was detected"),
    Group("audit", "the audit log of a gateway"),
)

VERBS = (
    Verb(
        "init",
        "tools.init.cli:init",
        "make the folder of a new site: five questions, then a gateway can start",
        "groundwatch init",
    ),
    Verb(
        "gateway run",
        "gateway.commands.gateway:run",
        "run the gateway and the operator's console until it is stopped",
        "groundwatch gateway run --config gateway.toml",
    ),
    Verb(
        "gateway status",
        "gateway.commands.status:status",
        "nodes, alarms and connectors of the running gateway, counted by state",
        "groundwatch gateway status --json",
    ),
    Verb(
        "gateway reload",
        "gateway.commands.reload:reload",
        "have the running gateway read schedules, escalation, connectors and new nodes",
        "groundwatch gateway reload --config gateway.toml",
    ),
    Verb(
        "gateway check",
        "gateway.commands.check:check",
        "check gateway.toml and all files that it names, before a start or reload",
        "groundwatch gateway check --config gateway.toml",
    ),
    Verb(
        "gateway backup",
        "gateway.commands.backup:backup",
        "write store, configuration and audit of a gateway to one file, while it runs",
        "groundwatch gateway backup north.gwb --with-keys",
    ),
    Verb(
        "gateway restore",
        "gateway.commands.backup:restore",
        "put a backup in place: a folder from which the gateway starts",
        "groundwatch gateway restore north.gwb --config site/gateway.toml",
    ),
    Verb(
        "gateway salvage",
        "gateway.commands.salvage:salvage_store",
        "make a new store from what can be read of a damaged one",
        "groundwatch gateway salvage --config gateway.toml --by eva",
    ),
    Verb(
        "node flash",
        "tools.flash.cli:flash",
        "make a bare board a node: MicroPython, firmware, its key, and a proof of it",
        "groundwatch node flash n07 --at 75,12.5 --sector gate",
    ),
    Verb(
        "node list",
        "gateway.commands.node:list_nodes",
        "the state of every node, one line each",
        "groundwatch node list --json",
    ),
    Verb(
        "node show",
        "gateway.commands.node:show",
        "all that the gateway knows of one node",
        "groundwatch node show n07",
    ),
    Verb(
        "node log",
        "gateway.commands.node_command:log",
        "the newest lines of a node's own log, over its radio link",
        "groundwatch node log n07",
    ),
    Verb(
        "node monitor",
        "tools.monitor:monitor",
        "the lines of a node at its USB cable, and its state, live",
        "groundwatch node monitor --seconds 60",
    ),
    Verb(
        "node identify",
        "gateway.commands.node_command:identify",
        "have a node blink its LED, to find it",
        "groundwatch node identify n07 --seconds 30",
    ),
    Verb(
        "node ping",
        "gateway.commands.node_command:ping",
        "test the connection to a node and back",
        "groundwatch node ping n07",
    ),
    Verb(
        "node reboot",
        "gateway.commands.node_command:reboot",
        "restart a node",
        'groundwatch node reboot n07 --reason "after the storm"',
    ),
    Verb(
        "node configure",
        "gateway.commands.node_command:configure",
        "show or change a node's settings",
        'groundwatch node configure n07 heartbeat_s=600 radio=burst --reason "winter"',
    ),
    Verb(
        "node snippet",
        "gateway.commands.node_command:snippet",
        "fetch some seconds of a node's samples as a WAV file",
        'groundwatch node snippet n07 --seconds 6 --reason "what hums there"',
    ),
    Verb(
        "node update",
        "tools.update:update",
        "have the running gateway bring a signed release to its nodes, in waves",
        "groundwatch node update pico_w-0.2.0.gwr --wave n01 --wave 25% --wave rest",
    ),
    Verb(
        "node provision",
        "tools.provision:provision",
        "keys of nodes: issue, rotate, replace a lost board, list; the fleet key",
        "groundwatch node provision n07 --rotate",
    ),
    Verb(
        "node revoke",
        "tools.provision:revoke",
        "end a node's key: no board is accepted as this node any more",
        "groundwatch node revoke n07 --why 'stolen in the night of 3 May'",
    ),
    Verb(
        "alarm list",
        "gateway.commands.alarm:list_alarms",
        "alarms, the newest first",
        "groundwatch alarm list --state unacknowledged",
    ),
    Verb(
        "alarm show",
        "gateway.commands.alarm:show",
        "one alarm with its reasons, nodes and history",
        "groundwatch alarm show 12",
    ),
    Verb(
        "alarm ack",
        "gateway.commands.alarm:acknowledge",
        "acknowledge an alarm",
        'groundwatch alarm ack 12 --note "patrol is on its way"',
    ),
    Verb(
        "alarm assess",
        "gateway.commands.alarm:assess",
        "give an alarm its disposition, which acknowledges it as well",
        'groundwatch alarm assess 12 animal --note "two deer"',
    ),
    Verb(
        "alarm export",
        "gateway.commands.export:export",
        "write one alarm with its detections, waveforms, history and audit as a signed file",
        "groundwatch alarm export 12 --by eva --reason 'case 7/26' --out alarm12.jsonl",
    ),
    Verb(
        "site show",
        "gateway.commands.site:show",
        "sectors, nodes and positions of a site",
        "groundwatch site show --json",
    ),
    Verb(
        "site map",
        "gateway.commands.site:draw_map",
        "draw the plan of the console's map, as text, SVG or HTML",
        "groundwatch site map --out site.svg --live",
    ),
    Verb(
        "site plan",
        "gateway.commands.site:check_plan",
        "check spacing and coverage: gaps between nodes, and the expected detection radius",
        "groundwatch site plan --floor 0.2",
    ),
    Verb(
        "site calibrate",
        "tools.commands.scoring:calibrate_site",
        "the soil and the gain of each node from a walk test: lines for site.toml",
        "groundwatch site calibrate takes/walk_test",
    ),
    Verb(
        "operator add",
        "gateway.commands.operator:add",
        "a new operator",
        'groundwatch operator add "Eva M." --role supervisor',
    ),
    Verb(
        "operator list",
        "gateway.commands.operator:list_operators",
        "the operators and their roles",
        "groundwatch operator list",
    ),
    Verb(
        "operator passwd",
        "gateway.commands.operator:passwd",
        "a new passphrase for an operator",
        'groundwatch operator passwd "Eva M."',
    ),
    Verb(
        "operator set-role",
        "gateway.commands.operator:set_role",
        "another role for an operator",
        'groundwatch operator set-role "Eva M." --role supervisor',
    ),
    Verb(
        "operator remove",
        "gateway.commands.operator:remove",
        "an operator may not sign in any more",
        'groundwatch operator remove "Eva M."',
    ),
    Verb(
        "token add",
        "gateway.commands.token:add",
        "a new token for another system",
        "groundwatch token add tak_server --scope read",
    ),
    Verb(
        "token list",
        "gateway.commands.token:list_tokens",
        "the tokens, their scopes and ends",
        "groundwatch token list --json",
    ),
    Verb(
        "token remove",
        "gateway.commands.token:remove",
        "a token is not valid any more",
        "groundwatch token remove tak_server",
    ),
    Verb(
        "connector list",
        "gateway.commands.connector:list_connectors",
        "the state of each connector of the running gateway",
        "groundwatch connector list",
    ),
    Verb(
        "connector test",
        "gateway.commands.connector:test",
        "send a test notification by one notifier or by all",
        "groundwatch connector test duty_phone",
    ),
    Verb(
        "walktest announce",
        "gateway.commands.walktest:announce",
        "announce a walk over the line",
        "groundwatch walktest announce --who Ben --sectors west --crossings 10",
    ),
    Verb(
        "walktest score",
        "gateway.commands.walktest:score",
        "how many of the announced crossings were detected",
        "groundwatch walktest score --days 30",
    ),
    Verb(
        "audit verify",
        "gateway.commands.audit:verify_store",
        "check that the audit log in a store or in an exported file is unchanged",
        "groundwatch audit verify data/groundwatch.db --key audit.pub",
    ),
)
