// SPDX-License-Identifier: MIT
// Body of Node-RED's function node: opens the seal, decodes the payload, names the row.
// The same work as the naive script's, by Node's own crypto and a reader of maps of small values.
const [key, iv] = global.get("keys")[msg.topic];
const data = msg.payload;
let at = 7; // after the head: array, protected header, map with the Partial IV
function bytes() {
    let size = data[at++] & 0x1f;
    if (size === 24) size = data[at++];
    else if (size === 25) { size = data.readUInt16BE(at); at += 2; }
    at += size;
    return data.subarray(at - size, at);
}
const piv = bytes();
const body = bytes();
const nonce = Buffer.from(iv);
for (let i = 0; i < piv.length; i++) nonce[13 - piv.length + i] ^= piv[i];
const topic = Buffer.from(msg.topic);
const aad = Buffer.concat([
    Buffer.from("8368456e63727970743043a1010a", "hex"),
    topic.length < 24 ? Buffer.from([0x40 | topic.length]) : Buffer.from([0x58, topic.length]),
    topic,
]);
const opener = global.get("crypto").createDecipheriv("aes-128-ccm", key, nonce, { authTagLength: 8 });
const size = body.length - 8;
opener.setAuthTag(body.subarray(size));
opener.setAAD(aad, { plaintextLength: size });
const plain = opener.update(body.subarray(0, size));
opener.final(); // throws when the tag is wrong

let p = 0;
function head() {
    const major = plain[p] >> 5, info = plain[p++] & 0x1f;
    if (info < 24) return [major, info];
    const width = 1 << (info - 24);
    const value = width === 8 ? Number(plain.readBigUInt64BE(p)) : plain.readUIntBE(p, width);
    p += width;
    return [major, value];
}
function item() {
    const [major, value] = head();
    if (major === 0) return value;
    if (major === 1) return -1 - value;
    if (major === 2 || major === 3) {
        p += value;
        return plain.subarray(p - value, p).toString(major === 3 ? "utf8" : "hex");
    }
    return Array.from({ length: value }, item);
}
const value = {};
for (let left = head()[1]; left > 0; left--) { const name = item(); value[name] = item(); }
const counter = piv.subarray(piv.length - 4);
msg.params = {
    $node: msg.topic.split("/")[3],
    $lane: piv.length === 5 ? 1 : 0,
    $boot: counter.readUInt16BE(0),
    $seq: counter.readUInt16BE(2),
    $kind: value[0],
    $value: JSON.stringify(value),
};
return msg;
