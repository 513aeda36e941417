// SPDX-License-Identifier: MIT
// Dialogs: native ones, closed with Escape; a rejected request is explained in them.
import { byId, button, make } from "./dom.js";
import { post } from "./api.js";
import { spaced } from "./labels.js";
import { showRecords } from "./outputs.js";
import { DISPOSITIONS } from "./queue.js";

const SPANS = [[15, "15 minutes"], [60, "1 hour"], [240, "4 hours"], [480, "8 hours"], [720, "12 hours"], [1440, "1 day"], [10080, "7 days"]];

function field(label, control) {
  const box = make("label", "", label);
  box.append(control);
  return box;
}

function text(name, most, required = true) {
  const input = make("input");
  Object.assign(input, { name, maxLength: most, required, autocomplete: "off" });
  return input;
}

function select(name, options, value) {
  const input = make("select");
  input.name = name;
  input.append(...options.map(([key, label]) => new Option(label, key)));
  if (value !== undefined) input.value = String(value);
  return input;
}

function checks(name, names, chosen) {
  const box = make("fieldset");
  box.append(make("legend", "", "Sectors"));
  for (const item of names) {
    const input = make("input");
    Object.assign(input, { type: "checkbox", name, value: item, checked: chosen.includes(item) });
    const line = make("label", "check");
    line.append(input, item);
    box.append(line);
  }
  return box;
}

const reason = () => field("Reason", text("reason", 200));
const spans = (most, value) => field("Duration", select("minutes", SPANS.filter(([minutes]) => minutes <= most), value));

