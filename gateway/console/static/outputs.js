// SPDX-License-Identifier: MIT
// Connectors: the state of each; notifications: what was delivered about an alarm, when, after how many attempts.
import { button, clockTime, keyed, make, setClass, setText, span, when } from "./dom.js";
import { CHANGE, labelOf, spaced } from "./labels.js";

const NONE = { channels: [], deliveries: [] };
export const outputsOf = (state) => ({ ...NONE, ...state.outputs });
const SIGNS = { working: "✓ working", connected: "✓ connected", starting: "… connecting", stopped: "– stopped" };
const notifies = (connector) => connector.roles.includes("notifier");
const attempts = (count) => `${count} ${count === 1 ? "attempt" : "attempts"}`;

function statusText(output, nowUs) {
  if (output.state === "failing") return `✗ FAILING since ${when(output.since_us, nowUs)} (${span(nowUs - output.since_us)})`;
  return SIGNS[output.state] ?? "– no delivery since the gateway started";
}

function traffic(connector) {
  const counted = Object.entries(connector.counters).map(([name, count]) => `${count} ${spaced(name)}`);
  return [...counted, connector.restarts && `${connector.restarts} restarts`].filter(Boolean).join(" · ");
}

function deliveredText(output, nowUs) {
  const { sent = 0, failed = 0, dropped = 0, limited = 0 } = output.counts;
  return [
    output.sent_us ? `last delivery ${when(output.sent_us, nowUs)}` : "no delivery yet",
    `${sent} delivered`,
    output.waiting && `${output.waiting} PENDING`,
    failed && `${failed} FAILED`,
    dropped && `${dropped} DROPPED`,
    limited && `${limited} not sent: rate limit`,
  ].filter(Boolean).join(" · ");
}

// As text and a sign: colour only repeats it.
export function result(record) {
  const why = record.answer ? `: ${record.answer}` : "";
  switch (record.status) {
    case "sent": return `✓ delivered ${clockTime(record.done_us)}${why}`;
    case "failed": return `✗ FAILED, no more attempts${why}`;
    case "dropped": return `✗ DROPPED${why}`;
    case "limited": return "✗ not sent: rate limit";
    default: return record.attempts ? `… retrying${why}` : "… sending";
  }
}

const kind = (record) => ({ sent: "good", pending: "warn" })[record.status] ?? "bad";

// Rows: time | output | [alarm] change | attempts | result.
export function showRecords(body, records, nowUs, withAlarm) {
  const row = () => {
    const line = make("tr");
    for (let i = 0; i < 5; i++) line.append(make("td"));
    return line;
  };
  keyed(body, records, (record) => record.id, row, (line, record) => {
    const what = labelOf(CHANGE, record.change);
    const cells = [when(record.at_us, nowUs), addressee(record), withAlarm && record.alarm ? `#${record.alarm} ${what}` : what,
      attempts(record.attempts), result(record)];
    cells.forEach((text, index) => setText(line.children[index], text));
    setClass(line.lastChild, kind(record));
  });
}

export const recordsOf = (state, alarm) => outputsOf(state).deliveries.filter((record) => record.alarm === alarm.id);

// The recipient where the connector has several, else the connector.
const addressee = (record) => record.to ? `${record.output}: ${record.to}` : record.output;

// "phone ✓ 14:05:03 · chief: eva@example.net (pending)": the latest result of each recipient.
export function notified(records) {
  const latest = new Map();
  for (const record of records) if (!latest.has(addressee(record))) latest.set(addressee(record), record);
  return [...latest].map(([name, record]) => {
    if (record.status === "sent") return `${name} ✓ ${clockTime(record.done_us)}`;
    return `${name} ${record.status === "pending" ? "(pending)" : "✗ NOT NOTIFIED"}`;
  }).join(" · ");
}

export const unreached = (state) => outputsOf(state).channels.flatMap((output) => output.unreached ?? []);

function unreachedText(output, nowUs) {
  const one = (who) => `${who.to || output.name} since ${when(who.since_us, nowUs)}: ${who.problem}`;
  return output.unreached?.length ? `NOT REACHED: ${output.unreached.map(one).join(" · ")}` : "";
}

export const failing = (state) => outputsOf(state).channels.filter((output) => output.state === "failing");

// `test` is null for an operator without the right to test.
export function showOutputs(list, state, test) {
  const { channels, deliveries } = outputsOf(state);
  const shown = channels.map((output) => ({
    name: output.name, note: output.kind, state: output.state, status: statusText(output, state.now_us),
    why: unreachedText(output, state.now_us) || output.problem, traffic: notifies(output) ? deliveredText(output, state.now_us) : traffic(output), test: Boolean(test) && notifies(output),
    testing: deliveries.some((record) => record.change === "test" && record.output === output.name && record.status === "pending"),
  }));
  const create = (one) => {
    const item = make("li");
    const name = make("div", "name");
    name.append(make("span"), make("small"));
    const what = make("div", "what");
    what.append(make("strong"), make("p", "why"), make("p", "traffic"));
    item.append(name, what, button("Test", "", () => test(one.name)));
    return item;
  };
  keyed(list, shown, (one) => one.name, create, (item, one) => {
    setClass(item, `output ${one.state}`);
    setText(item.querySelector(".name span"), one.name);
    setText(item.querySelector(".name small"), one.note);
    setText(item.querySelector("strong"), one.status);
    setText(item.querySelector(".why"), one.why);
    item.querySelector(".why").hidden = !one.why;
    setText(item.querySelector(".traffic"), one.traffic);
    const go = item.querySelector("button");
    go.hidden = !one.test;
    go.disabled = one.testing;
    setText(go, one.testing ? "Testing …" : "Test");
  });
}
