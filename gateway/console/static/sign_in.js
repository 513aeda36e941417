// SPDX-License-Identifier: MIT
// The sign-in form.
import { post, session } from "./api.js";
import { byId } from "./dom.js";

const button = byId("sign-in").querySelector("button");
button.disabled = false; // enabled by this script: without it the browser would send the pass phrase in a plain form

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  await session();
  const problem = await post("/api/session", { name: byId("name").value.trim(), passphrase: byId("passphrase").value });
  button.disabled = false;
  byId("problem").textContent = problem;
  if (!problem) location.assign("/");
  else byId("passphrase").select();
});
