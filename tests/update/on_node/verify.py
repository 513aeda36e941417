# SPDX-License-Identifier: MIT
# Answers lines of hex on standard input: "sha512 DATA" with the digest, "verify KEY MESSAGE
# SIGNATURE" with 1 or 0. "-" stands for no bytes.

import sys
from binascii import hexlify, unhexlify

from ugs.update.ed25519 import verify
from ugs.update.sha512 import sha512

for line in sys.stdin:
    verb, *words = line.split()
    data = [b"" if word == "-" else unhexlify(word) for word in words]
    if verb == "sha512":
        print(hexlify(sha512(data[0])).decode())
    else:
        print(int(verify(*data)))
