// SPDX-License-Identifier: MIT
// The window's lists: alarm cards, closed alarms, nodes, counters, refusals. Text nodes only, never markup.
import { nodeState } from "./plan.js";

const DISPOSITIONS = ["person", "vehicle", "animal", "weather", "own_patrol", "test", "unknown"];
const STATE_CLASS = { ok: "good", hears: "warn", trouble: "warn", lost: "bad", never: "" };

export const clockTime = (us) => new Date(us / 1000).toLocaleTimeString([], { hour12: false });
const words = (name) => name.replaceAll("_", " ");
export const label = (alarm) => words(alarm.kind === "intrusion" ? alarm.target ?? "unknown" : alarm.kind).toUpperCase();

function age(fromUs, nowUs) {
  const seconds = Math.max(0, Math.round((nowUs - fromUs) / 1e6));
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Children are kept by key, so that a button under the pointer or an open list stays what it is.
function keyed(parent, items, key, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const name = String(key(item));
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = create(item);
      child.dataset.key = name;
    }
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const child of known.values()) child.remove();
}

export function showAlarms(list, state, acknowledge) {
  keyed(list, state.alarms, (alarm) => alarm.id, (alarm) => card(alarm, acknowledge), (item, alarm) => {
    item.className = `card p${alarm.priority} ${alarm.acknowledged ? "acked" : "unacked"}`;
    const percent = alarm.kind === "intrusion" ? ` ${Math.round(alarm.confidence * 100)} %` : "";
    setText(item.querySelector(".what"), label(alarm) + percent);
    setText(item.querySelector(".when"), `${clockTime(alarm.raised_us)} · ${age(alarm.raised_us, state.now_us)}${alarm.active ? "" : " · over"}`);
    const heading = alarm.direction_deg === null ? "" : ` · towards ${Math.round(alarm.direction_deg)}° at ${alarm.speed_m_s} m/s`;
    setText(item.querySelector(".where"), `#${alarm.id} · ${alarm.sectors.join(", ")} · ${alarm.nodes.join(" ")}${heading}`);
    keyed(item.querySelector(".why"), alarm.reasons, (reason) => reason, () => make("li"), setText);
    item.querySelector("button").hidden = alarm.acknowledged;
    setText(item.querySelector(".by"), alarm.acknowledged ? `acknowledged by ${alarm.acknowledged_by} ${clockTime(alarm.acknowledged_us)}` : "");
  });
}

function card(alarm, acknowledge) {
  const item = make("li", "card");
  const top = make("div", "top");
  top.append(make("span", "what"), make("span", "when"));
  const actions = make("div", "actions");
  const button = make("button", "", "Acknowledge");
  const choice = make("select");
  choice.setAttribute("aria-label", "what it was");
  choice.append(new Option("what was it?", ""), ...DISPOSITIONS.map((name) => new Option(words(name), name)));
  choice.value = alarm.disposition ?? "";
  button.addEventListener("click", () => acknowledge(alarm.id, choice.value));
  choice.addEventListener("change", () => choice.value && acknowledge(alarm.id, choice.value));
  actions.append(button, choice, make("span", "by"));
  item.append(top, make("div", "where"), make("ul", "why"), actions);
  return item;
}

export function showPast(list, past) {
  keyed(list, past, (alarm) => alarm.id, () => make("li"), (item, alarm) => {
    const verdict = alarm.disposition ? ` · ${words(alarm.disposition)}` : "";
    setText(item, `${clockTime(alarm.raised_us)} #${alarm.id} ${label(alarm)} · ${alarm.nodes.join(" ")} · ${alarm.acknowledged_by}${verdict}`);
  });
}

function row(cells) {
  const line = make("tr");
  for (let i = 0; i < cells; i++) line.append(make("td"));
  return line;
}

function fill(line, cells) {
  cells.forEach(([text, kind], index) => {
    setText(line.children[index], text);
    line.children[index].className = kind ?? "";
  });
}

// Open ranges of the newest boots, and how many late ones have closed others.
function gapText(node) {
  const open = node.gaps.map(([boot, first, last]) => `${boot}: ${first === last ? first : `${first}–${last}`}`);
  const filled = node.backfilled ? [`${node.backfilled} filled`] : [];
  return [...open, ...filled].join(", ") || "–";
}

export function showNodes(body, state) {
  const heard = new Set(state.events.flatMap((event) => event.nodes));
  keyed(body, state.site.nodes, (node) => node.id, () => row(10), (line, place) => {
    const node = state.nodes[place.id];
    const kind = nodeState(node, heard.has(place.id));
    const troubles = Object.keys(node.conditions).map(words);
    if (node.forged) troubles.push("forged messages");
    const unknown = (value, text) => (value === null ? "–" : text);
    fill(line, [
      [place.id],
      [troubles.join(", ") || { ok: "well", hears: "hears", lost: "LOST", never: "never heard", trouble: "trouble" }[kind], STATE_CLASS[kind]],
      [node.last_seen_us === null ? "–" : `${age(node.last_seen_us, state.now_us)} ago`],
      [unknown(node.battery_mv, `${(node.battery_mv / 1000).toFixed(2)} V`)],
      [unknown(node.rssi_dbm, `${node.rssi_dbm} dBm`)],
      [unknown(node.floor_um_s, `${node.floor_um_s} µm/s`)],
      [unknown(node.ledger_pending, String(node.ledger_pending))],
      [unknown(node.samples_missed, String(node.samples_missed)), node.samples_missed ? "warn" : ""],
      [gapText(node), node.gaps.length ? "warn" : ""],
      [String(node.records_dropped), node.records_dropped ? "warn" : ""],
    ]);
  });
}

export function showCounters(list, state) {
  const wrong = new Set(["refused", "queue_dropped"]);
  keyed(list, Object.entries(state.counters), ([name]) => name, ([name]) => {
    const box = make("div");
    box.append(make("dt", "", words(name)), make("dd"));
    return box;
  }, (box, [name, value]) => {
    setText(box.lastChild, String(value));
    box.lastChild.className = wrong.has(name) && value ? "warn" : "";
  });
}

export function showRefused(body, refused) {
  keyed(body, refused, (cell) => `${cell.reason}/${cell.node}`, () => row(3), (line, cell) => {
    fill(line, [[words(cell.reason), "warn"], [cell.node === "-" ? "unknown sender" : cell.node], [String(cell.count)]]);
  });
}
