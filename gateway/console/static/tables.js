// SPDX-License-Identifier: MIT
// Tables: nodes, counters, rejected messages.
import { button, keyed, make, setText, span } from "./dom.js";
import { COUNTER, labelOf, REJECTION, spaced, STATE } from "./labels.js";

const STATE_CLASS = { normal: "good", detecting: "warn", fault: "warn", offline: "bad", not_reporting: "" };

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

// Missing ranges of the newest boots, and how many ranges late messages have filled.
function gapText(node) {
  const open = node.gaps.map(([boot, first, last]) => `${boot}: ${first === last ? first : `${first}–${last}`}`);
  const filled = node.backfilled ? [`${node.backfilled} filled`] : [];
  return [...open, ...filled].join(", ") || "–";
}

export function showNodes(body, state) {
  keyed(body, state.site.nodes, (node) => node.id, () => row(10), (line, place) => {
    const node = state.nodes[place.id];
    const conditions = node.conditions.map(spaced);
    if (node.forged) conditions.push("spoofed messages");
    const unknown = (value, text) => (value === null ? "–" : text);
    fill(line, [
      [place.id],
      [[STATE[node.state], ...conditions].join(", "), STATE_CLASS[node.state]],
      [node.last_seen_us === null ? "–" : `${span(state.now_us - node.last_seen_us)} ago${contact(node)}`],
      [unknown(node.battery_mv, `${(node.battery_mv / 1000).toFixed(2)} V${daysLeft(node)}`)],
      [unknown(node.rssi_dbm, `${node.rssi_dbm} dBm`)],
      [unknown(node.floor_um_s, `${node.floor_um_s} µm/s`)],
      [unknown(node.ledger_pending, String(node.ledger_pending))],
      [unknown(node.samples_missed, String(node.samples_missed)), node.samples_missed ? "warn" : ""],
      [gapText(node), node.gaps.length ? "warn" : ""],
      [String(node.records_dropped), node.records_dropped ? "warn" : ""],
    ]);
  });
}

function daysLeft(node) {
  return node.days_left ? `, ${Math.floor(node.days_left.days)} d left` : "";
}

function contact(node) {
  if (!node.contact_s) return "";
  const mode = node.settings?.sampling === "sentinel" ? "sentinel" : "radio burst";
  return ` (${mode}: within ${Math.ceil(node.contact_s / 60)} min)`;
}

export function showCounters(list, state) {
  const wrong = new Set(["refused", "queue_dropped", "faults", "sign_ins_failed"]);
  const counters = { ...state.counters, sign_ins_failed: state.on_duty.failed };
  keyed(list, Object.entries(counters), ([name]) => name, ([name]) => {
    const box = make("div");
    box.append(make("dt", "", labelOf(COUNTER, name)), make("dd"));
    return box;
  }, (box, [name, value]) => {
    setText(box.lastChild, String(value));
    box.lastChild.className = wrong.has(name) && value ? "warn" : "";
  });
}

// What a person must confirm. `confirm` is null for an operator who may not.
export function showDoubts(list, doubts, confirm) {
  list.hidden = !doubts.length;
  const row = (doubt) => {
    const line = make("li");
    line.append(make("span"));
    if (confirm) line.append(button("Confirm", "", () => confirm(doubt.id)));
    return line;
  };
  keyed(list, doubts, (doubt) => doubt.id, row, (line, doubt) => {
    setText(line.firstChild, `${doubt.id.toUpperCase()} IN DOUBT: ${doubt.text}`);
  });
}

export function showRefused(body, refused) {
  keyed(body, refused, (cell) => `${cell.reason}/${cell.node}`, () => row(3), (line, cell) => {
    fill(line, [[labelOf(REJECTION, cell.reason), "warn"], [cell.node === "-" ? "unknown sender" : cell.node], [String(cell.count)]]);
  });
}
