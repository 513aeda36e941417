# SPDX-License-Identifier: MIT
# take_out.py IMAGE BOARD FOLDER: copies the file system in an image of a board's flash to FOLDER.

import sys

import simcharge
import simfiles


def main(image, board, folder):
    simcharge.choose(board)
    simfiles.mount(image)
    simfiles.copy(simfiles.POINT, folder)


main(*sys.argv[1:])
