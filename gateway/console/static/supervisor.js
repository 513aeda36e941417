// SPDX-License-Identifier: MIT
// The supervisor's page: measured figures, each with the counts it is made of and its exact interval.
import { byId, keyed, make, setText, words } from "./dom.js";

const NONE = "–";
const number = (value) => (value === null ? NONE : value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2));
const percent = (value) => (value === null ? NONE : `${(100 * value).toFixed(0)} %`);
const range = ([value, low, high], say) => (value === null ? "not measured" : `between ${say(low)} and ${high === null ? "∞" : say(high)}`);
const whole = (interval, say) => (interval[0] === null ? NONE : `${say(interval[0])} · ${range(interval, say)}`);
const ASKED_PD = 0.95;

// What the walks show of it, not what one may hope.
function askedPd([value, low, high]) {
  if (value === null) return "buyers ask for 95 %";
  if (low >= ASKED_PD) return "shown: better than the 95 % that buyers ask for";
  if (high < ASKED_PD) return "shown: below the 95 % that buyers ask for";
  return "too few walks to say whether it is the 95 % that buyers ask for";
}

function unjudged({ alarms, supervised_days: days }) {
  if (!alarms.not_judged || !days) return "rates leave them out";
  return `rates leave them out: were all of them false, ${number((alarms.false + alarms.not_judged) / days)} false a day`;
}

function wait(seconds) {
  if (seconds === null) return "not yet";
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
  const { detection, alarms, time_to_acknowledge: wait_s } = report;
  return [
    ["Detected", percent(detection.pd[0]), `${range(detection.pd, percent)} · ${detection.detected} of ${detection.crossings} crossings`, askedPd(detection.pd)],
    ["False alarms per day", number(report.false_per_day[0]), `${range(report.false_per_day, number)} · ${alarms.false} in ${number(report.supervised_days)} days`, "buyers ask for less than 1 a mile"],
    ["Nuisance alarms per day", number(report.nuisance_per_day[0]), `${range(report.nuisance_per_day, number)} · ${alarms.nuisance}`, "animals, weather"],
    ["Not judged", String(alarms.not_judged), `of ${alarms.intrusion} alarms of crossings`, unjudged(report)],
    ["Alarms per operator hour", number(report.alarms_per_operator_hour[0]), `${range(report.alarms_per_operator_hour, number)} · ${alarms.told} in ${number(report.operator_hours)} h`, "pages open, each operator once"],
    ["Half acknowledged within", wait(wait_s.p50_s), `95 %: ${wait(wait_s.p95_s)} · ${wait_s.acknowledged} alarms`, `${wait_s.waiting} waiting now count as the longest`],
  ];
}

function show(report) {
  setText(byId("period"), `with exact 95 % intervals · since ${report.since} · watched ${number(report.supervised_days)} days · ${report.alarms.quiet} masked or disarmed`);
  keyed(byId("figures"), figures(report), ([name]) => name, () => {
    const box = make("div");
    box.append(make("dt"), make("dd"), make("dd", "of"), make("dd", "of"));
    return box;
  }, (box, cells) => cells.forEach((text, index) => setText(box.children[index], text)));
  table(byId("sectors"), report.detection.sectors.map((one) => [one.sector, `${one.detected} of ${one.crossings}`, percent(one.pd[0]), range(one.pd, percent)]));
  byId("no-tests").hidden = report.detection.sectors.length > 0;
  table(byId("judged"), ["right", "nuisance", "false", "announced", "not_judged"].map((name) => [words(name), report.alarms[name]]));
  table(byId("by-node"), report.nodes.map((one) => [one.node, one.alarms, one.false, whole(one.false_per_day, number), one.nuisance, whole(one.nuisance_per_day, number)]));
  const most = Math.max(1, ...report.days.map((day) => day.right + day.nuisance + day.false));
  const days = [...report.days].reverse();
  table(byId("by-day"), days.map((day) => [day.day, `${number(day.supervised_h)} h`, day.right, day.nuisance, day.false, day.announced, day.not_judged, ""]));
  days.forEach((day, index) => {
    const bar = byId("by-day").children[index].lastChild;
    keyed(bar, ["right", "nuisance", "false"], (kind) => kind, (kind) => make("meter", `bar ${kind}`), (meter, kind) => {
      Object.assign(meter, { min: 0, max: most, value: day[kind], title: `${kind}: ${day[kind]}` });
      meter.setAttribute("aria-label", `${kind} on ${day.day}`);
    });
  });
  banner(report.cut ? "More alarms than one report takes: the oldest are left out" : "");
}

function banner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text);
}

async function load() {
  try {
    const answer = await fetch(`/api/v1/performance?days=${byId("days").value}`);
    if (answer.status === 401) location.assign("/sign-on");
    else if (answer.ok) show(await answer.json());
    else banner((await answer.json()).problem);
  } catch {
    banner("No connection to the gateway");
  }
}

byId("days").addEventListener("change", load);
load();
setInterval(load, 60_000);
