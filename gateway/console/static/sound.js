// SPDX-License-Identifier: MIT
// The window's voice: three tones at most (NAVFAC DM 13.02 allows four), made here, nothing loaded.
// An intrusion or tamper calls every 5 s until somebody acknowledges it; the rest is told once.

const CALL_MS = 5000;
const LOST_MS = 15_000;
const TONES = { 1: [[880, 0], [660, 0.18], [880, 0.36], [660, 0.54]], 2: [[520, 0], [520, 0.25]], 3: [[440, 0]] };
let context = null;
let wanted = localStorage.getItem("sound") !== "off";
let calledAt = 0;
let told = new Set(); // alarms and the time since which they ask: one that asks again is told again
let calls = 0;
let lostAt = -LOST_MS;

function play(priority) {
  calls += 1;
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

// Browsers let a page sound only after a key or a click on it.
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

// "on", "off" (somebody's choice) or "locked" (no key or click yet).
export const state = () => (!wanted ? "off" : context?.state === "running" ? "on" : "locked");
export const count = () => calls;

// This page tells of no alarm now: who looks elsewhere must hear that.
export function lost() {
  const now = performance.now();
  if (state() !== "on" || now - lostAt < LOST_MS) return;
  lostAt = now;
  play(2);
}

export function call(alarms) {
  const asking = alarms.filter((alarm) => alarm.asks);
  const fresh = asking.filter((alarm) => !told.has(`${alarm.id}/${alarm.told_us}`));
  const urgent = asking.some((alarm) => alarm.priority === 1);
  if (state() !== "on") return;
  told = new Set(asking.map((alarm) => `${alarm.id}/${alarm.told_us}`));
  const now = performance.now();
  if (!fresh.length && !(urgent && now - calledAt >= CALL_MS)) return;
  calledAt = now;
  play(urgent ? 1 : Math.min(...fresh.map((alarm) => alarm.priority)));
}
