// SPDX-License-Identifier: MIT
// Connectors: whether each works, and what was delivered about an alarm, when, after how many tries.
import { button, clockTime, keyed, make, setClass, setText, span, when } from "./dom.js";

const CHANGES = { raised: "raised", sector: "new sector", again: "again", returned: "more urgent now", escalated: "not acknowledged", test: "test" };
const NONE = { channels: [], deliveries: [] };
export const outputsOf = (state) => ({ ...NONE, ...state.outputs });
const SIGNS = { working: "✓ working", connected: "✓ connected", starting: "… connecting", stopped: "– stopped" };
const notifies = (connector) => connector.roles.includes("notifier");
const tries = (count) => `${count} ${count === 1 ? "try" : "tries"}`;

function condition(output, nowUs) {
  if (output.state === "failing") return `✗ FAILING since ${when(output.since_us, nowUs)} (${span(nowUs - output.since_us)})`;
  return SIGNS[output.state] ?? "– not tried since the gateway began";
}

function traffic(connector) {
  const counted = Object.entries(connector.counters).map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`);
  return [...counted, connector.restarts && `${connector.restarts} restarts`].filter(Boolean).join(" · ");
}

function account(output, nowUs) {
  const { sent = 0, failed = 0, dropped = 0, limited = 0 } = output.counts;
  return [
    output.sent_us ? `last delivery ${when(output.sent_us, nowUs)}` : "never delivered",
    `${sent} delivered`,
    output.waiting && `${output.waiting} WAITING`,
    failed && `${failed} NOT DELIVERED`,
    dropped && `${dropped} DROPPED`,
    limited && `${limited} held back by the rate limit`,
  ].filter(Boolean).join(" · ");
}

// In words and a sign: colour only repeats it.
export function result(record) {
  const why = record.answer ? `: ${record.answer}` : "";
  switch (record.status) {
    case "sent": return `✓ delivered ${clockTime(record.done_us)}${why}`;
    case "failed": return `✗ NOT DELIVERED, given up${why}`;
    case "dropped": return `✗ DROPPED${why}`;
    case "limited": return "✗ held back by the rate limit";
    default: return record.attempts ? `… not yet${why}` : "… on its way";
  }
}

const kind = (record) => ({ sent: "good", pending: "warn" })[record.status] ?? "bad";

// Lines: when | output | [alarm] what | tries | what became of it.
export function showRecords(body, records, nowUs, withAlarm) {
  const row = () => {
    const line = make("tr");
    for (let i = 0; i < 5; i++) line.append(make("td"));
    return line;
  };
  keyed(body, records, (record) => record.id, row, (line, record) => {
    const what = CHANGES[record.change] ?? record.change;
    const cells = [when(record.at_us, nowUs), record.output, withAlarm && record.alarm ? `#${record.alarm} ${what}` : what,
      tries(record.attempts), result(record)];
    cells.forEach((text, index) => setText(line.children[index], text));
    setClass(line.lastChild, kind(record));
  });
}

export const recordsOf = (state, alarm) => outputsOf(state).deliveries.filter((record) => record.alarm === alarm.id);

// "told: phone ✓ 14:05:03 · chief ✗ NOT YET", the latest word of each output.
export function told(records) {
  const latest = new Map();
  for (const record of records) if (!latest.has(record.output)) latest.set(record.output, record);
  return [...latest.values()].map((record) => {
    if (record.status === "sent") return `${record.output} ✓ ${clockTime(record.done_us)}`;
    return `${record.output} ${record.status === "pending" ? (record.attempts ? "✗ NOT YET" : "… on its way") : "✗ NOT TOLD"}`;
  }).join(" · ");
}

export const failing = (state) => outputsOf(state).channels.filter((output) => output.state === "failing");

// `test` is null for who may not.
export function showOutputs(list, state, test) {
  const { channels, deliveries } = outputsOf(state);
  const shown = channels.map((output) => ({
    name: output.name, note: output.kind, state: output.state, says: condition(output, state.now_us),
    why: output.problem, account: notifies(output) ? account(output, state.now_us) : traffic(output), test: Boolean(test) && notifies(output),
    testing: deliveries.some((record) => record.change === "test" && record.output === output.name && record.status === "pending"),
  }));
  const create = (one) => {
    const item = make("li");
    const name = make("div", "name");
    name.append(make("span"), make("small"));
    const what = make("div", "what");
    what.append(make("strong"), make("p", "why"), make("p", "account"));
    item.append(name, what, button("Test", "", () => test(one.name)));
    return item;
  };
  keyed(list, shown, (one) => one.name, create, (item, one) => {
    setClass(item, `output ${one.state}`);
    setText(item.querySelector(".name span"), one.name);
    setText(item.querySelector(".name small"), one.note);
    setText(item.querySelector("strong"), one.says);
    setText(item.querySelector(".why"), one.why);
    item.querySelector(".why").hidden = !one.why;
    setText(item.querySelector(".account"), one.account);
    const go = item.querySelector("button");
    go.hidden = !one.test;
    go.disabled = one.testing;
    setText(go, one.testing ? "Testing …" : "Test");
  });
}
