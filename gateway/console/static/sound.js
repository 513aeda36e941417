// SPDX-License-Identifier: MIT
// Alarm sound: three tones (NAVFAC DM 13.02 allows four), generated here, nothing loaded.
// A priority 1 alarm sounds every 5 s until it is acknowledged; the others sound once.

const REPEAT_MS = 5000;
const LOST_MS = 15_000;
const TONES = { 1: [[880, 0], [660, 0.18], [880, 0.36], [660, 0.54]], 2: [[520, 0], [520, 0.25]], 3: [[440, 0]] };
let context = null;
let wanted = localStorage.getItem("sound") !== "off";
let soundedAt = 0;
let sounded = new Set(); // alarms and since when each is unacknowledged: one that is reactivated sounds again
let count = 0;
let lostAt = -LOST_MS;

function play(priority) {
  count += 1;
  for (const [hertz, after] of TONES[priority]) {
    const at = context.currentTime + after;
    const tone = context.createOscillator();
    const level = context.createGain();
    tone.type = priority === 1 ? "square" : "sine";
    tone.frequency.value = hertz;
    level.gain.setValueAtTime(0.0001, at);
    level.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
    tone.connect(level).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  }
}

// Browsers block sound until a key or a click.
export function wake() {
  if (!wanted) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
}

export function toggle() {
  wanted = !wanted;
  localStorage.setItem("sound", wanted ? "on" : "off");
  wake();
}

// "on", "off" (the operator's choice) or "locked" (no key or click yet).
export const state = () => (!wanted ? "off" : context?.state === "running" ? "on" : "locked");
export const played = () => count;

// This page receives no alarms now: the operator may look elsewhere, so it sounds.
export function lost() {
  const now = performance.now();
  if (state() !== "on" || now - lostAt < LOST_MS) return;
  lostAt = now;
  play(2);
}

export function follow(alarms) {
  const unacked = alarms.filter((alarm) => alarm.unacknowledged);
  const fresh = unacked.filter((alarm) => !sounded.has(`${alarm.id}/${alarm.notified_us}`));
  const urgent = unacked.some((alarm) => alarm.priority === 1);
  if (state() !== "on") return;
  sounded = new Set(unacked.map((alarm) => `${alarm.id}/${alarm.notified_us}`));
  const now = performance.now();
  if (!fresh.length && !(urgent && now - soundedAt >= REPEAT_MS)) return;
  soundedAt = now;
  play(urgent ? 1 : Math.min(...fresh.map((alarm) => alarm.priority)));
}
