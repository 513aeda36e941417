// SPDX-License-Identifier: MIT
// The alarm queue: one card per open alarm, with its notifications and why it is masked or suppressed.
import { button, clockTime, isolate, keyed, make, setClass, setText, span, when } from "./dom.js";
import { ALARM, labelOf, spaced } from "./labels.js";
import { notified, recordsOf, showRecords } from "./outputs.js";

export const DISPOSITIONS = ["person", "vehicle", "animal", "weather", "own_patrol", "test", "unknown"];
const name = (alarm) => (alarm.kind === "intrusion" ? spaced(alarm.target ?? "unknown") : labelOf(ALARM, alarm.kind));
export const label = (alarm) => name(alarm).toUpperCase();

function nextStep(alarm, state) {
  if (!alarm.unacknowledged) return "";
  const done = alarm.escalated_to ? `escalated to ${alarm.escalated_to}` : "";
  const steps = state.escalation;
  const next = steps.find((step, index) => index >= alarm.escalation && alarm.priority <= step.priority);
  if (!next) return done;
  const left = alarm.notified_us + next.after_s * 1e6 - state.now_us;
  return `${done ? `${done}; ` : ""}escalates to ${next.to} in ${span(left)}`;
}

function marks(alarm, state) {
  const until = state.masks.find((mask) => alarm.masked.startsWith(`mask ${mask.id} `))?.until_us;
  return [
    alarm.masked && ["masked", `MASKED · ${isolate(alarm.masked)}${until ? ` · until ${when(until, state.now_us)}` : ""}`],
    alarm.suppressed && ["suppressed", `SUPPRESSED · ${alarm.suppressed}`],
    alarm.walk && ["walk", `AUTHORISED ACTIVITY · ${isolate(alarm.walk)}`],
    alarm.late && ["late", "REPORTED LATE"],
    alarm.unsure && alarm.kind === "intrusion" && ["unsure", "LOW CONFIDENCE · re-alarms if confirmed"],
  ].filter(Boolean);
}

function card(alarm, actions) {
  const item = make("li");
  item.tabIndex = -1;
  const top = make("div", "top");
  top.append(make("span", "what"), make("span", "where"), make("span", "since"));
  const buttons = make("div", "actions");
  const acknowledge = button("Acknowledge", "A", () => actions.acknowledge(item.alarm), "primary");
  const choices = make("div", "choices");
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", "acknowledge and assess");
  DISPOSITIONS.forEach((name, index) => {
    const choice = button(spaced(name), String(index + 1), () => actions.acknowledge(item.alarm, name));
    choice.dataset.disposition = name;
    choices.append(choice);
  });
  buttons.append(acknowledge, choices);
  const record = make("details", "notified");
  const table = make("table", "records");
  table.append(make("tbody"));
  const wide = make("div", "wide");
  wide.append(table);
  record.append(make("summary"), wide);
  item.append(top, make("ul", "marks"), make("ul", "why"), make("div", "line"), buttons, make("div", "by"), record);
  item.addEventListener("click", () => actions.select(item.alarm.id));
  return item;
}

export function showQueue(list, state, selected, actions) {
  keyed(list, state.alarms, (alarm) => alarm.id, (alarm) => card(alarm, actions), (item, alarm) => {
    item.alarm = alarm;
    const mode = alarm.unacknowledged ? "unacked" : alarm.acknowledged ? "acked" : "suppressed";
    setClass(item, `card p${alarm.priority} ${mode}${alarm.id === selected ? " selected" : ""}`);
    if (alarm.id === selected) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
    const percent = alarm.kind === "intrusion" ? ` ${Math.round(alarm.confidence * 100)} %` : "";
    setText(item.querySelector(".what"), label(alarm) + percent);
    setText(item.querySelector(".where"), alarm.sectors.join(", "));
    setText(item.querySelector(".since"), `${clockTime(alarm.raised_us)} · ${span(state.now_us - alarm.raised_us)}${alarm.active ? "" : " · cleared"}`);
    keyed(item.querySelector(".marks"), marks(alarm, state), ([kind]) => kind, ([kind]) => make("li", kind), (mark, [, text]) => setText(mark, text));
    keyed(item.querySelector(".why"), alarm.reasons, (reason) => reason, () => make("li"), setText);
    const heading = alarm.direction_deg === null ? "" : ` · towards ${Math.round(alarm.direction_deg)}°`;
    const speed = alarm.speed_m_s === null ? "" : ` · ${alarm.speed_m_s} m/s`;
    const next = nextStep(alarm, state);
    setText(item.querySelector(".line"), `#${alarm.id} · ${alarm.nodes.join(" ")}${heading}${speed}${next ? ` · ${next}` : ""}`);
    item.querySelector(".primary").hidden = !alarm.unacknowledged;
    for (const choice of item.querySelector(".choices").children) choice.setAttribute("aria-pressed", String(choice.dataset.disposition === alarm.disposition));
    item.querySelector(".choices").hidden = alarm.kind !== "intrusion";
    const assessed = alarm.disposition ? `: ${spaced(alarm.disposition)}` : "";
    const note = alarm.note ? ` · “${isolate(alarm.note)}”` : "";
    setText(item.querySelector(".by"), alarm.acknowledged ? `acknowledged by ${isolate(alarm.acknowledged_by)} ${clockTime(alarm.acknowledged_us)}${assessed}${note}` : "");
    const records = recordsOf(state, alarm);
    item.querySelector(".notified").hidden = !records.length;
    setText(item.querySelector("summary"), `Notified: ${notified(records)}`);
    showRecords(item.querySelector("tbody"), records, state.now_us, false);
  });
}

export function showPast(list, state, assess) {
  const create = () => {
    const item = make("li");
    const open = button("", "", () => assess(item.alarm), "past-alarm");
    item.append(open);
    return item;
  };
  keyed(list, state.past, (alarm) => alarm.id, create, (item, alarm) => {
    item.alarm = alarm;
    const by = alarm.assessed_by || alarm.acknowledged_by;
    const result = alarm.disposition ? spaced(alarm.disposition) : alarm.acknowledged ? "not assessed" : alarm.masked || alarm.suppressed;
    setText(item.firstChild, `${when(alarm.raised_us, state.now_us)} #${alarm.id} ${label(alarm)} · ${alarm.sectors.join(", ")} · ${result}${by ? ` · ${isolate(by)}` : ""}`);
    setClass(item, alarm.disposition || alarm.kind !== "intrusion" ? "" : "unassessed");
  });
}
