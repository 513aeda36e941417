// SPDX-License-Identifier: MIT
// The console's page: follows the picture, shows it, sends what the operator does. No framework, nothing remote.
import { post, session } from "./api.js";
import { askArming, askJudgement, askMask, askReason, askWalk, showHelp } from "./dialogs.js";
import { byId, clockTime, isolate, setClass, setText } from "./dom.js";
import { showMasks, showSectors, showWalks } from "./orders.js";
import { failing, outputsOf, recordsOf, showOutputs, showRecords } from "./outputs.js";
import { apply, stateAt } from "./picture.js";
import { drawPlan } from "./plan.js";
import { DISPOSITIONS, label, showPast, showQueue } from "./queue.js";
import * as sound from "./sound.js";
import { showCounters, showNodes, showRefused } from "./tables.js";

const SILENCE_MS = 6000; // the gateway speaks every 2 s
const FAILING_US = 60e6; // an output that fails so long is told: who watches may be the only one who knows
const judge = (alarm) => askJudgement(alarm, recordsOf(state, alarm), state.now_us);
let state = null;
let heardAt = 0;
let notice = "";
let selected = null; // an alarm's number; null is the first
let signedOff = false;

const chosen = () => state.alarms.find((alarm) => alarm.id === selected) ?? state.alarms[0];

async function acknowledge(alarm, disposition) {
  notice = await post(`/api/v1/alarms/${alarm.id}/acknowledge`, disposition ? { disposition } : {});
  if (selected === alarm.id) selected = null; // on to the next that asks
  showBanner();
}

async function testOutput(name) {
  notice = await post(`/api/v1/connectors/${encodeURIComponent(name)}/test`, {}); // what came of it is in the deliveries
  showBanner();
}

const acts = {
  acknowledge,
  select: (id) => { selected = id; show(); },
  arm: askArming,
  mask: (sector) => askMask(state, [sector]),
  resume: (arming) => askReason(`Back to the schedule of ${arming.sector}`, "Resume", `/api/v1/sectors/${encodeURIComponent(arming.sector)}/resume`),
  lift: (mask) => askReason(`Lift mask ${mask.id}`, "Lift", `/api/v1/masks/${mask.id}/lift`),
  withdraw: (walk) => askReason(`End the walk of ${walk.who}`, "End", `/api/v1/walks/${walk.id}/withdraw`),
};

const silent = () => performance.now() - heardAt > SILENCE_MS;

function verdict() {
  if (signedOff) return ["trouble", "SIGNED OFF"];
  if (silent()) return ["trouble", "NO CONNECTION"]; // what was secure then may not be so now
  const asking = state.alarms.filter((alarm) => alarm.asks);
  const urgent = asking.filter((alarm) => alarm.priority === 1);
  if (urgent.length) {
    const first = urgent[0];
    const others = urgent.length - 1 + state.alarms_waiting;
    return ["alarm", `ALARM · ${label(first)} · ${first.sectors.join(", ")}${others ? ` · +${others}` : ""}`];
  }
  if (asking.length) {
    const first = asking[0];
    const walker = first.kind === "intrusion";
    const why = first.walk ? "ANNOUNCED" : first.late ? "REPORTED LATE" : walker ? "UNSURE" : "TROUBLE";
    return ["trouble", `${why} · ${label(first)} · ${(walker ? first.sectors : first.nodes).join(", ")}`];
  }
  const acked = state.alarms.filter((alarm) => alarm.acknowledged).length;
  if (acked) return ["acked", `${acked} acknowledged, still active`];
  // Access and secure are not the same (NAVFAC DM 13.02): what is masked or disarmed is said.
  const open = state.orders.arming.filter((arming) => !arming.armed).length;
  const masks = state.orders.masks.length;
  if (open || masks) return ["access", [open && `${open} disarmed`, masks && `${masks} masked`, "else secure"].filter(Boolean).join(" · ")];
  return ["secure", "SECURE"];
}

function showBanner() {
  const lines = [];
  if (silent() && !signedOff) lines.push("No connection to the gateway: what you see is old");
  if (state?.store.problem) lines.push(`NOT STORING: ${state.store.problem}. Nodes keep their messages. ${state.store.unstored} wait in memory`);
  for (const link of state?.links ?? []) if (!link.connected) lines.push(`Link down: ${link.name}`);
  for (const output of state ? failing(state) : []) {
    if (state.now_us - output.since_us > FAILING_US) lines.push(`${output.name} does not deliver: ${output.problem}`);
  }
  if (sound.state() === "locked") lines.push("Sound is waiting: press any key or click once");
  if (notice) lines.push(notice);
  byId("banner").hidden = !lines.length;
  setText(byId("banner"), lines.join(" · "));
  const words = { on: "Sound on", off: "Sound OFF", locked: "Sound waits" }[sound.state()];
  setText(byId("sound"), words);
  setClass(byId("sound"), sound.state());
  byId("sound").dataset.calls = sound.count();
}

