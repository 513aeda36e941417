// SPDX-License-Identifier: MIT
// The window's form for signing on.
import { post, session } from "./api.js";
import { byId } from "./dom.js";

const button = byId("sign-on").querySelector("button");
button.disabled = false; // not before this script is there: the browser's own way would send it plainly

byId("sign-on").addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  await session();
  const problem = await post("/api/session", { name: byId("name").value.trim(), passphrase: byId("passphrase").value });
  button.disabled = false;
  byId("problem").textContent = problem;
  if (!problem) location.assign("/");
  else byId("passphrase").select();
});
