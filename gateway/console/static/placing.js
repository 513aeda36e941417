// SPDX-License-Identifier: MIT
// A supervisor places a node by a click on the plan.
import { byId } from "./dom.js";
import { askPosition } from "./dialogs.js";
import { drawPlan } from "./plan.js";

const BEYOND_M = 50; // around the nodes, so that the next one has space
const CLICK_PX = 4; // how exactly a person clicks
const plan = byId("plan");
let isPlacing = false;
let scale = null;
let shown = null;

function set(placing) {
  isPlacing = placing;
  byId("placing").hidden = !placing;
  plan.classList.toggle("placing", placing);
  if (shown) showPlan(shown);
}

export function showPlan(state) {
  shown = state;
  scale = drawPlan(plan, state, isPlacing ? BEYOND_M : 0);
}

// The position under the pointer to 0.1 m, and how exact a click is at this scale.
function clicked(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(plan.getScreenCTM().inverse());
  const round = (metres) => Math.round(metres * 10) / 10;
  const [x_m, y_m] = scale.metres(point.x, point.y).map(round);
  return { x_m, y_m, error_m: Math.max(0.5, round(CLICK_PX / scale.perMetre)) };
}

export function allowPlacing() {
  byId("place-node").hidden = false;
  byId("place-node").addEventListener("click", () => set(!isPlacing));
  byId("place-by-numbers").addEventListener("click", () => {
    set(false);
    askPosition(shown, { x_m: "", y_m: "", error_m: 0.5 });
  });
  byId("cancel-placing").addEventListener("click", () => set(false));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isPlacing) set(false);
  });
  plan.addEventListener("click", (event) => {
    if (!isPlacing || !scale) return;
    const position = clicked(event);
    set(false);
    askPosition(shown, position);
  });
}

export const stopPlacing = () => set(false);
