// SPDX-License-Identifier: MIT
// The supervisor's page: measured figures, each with its counts and its exact interval.
import { byId, keyed, make, setText } from "./dom.js";
import { RESULT } from "./labels.js";

const NONE = "–";
const number = (value) => (value === null ? NONE : value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2));
const percent = (value) => (value === null ? NONE : `${(100 * value).toFixed(0)} %`);
const range = ([value, low, high], format) => (value === null ? "not measured" : `${format(low)} to ${high === null ? "∞" : format(high)}`);
const whole = (interval, format) => (interval[0] === null ? NONE : `${format(interval[0])} · ${range(interval, format)}`);
const REQUIRED_PD = 0.95;
const RATED = ["valid", "nuisance", "false"];

// Met or not met only where the whole interval is on one side of the requirement.
function requiredPd([value, low, high]) {
  if (value === null) return "Requirement 95 %";
  if (low >= REQUIRED_PD) return "Requirement 95 %: met";
  if (high < REQUIRED_PD) return "Requirement 95 %: not met";
  return "Requirement 95 %: too few crossings to decide";
}

function unassessed({ alarms, monitored_days: days }) {
  if (!alarms.not_assessed || !days) return "not counted in the rates";
  return `not counted in the rates; if all of them were false: ${number((alarms.false + alarms.not_assessed) / days)} false per day`;
}

function duration(seconds) {
  if (seconds === null) return "not measured";
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

function row(count) {
  const line = make("tr");
  for (let i = 0; i < count; i++) line.append(make("td"));
  return line;
}

function table(body, rows) {
  keyed(body, rows, (cells) => cells[0], (cells) => row(cells.length), (line, cells) => {
    cells.forEach((text, index) => setText(line.children[index], String(text)));
  });
}

function figures(report) {
  const { detection, alarms, time_to_acknowledge: times } = report;
  return [
    ["Probability of detection (Pd)", percent(detection.pd[0]), `${range(detection.pd, percent)} · ${detection.detected} of ${detection.crossings} crossings`, requiredPd(detection.pd)],
    ["False alarms per day", number(report.false_per_day[0]), `${range(report.false_per_day, number)} · ${alarms.false} in ${number(report.monitored_days)} days`, "Requirement: less than 1 per mile"],
    ["Nuisance alarms per day", number(report.nuisance_per_day[0]), `${range(report.nuisance_per_day, number)} · ${alarms.nuisance}`, "animal, weather"],
    ["Not assessed", String(alarms.not_assessed), `of ${alarms.intrusion} intrusion alarms`, unassessed(report)],
    ["Alarms per operator hour", number(report.alarms_per_operator_hour[0]), `${range(report.alarms_per_operator_hour, number)} · ${alarms.notified} in ${number(report.operator_hours)} h`, "hours with a console open, each operator once"],
    ["Median time to acknowledge", duration(times.p50_s), `95 %: ${duration(times.p95_s)} · ${times.acknowledged} alarms`, `${times.waiting} unacknowledged, counted as the longest`],
  ];
}

function show(report) {
  setText(byId("period"), `since ${report.since} · monitored time ${number(report.monitored_days)} d · NOT monitored ${number(report.unwatched.hours)} h in ${report.unwatched.gaps} gaps · exact 95 % intervals · ${report.alarms.suppressed} alarms masked or suppressed`);
  keyed(byId("figures"), figures(report), ([name]) => name, () => {
    const box = make("div");
    box.append(make("dt"), make("dd"), make("dd", "of"), make("dd", "of"));
    return box;
  }, (box, cells) => cells.forEach((text, index) => setText(box.children[index], text)));
  table(byId("sectors"), report.detection.sectors.map((one) => [one.sector, `${one.detected} of ${one.crossings}`, percent(one.pd[0]), range(one.pd, percent)]));
  byId("no-tests").hidden = report.detection.sectors.length > 0;
  table(byId("dispositions"), Object.entries(RESULT).map(([name, label]) => [label, report.alarms[name]]));
  table(byId("by-node"), report.nodes.map((one) => [one.node, one.alarms, one.false, whole(one.false_per_day, number), one.nuisance, whole(one.nuisance_per_day, number)]));
  const most = Math.max(1, ...report.days.map((day) => day.valid + day.nuisance + day.false));
  const days = [...report.days].reverse();
  table(byId("by-day"), days.map((day) => [day.day, `${number(day.monitored_h)} h`, `${number(day.unwatched_h)} h`, day.valid, day.nuisance, day.false, day.authorised, day.not_assessed, ""]));
  days.forEach((day, index) => {
    const bar = byId("by-day").children[index].lastChild;
    keyed(bar, RATED, (kind) => kind, (kind) => make("meter", `bar ${kind}`), (meter, kind) => {
      Object.assign(meter, { min: 0, max: most, value: day[kind], title: `${RESULT[kind]}: ${day[kind]}` });
      meter.setAttribute("aria-label", `${RESULT[kind]} on ${day.day}`);
    });
  });
  banner(report.cut ? "Too many alarms for one report: the oldest are left out" : "");
}

function banner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text);
}

async function load() {
  try {
    const answer = await fetch(`/api/v1/performance?days=${byId("days").value}`);
    if (answer.status === 401) location.assign("/sign-in");
    else if (answer.ok) show(await answer.json());
    else banner((await answer.json()).problem);
  } catch {
    banner("No connection to the gateway");
  }
}

byId("days").addEventListener("change", load);
load();
setInterval(load, 60_000);