function showVerdict() {
  const [kind, words] = verdict();
  setClass(byId("verdict"), `verdict ${kind}`);
  setText(byId("verdict"), words);
  document.title = `${kind === "alarm" ? "(!) " : ""}${words}`;
}

function show() {
  showVerdict();
  setText(byId("site"), state.site.name);
  const others = state.on_watch.names.filter((name) => name !== operator?.name);
  setText(byId("who"), operator ? `on watch: ${[operator.name, ...others].map(isolate).join(", ")}` : "");
  setText(byId("clock"), clockTime(state.now_us));
  drawPlan(byId("plan"), state);
  showQueue(byId("alarms"), state, chosen()?.id, acts);
  byId("no-alarms").hidden = state.alarms.length > 0;
  byId("more-alarms").hidden = !state.alarms_waiting;
  setText(byId("more-alarms"), `and ${state.alarms_waiting} more that are over and wait for their turn`);
  showPast(byId("past"), state, judge);
  showSectors(byId("sectors"), state, acts);
  showMasks(byId("masks"), state, acts);
  showWalks(byId("walks"), state, acts);
  showNodes(byId("nodes"), state);
  showOutputs(byId("outputs"), state, operator?.role === "supervisor" ? testOutput : null);
  setText(byId("failing"), failing(state).length ? ` ✗ ${failing(state).length} failing` : "");
  const { channels, deliveries } = outputsOf(state);
  byId("no-outputs").hidden = channels.length > 0;
  byId("deliveries-shown").hidden = !channels.length;
  showRecords(byId("deliveries"), deliveries.slice(0, 50), state.now_us, true);
  showCounters(byId("counters"), state);
  showRefused(byId("refused"), state.refused);
  byId("no-refused").hidden = state.refused.length > 0;
  setText(byId("warnings"), state.warnings.join(" · "));
  sound.call(state.alarms);
  showBanner();
}

function choose(step) {
  const at = state.alarms.findIndex((alarm) => alarm.id === chosen()?.id);
  selected = state.alarms[Math.min(Math.max(at + step, 0), state.alarms.length - 1)]?.id ?? null;
  show();
  byId("alarms").querySelector(".selected")?.scrollIntoView({ block: "nearest" });
}

const TABS = ["sectors", "nodes", "outputs", "accounts"];
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
  a: () => chosen()?.asks && acknowledge(chosen()),
  d: () => chosen()?.kind === "intrusion" && judge(chosen()),
  m: () => askMask(state, chosen()?.sectors),
  p: () => askWalk(state, chosen()?.sectors),
  j: () => choose(1), arrowdown: () => choose(1),
  k: () => choose(-1), arrowup: () => choose(-1),
  s: () => openTab("sectors"), n: () => openTab("nodes"), o: () => openTab("outputs"), c: () => openTab("accounts"),
  u: toggleSound,
  "?": showHelp,
};

addEventListener("keydown", (event) => {
  sound.wake();
  if (event.target.closest("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat || !state || signedOff) return;
  const digit = DISPOSITIONS[Number(event.key) - 1];
  const act = digit ? () => chosen()?.kind === "intrusion" && acknowledge(chosen(), digit) : KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});
addEventListener("pointerdown", () => sound.wake());

byId("dialog").addEventListener("close", () => byId("dialog").replaceChildren()); // or its field keeps the keys
byId("sound").addEventListener("click", toggleSound);
byId("help").addEventListener("click", showHelp);
byId("new-mask").addEventListener("click", () => askMask(state));
byId("new-walk").addEventListener("click", () => askWalk(state));
byId("sign-off").addEventListener("click", async () => {
  await post("/api/session/end", {});
  location.assign("/sign-on");
});
for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => openTab(tab));
openTab("sectors");
sound.wake();

const operator = await session();
byId("to-supervisor").hidden = operator?.role !== "supervisor";

// What was shown may not stay on the screen of who is not signed on any more; and it must be heard.
addEventListener("signed-off", () => {
  signedOff = true;
  byId("dialog").close();
  document.querySelector("main").hidden = true;
  byId("signed-off").hidden = false;
  setText(byId("who"), "");
  byId("sign-on-again").focus();
  showVerdict();
  showBanner();
});
byId("sign-on-again").addEventListener("click", () => location.assign("/"));

function listen() {
  const source = new EventSource("/api/v1/stream"); // reconnects by itself, unless it is refused
  const take = (event) => {
    const message = JSON.parse(event.data);
    apply(message);
    state = stateAt(message.now_us);
    heardAt = performance.now();
    show();
  };
  for (const kind of ["picture", "changes", "heartbeat"]) source.addEventListener(kind, take);
  source.addEventListener("error", async () => {
    if (source.readyState !== EventSource.CLOSED) return;
    if (await session().catch(() => operator)) setTimeout(listen, 3000);
    else dispatchEvent(new Event("signed-off"));
  });
}
listen();
setInterval(() => {
  if (state) showVerdict();
  if (signedOff || (state && silent())) sound.lost();
  showBanner();
}, 1000);
