// SPDX-License-Identifier: MIT
// What the page shows for each name of the API. A name that is not listed is shown with spaces.

export const ALARM = {
  tamper: "Tamper", forgery: "Spoofed messages (authentication failure)", jamming: "Jamming", sector_lost: "Sector coverage lost",
  node_lost: "Node offline", node_fault: "Node fault", low_battery: "Low battery", processing_fault: "Processing fault", gateway_fault: "Gateway fault",
  gateway_lost: "Gateway offline",
};

export const STATE = { normal: "Normal", detecting: "Detecting", fault: "Fault", offline: "Offline", not_reporting: "Not reporting" };

// The result of a disposition (the API's `alarms` and `days` of a report).
export const RESULT = { valid: "Valid", nuisance: "Nuisance", false: "False", authorised: "Authorised", not_assessed: "Not assessed" };

// Changes of an alarm that notifications are sent about.
export const CHANGE = {
  raised: "raised", new_sector: "new sector", again: "active again", returned: "priority raised", escalated: "escalated", test: "test",
};

export const COUNTER = {
  messages: "Messages", detections: "Detections", alarms: "Alarms", duplicates: "Duplicates", refused: "Rejected",
  queue_dropped: "Queue overflow", queued: "Queue length", down_unsent: "Downlink failures", commits: "Store commits",
  faults: "Internal faults", audit: "Audit log head", sign_ins_failed: "Failed sign-ins",
};

export const REJECTION = {
  bad_counter: "counter out of range", bad_envelope: "malformed envelope", bad_field: "invalid field", bad_login: "failed log-in",
  bad_tag: "authentication failed", bad_topic: "invalid topic", early_boot: "boot not started yet", foreign_site: "other site",
  missing_field: "missing field", misused: "credentials misused", not_cbor: "not CBOR", not_deterministic: "not deterministic CBOR",
  old_boot: "earlier boot", old_epoch: "earlier key", other: "other", past_boot: "boot of long ago", replayed: "replayed", revoked: "revoked node",
  stale_key: "new message under an earlier key", too_big: "too large", too_deep: "nested too deeply", trailing: "trailing bytes",
  two_senders: "two senders with one key", unknown_message: "unknown message", unknown_node: "unknown node",
  unsupported: "unsupported type", untimely_footfalls: "footfalls with impossible times", wrong_direction: "wrong direction",
  wrong_counter_space: "wrong counter space",
};

export const spaced = (name) => name.replaceAll("_", " ");
export const labelOf = (labels, name) => labels[name] ?? spaced(name);
