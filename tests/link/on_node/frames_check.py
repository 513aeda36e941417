# SPDX-License-Identifier: MIT
# Frames on a node: frames_check.py STREAM SEED MESSAGES. Prints each frame found in a stream that
# comes in pieces, the count of damaged ones, and then each message (topic, body in hex) framed.

import binascii
import random
import sys

from ugs.link import frames


class Line:
    # Returns the data in pieces of any size, at times nothing.
    def __init__(self, data):
        self.data, self.at = data, 0

    def readinto(self, view):
        count = min(random.randrange(0, 150), len(view), len(self.data) - self.at)
        view[:count] = self.data[self.at : self.at + count]
        self.at += count
        return count


def found(topic, message):
    print("frame", topic.decode(), binascii.hexlify(message).decode())


random.seed(int(sys.argv[2]))
with open(sys.argv[1], "rb") as file:
    line = Line(file.read())
reader = frames.FrameReader(found)
try:
    while line.at < len(line.data):
        reader.read(line)
    print("damaged", reader.damaged)
except KeyboardInterrupt:
    print("break at", line.at)
with open(sys.argv[3]) as file:
    for text in file:
        topic, body = text.split()
        framed = frames.encode(topic.encode(), binascii.unhexlify(body))
        print("sent", binascii.hexlify(framed).decode())
