// SPDX-License-Identifier: MIT
// The window's word with the gateway: who is signed on, and acts, each with the session's token.

let token = "";

// Who is signed on, or null. Must be asked before the first act.
export async function session() {
  const answer = await (await fetch("/api/session")).json();
  token = answer.csrf;
  return answer.operator;
}

// Empty when it is done, else one line that says why not.
export async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "X-CSRF": token }, body: JSON.stringify(body) });
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
