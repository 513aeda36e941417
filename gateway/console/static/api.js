// SPDX-License-Identifier: MIT
// The console's requests: who is signed on, and acts, each with the session's token and a key of its own.

let token = "";

// Who is signed on, or null. Must be asked before the first act.
export async function session() {
  const answer = await (await fetch("/api/session")).json();
  token = answer.csrf;
  return answer.operator;
}

// The key makes it safe to send the same act again: it acts once.
async function send(path, body) {
  const key = crypto.getRandomValues(new Uint8Array(16)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
  const request = { method: "POST", headers: { "X-CSRF": token, "Idempotency-Key": key }, body: JSON.stringify(body) };
  try {
    return await fetch(path, request);
  } catch {
    return await fetch(path, request);
  }
}

// Empty when it is done, else one line that says why not.
export async function post(path, body) {
  let answer;
  try {
    answer = await send(path, body);
  } catch {
    return "It did not reach the gateway: try again";
  }
  if (answer.ok) return "";
  if (answer.status === 401) {
    dispatchEvent(new Event("signed-off"));
    return "Sign on again";
  }
  try {
    return (await answer.json()).problem;
  } catch {
    return `The gateway refused it (${answer.status})`;
  }
}
