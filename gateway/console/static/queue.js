// SPDX-License-Identifier: MIT
// The window's queue: one card per open alarm, with what keeps it quiet and whom it is told to next.
import { recordsOf, showRecords, told } from "./outputs.js";
import { button, clockTime, isolate, keyed, make, setClass, setText, span, when, words } from "./dom.js";

export const DISPOSITIONS = ["person", "vehicle", "animal", "weather", "own_patrol", "test", "unknown"];
export const label = (alarm) => words(alarm.kind === "intrusion" ? alarm.target ?? "unknown" : alarm.kind).toUpperCase();

function nextStep(alarm, state) {
  if (!alarm.asks) return "";
  const told = alarm.escalated_to ? `told to ${alarm.escalated_to}` : "";
  const steps = state.orders.escalation;
  const next = steps.find((step, index) => index >= alarm.escalation && alarm.priority <= step.priority);
  if (!next) return told;
  const left = alarm.told_us + next.after_s * 1e6 - state.now_us;
  return `${told ? `${told}, ` : ""}${next.to} in ${span(left)}`;
}

function marks(alarm, state) {
  const until = state.orders.masks.find((mask) => alarm.masked.startsWith(`mask ${mask.id} `))?.until_us;
  return [
    alarm.masked && ["quiet", `MASKED · ${isolate(alarm.masked)}${until ? ` · until ${when(until, state.now_us)}` : ""}`],
    alarm.suppressed && ["quiet", alarm.suppressed.toUpperCase()],
    alarm.walk && ["walk", `ANNOUNCED · ${isolate(alarm.walk)}`],
    alarm.late && ["late", "REPORTED LATE"],
    alarm.unsure && alarm.kind === "intrusion" && ["unsure", "UNSURE · calls in earnest when it becomes sure"],
  ].filter(Boolean);
}

function card(alarm, acts) {
  const item = make("li");
  item.tabIndex = -1;
  const top = make("div", "top");
  top.append(make("span", "what"), make("span", "where"), make("span", "since"));
  const actions = make("div", "actions");
  const take = button("Acknowledge", "A", () => acts.acknowledge(item.alarm), "primary");
  const choices = make("div", "choices");
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", "acknowledge and say what it was");
  DISPOSITIONS.forEach((name, index) => {
    const choice = button(words(name), String(index + 1), () => acts.acknowledge(item.alarm, name));
    choice.dataset.word = name;
    choices.append(choice);
  });
  actions.append(take, choices);
  const record = make("details", "told");
  const table = make("table", "records");
  table.append(make("tbody"));
  const wide = make("div", "wide");
  wide.append(table);
  record.append(make("summary"), wide);
  item.append(top, make("ul", "marks"), make("ul", "why"), make("div", "line"), actions, make("div", "by"), record);
  item.addEventListener("click", () => acts.select(item.alarm.id));
  return item;
}

export function showQueue(list, state, selected, acts) {
  keyed(list, state.alarms, (alarm) => alarm.id, (alarm) => card(alarm, acts), (item, alarm) => {
    item.alarm = alarm;
    const mode = alarm.asks ? "asks" : alarm.acknowledged ? "acked" : "hushed";
    setClass(item, `card p${alarm.priority} ${mode}${alarm.id === selected ? " selected" : ""}`);
    if (alarm.id === selected) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
    const percent = alarm.kind === "intrusion" ? ` ${Math.round(alarm.confidence * 100)} %` : "";
    setText(item.querySelector(".what"), label(alarm) + percent);
    setText(item.querySelector(".where"), alarm.sectors.join(", "));
    setText(item.querySelector(".since"), `${clockTime(alarm.raised_us)} · ${span(state.now_us - alarm.raised_us)}${alarm.active ? "" : " · over"}`);
    keyed(item.querySelector(".marks"), marks(alarm, state), ([kind]) => kind, ([kind]) => make("li", kind), (mark, [, text]) => setText(mark, text));
    keyed(item.querySelector(".why"), alarm.reasons, (reason) => reason, () => make("li"), setText);
    const heading = alarm.direction_deg === null ? "" : ` · towards ${Math.round(alarm.direction_deg)}°`;
    const speed = alarm.speed_m_s === null ? "" : ` · ${alarm.speed_m_s} m/s`;
    const next = nextStep(alarm, state);
    setText(item.querySelector(".line"), `#${alarm.id} · ${alarm.nodes.join(" ")}${heading}${speed}${next ? ` · ${next}` : ""}`);
    item.querySelector(".primary").hidden = !alarm.asks;
    for (const choice of item.querySelector(".choices").children) choice.setAttribute("aria-pressed", String(choice.dataset.word === alarm.disposition));
    item.querySelector(".choices").hidden = alarm.kind !== "intrusion";
    const verdict = alarm.disposition ? `: ${words(alarm.disposition)}` : "";
    const note = alarm.note ? ` · “${isolate(alarm.note)}”` : "";
    setText(item.querySelector(".by"), alarm.acknowledged ? `acknowledged by ${isolate(alarm.acknowledged_by)} ${clockTime(alarm.acknowledged_us)}${verdict}${note}` : "");
    const records = recordsOf(state, alarm);
    item.querySelector(".told").hidden = !records.length;
    setText(item.querySelector("summary"), `told: ${told(records)}`);
    showRecords(item.querySelector("tbody"), records, state.now_us, false);
  });
}

export function showPast(list, state, judge) {
  const create = () => {
    const item = make("li");
    const open = button("", "", () => judge(item.alarm), "past-alarm");
    item.append(open);
    return item;
  };
  keyed(list, state.past, (alarm) => alarm.id, create, (item, alarm) => {
    item.alarm = alarm;
    const by = alarm.judged_by || alarm.acknowledged_by;
    const verdict = alarm.disposition ? words(alarm.disposition) : alarm.acknowledged ? "not judged" : alarm.masked || alarm.suppressed;
    setText(item.firstChild, `${when(alarm.raised_us, state.now_us)} #${alarm.id} ${label(alarm)} · ${alarm.sectors.join(", ")} · ${verdict}${by ? ` · ${isolate(by)}` : ""}`);
    setClass(item, alarm.disposition || alarm.kind !== "intrusion" ? "" : "unjudged");
  });
}
