// SPDX-License-Identifier: MIT
// Sectors: armed or not and why; masks and authorised activity in force, each with its end.
import { button, isolate, keyed, make, setClass, setText, when } from "./dom.js";
import { spaced } from "./labels.js";

function row(actions) {
  const item = make("li", "entry");
  item.append(make("span", "name"), make("span", "what"), make("span", "actions"));
  item.lastChild.append(...actions(item));
  return item;
}

export function showSectors(list, state, actions) {
  const masked = (sector) => state.masks.filter((mask) => mask.sectors.includes(sector));
  const create = () => row((item) => [
    button("Arm", "", () => actions.arm(item.entry, true)),
    button("Disarm", "", () => actions.arm(item.entry, false)),
    button("Resume schedule", "", () => actions.resume(item.entry)),
    button("Mask", "", () => actions.mask(item.entry.sector)),
  ]);
  keyed(list, state.arming, (arming) => arming.sector, create, (item, arming) => {
    item.entry = arming;
    setText(item.querySelector(".name"), arming.sector);
    const until = arming.until_us ? ` until ${when(arming.until_us, state.now_us)} by ${isolate(arming.by)}: ${isolate(arming.reason)}` : ` · ${arming.schedule}`;
    const mask = masked(arming.sector).length ? " · masked" : "";
    setText(item.querySelector(".what"), `${arming.armed ? "armed" : "disarmed"}${until}${mask} · alarm policy: ${arming.policy}`);
    setClass(item, `entry ${arming.armed ? (mask ? "masked" : "armed") : "disarmed"}`);
    const [arm, disarm, resume] = item.querySelectorAll("button");
    arm.hidden = arming.armed;
    disarm.hidden = !arming.armed;
    resume.hidden = !arming.until_us;
  });
}

export function showMasks(list, state, actions) {
  const create = () => row((item) => [button("Remove mask", "", () => actions.removeMask(item.entry))]);
  keyed(list, state.masks, (mask) => mask.id, create, (item, mask) => {
    item.entry = mask;
    setText(item.querySelector(".name"), [...mask.sectors, ...mask.nodes].join(" "));
    setText(item.querySelector(".what"), `until ${when(mask.until_us, state.now_us)} · ${isolate(mask.owner)}: ${isolate(mask.reason)}`);
  });
}

export function showWalks(list, state, actions) {
  const create = () => row((item) => [button("", "", () => actions.endWalk(item.entry))]);
  keyed(list, state.walks, (walk) => walk.id, create, (item, walk) => {
    item.entry = walk;
    setText(item.querySelector(".name"), walk.sectors.join(" "));
    const times = `${when(walk.from_us, state.now_us)} to ${when(walk.until_us, state.now_us)}`;
    const often = walk.purpose === "walk_test" ? ` · ${walk.crossings} ${walk.crossings === 1 ? "crossing" : "crossings"}` : "";
    setText(item.querySelector(".what"), `${spaced(walk.purpose)} · ${isolate(walk.who)} · ${times}${often}`);
    setText(item.querySelector("button"), walk.purpose === "walk_test" ? "Cancel test" : "End");
  });
}