// Shows the fields; `send(data)` gives [path, body].
function ask(title, note, fields, verb, send) {
  const dialog = byId("dialog");
  const form = make("form");
  form.method = "dialog";
  const problem = make("p", "problem");
  problem.setAttribute("role", "alert");
  const actions = make("div", "actions");
  const go = make("button", "primary", verb);
  actions.append(go, button("Cancel", "Esc", () => dialog.close()));
  form.append(make("h2", "", title), ...(note ? [make("p", "hint", note)] : []), ...fields, problem, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    const [path, body] = send(new FormData(form));
    problem.textContent = await post(path, body);
    go.disabled = false;
    if (!problem.textContent) dialog.close();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

export function askMask(state, sectors = [], nodes = []) {
  ask("Mask", "Intrusion alarms of these sectors are recorded and shown, but not sounded. Tamper and offline alarms still sound.", [
    checks("sectors", state.arming.map((arming) => arming.sector), sectors),
    field("Or one node", select("node", [["", "none"], ...state.site.nodes.map((node) => [node.id, node.id])], nodes[0] ?? "")),
    spans(10080, 60),
    reason(),
  ], "Mask", (data) => ["/api/v1/masks", {
    sectors: data.getAll("sectors"), nodes: data.get("node") ? [data.get("node")] : [],
    minutes: Number(data.get("minutes")), reason: data.get("reason"),
  }]);
}

export function askWalk(state, sectors = []) {
  const starts = [[0, "now"], [5, "in 5 minutes"], [15, "in 15 minutes"], [30, "in 30 minutes"], [60, "in 1 hour"], [240, "in 4 hours"]];
  const count = make("input");
  Object.assign(count, { name: "crossings", type: "number", min: 1, max: 100, value: 1 });
  const crossings = field("Test crossings per sector", count);
  const purpose = select("purpose", [["patrol", "patrol"], ["walk_test", "walk test"]]);
  crossings.hidden = true;
  purpose.addEventListener("change", () => { crossings.hidden = purpose.value !== "walk_test"; });
  ask("Authorised activity", "Alarms in these sectors are marked as authorised and get the lowest priority. A walk test also counts for the probability of detection (Pd).", [
    field("Purpose", purpose),
    field("Name", text("who", 60)),
    checks("sectors", state.arming.map((arming) => arming.sector), sectors),
    field("Start", select("starts_in_minutes", starts)),
    spans(720, 60),
    crossings,
  ], "Schedule", (data) => ["/api/v1/walks", {
    purpose: data.get("purpose"), who: data.get("who"), sectors: data.getAll("sectors"), crossings: Number(data.get("crossings")),
    starts_in_minutes: Number(data.get("starts_in_minutes")), minutes: Number(data.get("minutes")),
  }]);
}

function number(name, value, least, most) {
  const input = make("input");
  Object.assign(input, { name, type: "number", step: "any", min: least, max: most, required: true, value });
  return input;
}

// A field with the known names to choose from.
function named(name, known, required) {
  const input = text(name, 16, required);
  const list = make("datalist");
  list.id = `known-${name}`;
  list.append(...known.map((one) => new Option(one)));
  input.setAttribute("list", list.id);
  input.pattern = "[a-z0-9_\\-]{1,16}";
  input.title = "1 to 16 of a-z 0-9 _ -";
  return [input, list];
}

export function askPosition(state, { x_m, y_m, error_m }) {
  const [node, nodes] = named("node", state.site.nodes.map((one) => one.id), true);
  const [sector, sectors] = named("sector", state.site.sectors.map((one) => one.id), false);
  ask("Place a node", "The gateway writes the position to site.toml and uses it at once.", [
    field("Node", node), nodes,
    field("Sector, for a new node", sector), sectors,
    field("Metres east of the origin", number("x_m", x_m, -100000, 100000)),
    field("Metres north of the origin", number("y_m", y_m, -100000, 100000)),
    field("Error in metres: the circle that holds the position in 2 of 3 cases", number("error_m", error_m, 0.01, 10000)),
  ], "Place", (data) => [`/api/v1/nodes/${encodeURIComponent(data.get("node"))}/position`, {
    x_m: Number(data.get("x_m")), y_m: Number(data.get("y_m")), error_m: Number(data.get("error_m")), sector: data.get("sector"),
  }]);
}

export function askArming(arming, armed) {
  ask(`${armed ? "Arm" : "Disarm"} ${arming.sector}`, `After that its schedule applies again: ${arming.schedule}`, [spans(10080, 60), reason()],
    armed ? "Arm" : "Disarm", (data) => [`/api/v1/sectors/${encodeURIComponent(arming.sector)}/arming`, {
      armed, minutes: Number(data.get("minutes")), reason: data.get("reason"),
    }]);
}

export function askReason(title, verb, path) {
  ask(title, "", [reason()], verb, (data) => [path, { reason: data.get("reason") }]);
}

export function askAssessment(alarm, records, nowUs) {
  const what = select("disposition", DISPOSITIONS.map((name) => [name, spaced(name)]), alarm.disposition ?? "person");
  const note = text("note", 200, false);
  note.value = alarm.note;
  const notified = make("div", "wide");
  const body = make("tbody");
  const table = make("table", "records");
  table.append(make("caption", "", "Notifications"), body);
  if (records.length) notified.append(table);
  showRecords(body, records, nowUs, false);
  ask(`Assess alarm ${alarm.id}`, "", [field("Disposition", what), field("Note", note), notified], "Save", (data) => [
    `/api/v1/alarms/${alarm.id}/acknowledge`, { disposition: data.get("disposition"), note: data.get("note") },
  ]);
}

export function showHelp() {
  const keys = [["A", "acknowledge the selected alarm"], ["1 to 7", "acknowledge it and assess it"], ["J K or ↓ ↑", "select the next or previous alarm"],
    ["D", "assess it, with a note"], ["M", "mask its sector"], ["P", "schedule authorised activity"], ["S", "sectors"], ["N", "nodes"],
    ["O", "notifications"], ["C", "diagnostics"],
    ["U", "sound on or off"], ["?", "this list"]];
  const list = make("dl", "keys");
  for (const [key, act] of keys) list.append(make("dt", "", key), make("dd", "", act));
  const dialog = byId("dialog");
  dialog.replaceChildren(make("h2", "", "Keys"), list, button("Close", "Esc", () => dialog.close()));
  dialog.showModal();
}
