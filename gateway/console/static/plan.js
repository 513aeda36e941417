// SPDX-License-Identifier: MIT
// Plan of the site: sectors, nodes and targets, in local metres, north up.
const SVG = "http://www.w3.org/2000/svg";
const FOOT = 48; // below: legend and ruler
const LETTER = 7; // pixels, of a label 12 high

// Outlines of 24 x 24, centred on 12, 12.
const ICONS = {
  person: "M12 6.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4M12 7v8M12 9l-4 3M12 9l4 3M12 15l-3 6.5M12 15l3 6.5",
  group: "M8 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4M8 8v7l-2 6M8 15l2 6M16 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4M16 8v7l-2 6M16 15l2 6M5 12l3-2 4 2 4-2 3 2",
  vehicle: "M3 16V11l3-5h9l4 5h2v5M3 16h2M9 16h6M19 16h2M7 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4M17 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  animal: "M5 10l3-1h8l2-3 2 1-1 4-2 2v7M7 20v-6l-2-4-2 2M10 20v-5M15 20v-5",
  digging: "M5 20L16 8M13 5l6 6M12 6c3-2 6-1 8 3M4 21h8",
  unknown: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 3M12 19v.1",
};

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// A node may be placed beside those that are there: then the plan shows `beyond_m` around them.
function scaleOf(site, width, height, beyond_m) {
  const points = site.nodes.map((node) => [node.x_m, node.y_m]).concat(...site.sectors.map((sector) => sector.polygon));
  if (!points.length) points.push([0, 0]);
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const left = Math.min(...xs) - beyond_m, right = Math.max(...xs) + beyond_m;
  const low = Math.min(...ys) - beyond_m, high = Math.max(...ys) + beyond_m;
  const margin = Math.min(70, width / 10);
  const perMetre = Math.min((width - 2 * margin) / Math.max(right - left, 10), (height - FOOT - 2 * margin) / Math.max(high - low, 10));
  const middle = [(left + right) / 2, (low + high) / 2];
  const place = (x, y) => [width / 2 + (x - middle[0]) * perMetre, (height - FOOT) / 2 - (y - middle[1]) * perMetre];
  const metres = (px, py) => [middle[0] + (px - width / 2) / perMetre, middle[1] - (py - (height - FOOT) / 2) / perMetre];
  return { place, metres, perMetre };
}

// A label only where there is space: overlapping labels cannot be read.
function labels() {
  const taken = [];
  return (x, y, text, attributes = {}) => {
    const half = (text.length * LETTER) / 2;
    if (taken.some(([a, b, wide]) => Math.abs(a - x) < half + wide && Math.abs(b - y) < 13)) return [];
    taken.push([x, y, half]);
    return [make("text", { x, y, ...attributes }, text)];
  };
}

// One pixel is one unit: text has the same size on a telephone. Returns the scale.
export function drawPlan(svg, state, beyond_m = 0) {
  const width = svg.clientWidth || 800, height = svg.clientHeight || 430;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const { place, metres, perMetre } = scaleOf(state.site, width, height, beyond_m);
  const label = labels();
  // A target that was reported late is gone.
  const present = state.alarms.filter((a) => a.active && a.kind === "intrusion" && !a.late);
  const alarmed = new Set(present.filter((a) => a.unacknowledged).flatMap((a) => a.sectors));
  const parts = [];
  for (const sector of state.site.sectors) {
    const own = state.site.nodes.filter((node) => node.sector === sector.id);
    const corners = sector.polygon.map((point) => place(...point));
    const arming = state.arming.find((one) => one.sector === sector.id);
    const masked = state.masks.some((mask) => mask.sectors.includes(sector.id));
    const mode = masked ? "masked" : arming && !arming.armed ? "disarmed" : "";
    const kind = `sector ${mode}${alarmed.has(sector.id) ? " alarmed" : ""}`;
    if (corners.length > 2) parts.push(make("polygon", { class: kind, points: corners.map((c) => c.join(",")).join(" ") }));
    const middle = corners.length > 2 ? corners : own.map((node) => place(node.x_m, node.y_m));
    if (!middle.length) continue;
    const x = middle.reduce((sum, point) => sum + point[0], 0) / middle.length;
    const y = Math.min(...middle.map((point) => point[1]));
    parts.push(...label(x, corners.length > 2 ? y - 8 : y + 44, `${sector.id}${mode && ` · ${mode}`}`, { class: "faint" }));
  }
  const ORDER = ["offline", "fault", "detecting", "not_reporting", "normal"]; // the most urgent gets its label first
  const nodes = state.site.nodes.map((node) => [node, state.nodes[node.id].state]);
  nodes.sort(([, a], [, b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  for (const [node, kind] of nodes) {
    const [x, y] = place(node.x_m, node.y_m);
    if (node.local_error_m) parts.push(make("circle", { class: "error", cx: x, cy: y, r: node.local_error_m * perMetre }));
    if (kind === "detecting") parts.push(make("circle", { class: "ring pulse", cx: x, cy: y, r: 22 }));
    // A cross for offline: many people cannot distinguish red from green.
    const sign = kind === "offline" ? make("path", { d: `M${x - 7} ${y - 7}l14 14m0 -14l-14 14` }) : make("circle", { cx: x, cy: y, r: 8 });
    sign.setAttribute("class", `node ${kind}`);
    sign.append(make("title", {}, node.id));
    parts.push(sign, ...label(x, y + 24, node.id));
  }
  for (const alarm of present) if (alarm.x_m !== null) parts.push(target(alarm, place(alarm.x_m, alarm.y_m)));
  parts.push(ruler(perMetre, width, height));
  svg.replaceChildren(...parts);
  return { metres, perMetre };
}

function target(alarm, [x, y]) {
  const acked = alarm.unacknowledged ? (alarm.walk ? " acked" : "") : alarm.acknowledged ? " acked" : " suppressed";
  const group = make("g", { transform: `translate(${x.toFixed(1)} ${(y - 30).toFixed(1)})` });
  group.append(make("circle", { class: `halo${acked}`, r: 20 }));
  group.append(make("path", { class: `target${acked}`, d: ICONS[alarm.target] ?? ICONS.unknown, transform: "translate(-12 -12)" }));
  if (alarm.direction_deg !== null) {
    group.append(make("path", { class: `target${acked}`, d: "M0 -24V-46M-6 -39L0 -46L6 -39", transform: `rotate(${alarm.direction_deg})` }));
  }
  return group;
}

function ruler(perMetre, width, height) {
  const metres = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => step * perMetre > 60) ?? 2000;
  const end = width - 16, start = end - metres * perMetre;
  const group = make("g", {});
  group.append(make("path", { class: "ruler", d: `M${start} ${height - 12}v-6v3H${end}v-3v6` }));
  group.append(make("text", { class: "faint", x: (start + end) / 2, y: height - 22 }, `${metres} m`));
  return group;
}
