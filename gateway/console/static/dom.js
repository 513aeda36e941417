// SPDX-License-Identifier: MIT
// Elements of the page: text nodes only, never markup; children are kept by key.

export const byId = (id) => document.getElementById(id);

export function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element, className) {
  if (element.className !== className) element.className = className;
}

export function button(text, key, act, className = "") {
  const element = make("button", className, text);
  element.type = "button";
  if (key) element.append(make("kbd", "", key));
  element.addEventListener("click", act);
  return element;
}

// Text that people wrote, isolated: text from right to left must not reorder its surroundings.
export const isolate = (text) => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(text) ? `\u2068${text}\u2069` : text);

// Elements are reused: a button under the pointer or an open list stays while its neighbours change.
export function keyed(parent, items, key, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const name = String(key(item));
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = create(item);
      child.dataset.key = name;
    }
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const child of known.values()) child.remove();
}

export const clockTime = (us) => new Date(us / 1000).toLocaleTimeString([], { hour12: false });
export const shortTime = (us) => new Date(us / 1000).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit" });

// "14:05", or with the day when it is another one.
export function when(us, nowUs) {
  const day = (t) => new Date(t / 1000).toDateString();
  if (day(us) === day(nowUs)) return shortTime(us);
  return `${new Date(us / 1000).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })} ${shortTime(us)}`;
}

export function span(us) {
  const seconds = Math.max(0, Math.round(us / 1e6));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}
