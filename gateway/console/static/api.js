// SPDX-License-Identifier: MIT
// The console's requests: the session, and operator actions, each with the session's token and an idempotency key.

let token = "";

// The operator who is signed in, or null. Call it before the first action: it fetches the token.
export async function session() {
  const answer = await (await fetch("/api/session")).json();
  token = answer.csrf;
  return answer.operator;
}

// The key makes a repeated request safe: the gateway carries it out once.
async function send(path, body) {
  const key = crypto.getRandomValues(new Uint8Array(16)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
  const request = { method: "POST", headers: { "X-CSRF": token, "Idempotency-Key": key }, body: JSON.stringify(body) };
  try {
    return await fetch(path, request);
  } catch {
    return await fetch(path, request);
  }
}

// Empty when it is done, else one line with the reason.
export async function post(path, body) {
  let answer;
  try {
    answer = await send(path, body);
  } catch {
    return "The gateway did not answer: try again";
  }
  if (answer.ok) return "";
  if (answer.status === 401) {
    dispatchEvent(new Event("signed-out"));
    return "Sign in again";
  }
  try {
    return (await answer.json()).problem;
  } catch {
    return `The gateway rejected it (${answer.status})`;
  }
}
