// SPDX-License-Identifier: MIT
// The window's sectors: armed or not and why, masks and walks in force, each with its end.
import { button, isolate, keyed, make, setClass, setText, when, words } from "./dom.js";

function row(acts) {
  const item = make("li", "order");
  item.append(make("span", "name"), make("span", "what"), make("span", "acts"));
  item.lastChild.append(...acts(item));
  return item;
}

export function showSectors(list, state, acts) {
  const masked = (sector) => state.orders.masks.filter((mask) => mask.sectors.includes(sector));
  const create = () => row((item) => [
    button("Arm", "", () => acts.arm(item.order, true)),
    button("Disarm", "", () => acts.arm(item.order, false)),
    button("Resume schedule", "", () => acts.resume(item.order)),
    button("Mask", "", () => acts.mask(item.order.sector)),
  ]);
  keyed(list, state.orders.arming, (arming) => arming.sector, create, (item, arming) => {
    item.order = arming;
    setText(item.querySelector(".name"), arming.sector);
    const until = arming.until_us ? ` until ${when(arming.until_us, state.now_us)} by ${isolate(arming.by)}: ${isolate(arming.reason)}` : ` · ${arming.schedule}`;
    const quiet = masked(arming.sector).length ? " · masked" : "";
    setText(item.querySelector(".what"), `${arming.armed ? "armed" : "disarmed"}${until}${quiet} · alarms: ${arming.policy}`);
    setClass(item, `order ${arming.armed ? (quiet ? "masked" : "armed") : "disarmed"}`);
    const [arm, disarm, resume] = item.querySelectorAll("button");
    arm.hidden = arming.armed;
    disarm.hidden = !arming.armed;
    resume.hidden = !arming.until_us;
  });
}

export function showMasks(list, state, acts) {
  const create = () => row((item) => [button("Lift", "", () => acts.lift(item.order))]);
  keyed(list, state.orders.masks, (mask) => mask.id, create, (item, mask) => {
    item.order = mask;
    setText(item.querySelector(".name"), [...mask.sectors, ...mask.nodes].join(" "));
    setText(item.querySelector(".what"), `until ${when(mask.until_us, state.now_us)} · ${isolate(mask.owner)}: ${isolate(mask.reason)}`);
  });
}

export function showWalks(list, state, acts) {
  const create = () => row((item) => [button("End", "", () => acts.withdraw(item.order))]);
  keyed(list, state.orders.walks, (walk) => walk.id, create, (item, walk) => {
    item.order = walk;
    setText(item.querySelector(".name"), walk.sectors.join(" "));
    const times = `${when(walk.from_us, state.now_us)} to ${when(walk.until_us, state.now_us)}`;
    const often = walk.purpose === "walk_test" ? ` · ${walk.crossings} crossings` : "";
    setText(item.querySelector(".what"), `${words(walk.purpose)} · ${isolate(walk.who)} · ${times}${often}`);
  });
}
