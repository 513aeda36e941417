// SPDX-License-Identifier: MIT
// The operator's page: receives the picture, shows it, sends operator actions. No framework, nothing remote.
import { post, session } from "./api.js";
import { askArming, askAssessment, askMask, askReason, askWalk, showHelp } from "./dialogs.js";
import { byId, clockTime, isolate, setClass, setText } from "./dom.js";
import { showMasks, showSectors, showWalks } from "./sectors.js";
import { failing, outputsOf, recordsOf, showOutputs, showRecords, unreached } from "./outputs.js";
import { apply, stateAt } from "./picture.js";
import { allowPlacing, showPlan, stopPlacing } from "./placing.js";
import { DISPOSITIONS, label, showPast, showQueue } from "./queue.js";
import * as sound from "./sound.js";
import { showCounters, showDoubts, showNodes, showRefused } from "./tables.js";

const SILENCE_MS = 6000; // the gateway sends every 2 s
const FAILING_US = 60e6; // an output that fails for so long is shown in the banner: it may be the only notice of it
const assess = (alarm) => askAssessment(alarm, recordsOf(state, alarm), state.now_us);
let state = null;
let receivedAt = 0;
let stale = "";
let notice = "";
let selected = null; // an alarm's number; null: the first of the queue
let signedOut = false;

const chosen = () => state.alarms.find((alarm) => alarm.id === selected) ?? state.alarms[0];

async function acknowledge(alarm, disposition) {
  notice = await post(`/api/v1/alarms/${alarm.id}/acknowledge`, disposition ? { disposition } : {});
  if (selected === alarm.id) selected = null; // the next unacknowledged one
  showBanner();
}

async function testOutput(name) {
  notice = await post(`/api/v1/connectors/${encodeURIComponent(name)}/test`, {}); // the delivery log shows the result
  showBanner();
}

const actions = {
  acknowledge,
  select: (id) => { selected = id; show(); },
  arm: askArming,
  mask: (sector) => askMask(state, [sector]),
  resume: (arming) => askReason(`Resume the schedule of ${arming.sector}`, "Resume", `/api/v1/sectors/${encodeURIComponent(arming.sector)}/resume`),
  removeMask: (mask) => askReason(`Remove mask ${mask.id}`, "Remove mask", `/api/v1/masks/${mask.id}/lift`),
  endWalk: (walk) => askReason(walk.purpose === "walk_test" ? `Cancel the walk test of ${walk.who}` : `End the activity of ${walk.who}`,
    walk.purpose === "walk_test" ? "Cancel test" : "End", `/api/v1/walks/${walk.id}/withdraw`),
};

const silent = () => performance.now() - receivedAt > SILENCE_MS;

function status() {
  if (signedOut) return ["fault", "SIGNED OUT"];
  if (silent()) return ["fault", "NO CONNECTION"]; // never SECURE on stale data
  const unacked = state.alarms.filter((alarm) => alarm.unacknowledged);
  const urgent = unacked.filter((alarm) => alarm.priority === 1);
  if (urgent.length) {
    const first = urgent[0];
    const others = urgent.length - 1 + state.alarms_waiting;
    return ["alarm", `ALARM · ${label(first)} · ${first.sectors.join(", ")}${others ? ` · +${others}` : ""}`];
  }
  if (unacked.length) {
    const first = unacked[0];
    const intrusion = first.kind === "intrusion";
    const why = first.walk ? "AUTHORISED ACTIVITY" : first.late ? "REPORTED LATE" : intrusion ? "LOW CONFIDENCE" : "FAULT";
    return ["fault", `${why} · ${label(first)} · ${(intrusion ? first.sectors : first.nodes).join(", ")}`];
  }
  const acked = state.alarms.filter((alarm) => alarm.acknowledged).length;
  if (acked) return ["acked", `${acked} acknowledged, still active`];
  // ACCESS is not SECURE (NAVFAC DM 13.02): masked and disarmed sectors are shown.
  const open = state.arming.filter((arming) => !arming.armed).length;
  const masks = state.masks.length;
  if (open || masks) return ["access", [open && `${open} disarmed`, masks && `${masks} masked`, "otherwise secure"].filter(Boolean).join(" · ")];
  return ["secure", "SECURE"];
}

function showBanner() {
  const lines = [];
  if (silent() && !signedOut) lines.push(`No connection to the gateway${stale && `: data stale since ${stale}`}`);
  if (state?.store.problem) lines.push(`STORE FAULT: ${state.store.problem}. Nodes keep their records. ${state.store.unstored} messages wait in memory`);
  for (const link of state?.links ?? []) if (!link.connected) lines.push(`Link down: ${link.name}`);
  for (const output of state ? failing(state) : []) {
    if (state.now_us - output.since_us > FAILING_US) lines.push(`${output.name} fails: ${output.problem}`);
  }
  if (sound.state() === "locked") lines.push("Sound blocked by the browser: press a key or click");
  if (notice) lines.push(notice);
  byId("banner").hidden = !lines.length;
  setText(byId("banner"), lines.join(" · "));
  const soundText = { on: "Sound on", off: "Sound OFF", locked: "Sound blocked: click to enable" }[sound.state()];
  setText(byId("sound"), soundText);
  setClass(byId("sound"), sound.state());
  byId("sound").dataset.played = sound.played();
}

function showStatus() {
  const [kind, text] = status();
  setClass(byId("status"), `status ${kind}`);
  setText(byId("status"), text);
  document.title = `${kind === "alarm" ? "(!) " : ""}${text}`;
}

