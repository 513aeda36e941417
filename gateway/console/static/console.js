// SPDX-License-Identifier: MIT
// The window's page: listens to snapshots, shows them, sends acknowledgements. No framework, nothing remote.
import { drawPlan } from "./plan.js";
import { clockTime, label, showAlarms, showCounters, showNodes, showPast, showRefused } from "./tables.js";

const SILENCE_MS = 6000; // the gateway speaks every 2 s
const byId = (id) => document.getElementById(id);
let state = null;
let heardAt = 0;
let notice = "";

const who = byId("who");
who.value = localStorage.getItem("who") || "operator";
who.addEventListener("change", () => localStorage.setItem("who", who.value.trim() || "operator"));

async function acknowledge(id, disposition) {
  const body = JSON.stringify({ by: who.value.trim() || "operator", disposition: disposition || null });
  try {
    const answer = await fetch(`/api/alarms/${id}/acknowledge`, { method: "POST", body });
    notice = answer.ok || answer.status === 409 ? "" : (await answer.json()).problem;
  } catch {
    notice = "The acknowledgement did not reach the gateway: try again";
  }
  showBanner();
}

const silent = () => performance.now() - heardAt > SILENCE_MS;

function verdict() {
  if (silent()) return ["wait", "NO CONNECTION"]; // what was secure then may not be so now
  const unacked = state.alarms.filter((alarm) => alarm.asks);
  const urgent = unacked.filter((alarm) => alarm.priority === 1);
  if (urgent.length) {
    const first = urgent[0];
    const others = urgent.length - 1 + state.alarms_waiting;
    return ["alarm", `ALARM · ${label(first)} · ${first.sectors.join(", ")}${others ? ` · +${others}` : ""}`];
  }
  if (unacked.length) return ["trouble", `TROUBLE · ${label(unacked[0])} · ${unacked[0].nodes.join(", ")}`];
  if (state.alarms.length) return ["acked", `${state.alarms.length} acknowledged, still active`];
  return ["secure", "SECURE"];
}

function showBanner() {
  const lines = [];
  if (silent()) lines.push("No connection to the gateway: what you see is old");
  if (state?.store.problem) lines.push(`NOT STORING: ${state.store.problem}. Nodes keep their messages. ${state.store.unstored} wait in memory`);
  for (const link of state?.links ?? []) if (!link.connected) lines.push(`Link down: ${link.name}`);
  if (notice) lines.push(notice);
  const banner = byId("banner");
  banner.hidden = !lines.length;
  banner.textContent = lines.join(" · ");
}

function showVerdict() {
  const [kind, words] = verdict();
  const box = byId("verdict");
  box.className = `verdict ${kind}`;
  if (box.textContent !== words) box.textContent = words;
  document.title = `${kind === "alarm" ? "(!) " : ""}${words}`;
}

function show() {
  showVerdict();
  byId("site").textContent = state.site.name;
  byId("clock").textContent = clockTime(state.now_us);
  drawPlan(byId("plan"), state);
  showAlarms(byId("alarms"), state, acknowledge);
  byId("no-alarms").hidden = state.alarms.length > 0;
  byId("more-alarms").hidden = !state.alarms_waiting;
  byId("more-alarms").textContent = `and ${state.alarms_waiting} more that are over and wait for their turn`;
  showPast(byId("past"), state.past);
  showNodes(byId("nodes"), state);
  showCounters(byId("counters"), state);
  showRefused(byId("refused"), state.refused);
  byId("no-refused").hidden = state.refused.length > 0;
  byId("warnings").textContent = state.broker.warnings.join(" · ");
  showBanner();
}

addEventListener("keydown", (event) => {
  if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() !== "a" || event.repeat || !state) return;
  const first = state.alarms.find((alarm) => alarm.asks);
  if (first) acknowledge(first.id);
});

const source = new EventSource("/events"); // reconnects by itself
source.addEventListener("state", (event) => {
  state = JSON.parse(event.data);
  heardAt = performance.now();
  show();
});
setInterval(() => {
  if (state) showVerdict();
  showBanner();
}, 1000);
