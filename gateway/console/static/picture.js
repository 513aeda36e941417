// SPDX-License-Identifier: MIT
// The console's copy of the picture: objects by kind and id, updated by deltas; and the state that the page shows.

const OPEN_SHOWN = 200; // of the queue, and all that are active
const PAST_SHOWN = 50;
const things = new Map();

const all = (kind) => [...(things.get(kind)?.values() ?? [])];
const section = (name, otherwise) => things.get("section")?.get(name) ?? otherwise;

// Unacknowledged first, then by priority, then the longest unacknowledged (UFGS 13721).
const urgency = (a, b) => a.unacknowledged !== b.unacknowledged ? (a.unacknowledged ? -1 : 1) : a.priority - b.priority || a.raised_us - b.raised_us || a.id - b.id;

export function apply(message) {
  if (message.whole) things.clear();
  for (const { kind, id, value } of message.changes) {
    if (!things.has(kind)) things.set(kind, new Map());
    if (value === null) things.get(kind).delete(id);
    else things.get(kind).set(id, value);
  }
}

function siteOf() {
  const [site] = all("site");
  const nodes = things.get("node") ?? new Map();
  const sectors = things.get("sector") ?? new Map();
  return {
    name: site.name,
    nodes: site.nodes.filter((id) => nodes.has(id)).map((id) => nodes.get(id)),
    sectors: site.sectors.filter((id) => sectors.has(id)).map((id) => sectors.get(id)),
  };
}

// Policy and operator actions in force.
function policyOf(sectors) {
  return {
    arming: sectors.map((sector) => ({ ...sector, sector: sector.id })),
    masks: all("mask").sort((a, b) => a.id - b.id),
    walks: all("walk").sort((a, b) => a.id - b.id),
    escalation: section("escalation", []).map((step) => ({ ...step, after_s: step.after_us / 1e6 })),
  };
}

function outputsOf() {
  return {
    channels: all("connector"),
    deliveries: all("delivery").sort((a, b) => b.id - a.id),
  };
}

export function stateAt(nowUs) {
  const site = siteOf();
  const queue = all("alarm").filter((alarm) => alarm.open).sort(urgency);
  const shown = [...queue.slice(0, OPEN_SHOWN), ...queue.slice(OPEN_SHOWN).filter((alarm) => alarm.active)];
  return {
    now_us: nowUs,
    site,
    alarms: shown,
    alarms_waiting: queue.length - shown.length,
    past: all("alarm").filter((alarm) => !alarm.open).sort((a, b) => b.id - a.id).slice(0, PAST_SHOWN),
    ...policyOf(site.sectors),
    on_duty: section("on_duty", { names: [], failed: 0 }),
    nodes: Object.fromEntries(things.get("node") ?? []),
    counters: section("counters", {}),
    refused: section("refused", []),
    store: section("store", { problem: "", unstored: 0 }),
    outputs: outputsOf(),
    links: section("links", []),
    warnings: section("warnings", []),
    doubts: section("doubts", []),
  };
}