function show() {
  showStatus();
  setText(byId("site"), state.site.name);
  const others = state.on_duty.names.filter((name) => name !== operator?.name);
  setText(byId("who"), operator ? `On duty: ${[operator.name, ...others].map(isolate).join(", ")}` : "");
  setText(byId("clock"), clockTime(state.now_us));
  showPlan(state);
  showQueue(byId("alarms"), state, chosen()?.id, actions);
  byId("no-alarms").hidden = state.alarms.length > 0;
  byId("more-alarms").hidden = !state.alarms_waiting;
  setText(byId("more-alarms"), `${state.alarms_waiting} more cleared alarms are not shown`);
  showPast(byId("past"), state, assess);
  showSectors(byId("sectors"), state, actions);
  showMasks(byId("masks"), state, actions);
  showWalks(byId("walks"), state, actions);
  showNodes(byId("nodes"), state);
  showOutputs(byId("outputs"), state, operator?.role === "supervisor" ? testOutput : null);
  const missed = unreached(state).length;
  const faults = [failing(state).length && `${failing(state).length} failing`, missed && `${missed} not reached`].filter(Boolean);
  setText(byId("failing"), faults.length ? ` ✗ ${faults.join(", ")}` : "");
  const { channels, deliveries } = outputsOf(state);
  byId("no-outputs").hidden = channels.length > 0;
  byId("deliveries-shown").hidden = !channels.length;
  showRecords(byId("deliveries"), deliveries.slice(0, 50), state.now_us, true);
  showCounters(byId("counters"), state);
  showRefused(byId("refused"), state.refused);
  byId("no-refused").hidden = state.refused.length > 0;
  setText(byId("warnings"), state.warnings.join(" · "));
  showDoubts(byId("doubts"), state.doubts, operator?.role === "supervisor" ? confirmDoubt : null);
  sound.follow(state.alarms);
  showBanner();
}

const confirmDoubt = (id) => askReason(`Confirm the ${id}: how did you check it?`, "Confirm", `/api/v1/doubts/${id}/confirm`);

function choose(step) {
  const at = state.alarms.findIndex((alarm) => alarm.id === chosen()?.id);
  selected = state.alarms[Math.min(Math.max(at + step, 0), state.alarms.length - 1)]?.id ?? null;
  show();
  byId("alarms").querySelector(".selected")?.scrollIntoView({ block: "nearest" });
}

const TABS = ["sectors", "nodes", "outputs", "diagnostics"];
function openTab(name) {
  for (const tab of TABS) {
    byId(`${tab}-panel`).hidden = tab !== name;
    byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
  }
}

function toggleSound() {
  sound.toggle();
  showBanner();
}

const KEYS = {
  a: () => chosen()?.unacknowledged && acknowledge(chosen()),
  d: () => chosen()?.kind === "intrusion" && assess(chosen()),
  m: () => askMask(state, chosen()?.sectors),
  p: () => askWalk(state, chosen()?.sectors),
  j: () => choose(1), arrowdown: () => choose(1),
  k: () => choose(-1), arrowup: () => choose(-1),
  s: () => openTab("sectors"), n: () => openTab("nodes"), o: () => openTab("outputs"), c: () => openTab("diagnostics"),
  u: toggleSound,
  "?": showHelp,
};

addEventListener("keydown", (event) => {
  sound.wake();
  if (event.target.closest("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat || !state || signedOut) return;
  const digit = DISPOSITIONS[Number(event.key) - 1];
  const action = digit ? () => chosen()?.kind === "intrusion" && acknowledge(chosen(), digit) : KEYS[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});
addEventListener("pointerdown", () => sound.wake());

byId("dialog").addEventListener("close", () => byId("dialog").replaceChildren()); // or its field keeps the focus
byId("sound").addEventListener("click", toggleSound);
byId("help").addEventListener("click", showHelp);
byId("new-mask").addEventListener("click", () => askMask(state));
byId("new-walk").addEventListener("click", () => askWalk(state));
byId("sign-out").addEventListener("click", async () => {
  await post("/api/session/end", {});
  location.assign("/sign-in");
});
for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => openTab(tab));
openTab("sectors");
sound.wake();

const operator = await session();
byId("to-supervisor").hidden = operator?.role !== "supervisor";
if (operator?.role === "supervisor") allowPlacing();

// Without a session the page hides what it showed, and sounds.
addEventListener("signed-out", () => {
  signedOut = true;
  stopPlacing();
  byId("dialog").close();
  document.querySelector("main").hidden = true;
  byId("signed-out").hidden = false;
  setText(byId("who"), "");
  byId("sign-in-again").focus();
  showStatus();
  showBanner();
});
byId("sign-in-again").addEventListener("click", () => location.assign("/"));

function listen() {
  const source = new EventSource("/api/v1/stream"); // reconnects by itself, unless the gateway rejects it
  const take = (event) => {
    const message = JSON.parse(event.data);
    apply(message);
    state = stateAt(message.now_us);
    receivedAt = performance.now();
    stale = clockTime(state.now_us);
    show();
  };
  for (const kind of ["picture", "changes", "heartbeat"]) source.addEventListener(kind, take);
  source.addEventListener("error", async () => {
    if (source.readyState !== EventSource.CLOSED) return;
    if (await session().catch(() => operator)) setTimeout(listen, 3000);
    else dispatchEvent(new Event("signed-out"));
  });
}
listen();
setInterval(() => {
  if (state) showStatus();
  if (signedOut || (state && silent())) sound.lost();
  showBanner();
}, 1000);
