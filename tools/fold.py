"""Writes src/base/fold.def: simple case folding of Unicode, as ranges. The data are those of Python's unicodedata, so the version is
Python's (unicodedata.unidata_version).

	tools/fold.py > src/base/fold.def

Simple folding is the entries C and S of the standard's CaseFolding.txt: what str.casefold() gives where that is one character (C), and the
simple lower case of what it makes several of (S). U+0130 has neither: its entries are for Turkish or fold to two.
"""
import unicodedata


def simple(c):
    whole = chr(c).casefold()
    if len(whole) == 1:
        return ord(whole)
    lower = chr(c).lower()
    return ord(lower) if len(lower) == 1 else c


def ranges():
    """[first, last, step, delta]: every step-th character from first to last becomes the one delta behind it."""
    found = []
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000 or simple(c) == c:
            continue
        delta = simple(c) - c
        if found:
            r = found[-1]
            gap = c - r[1]
            if r[3] == delta and gap in (1, 2) and (r[0] == r[1] or r[2] == gap):
                r[1], r[2] = c, gap
                continue
        found.append([c, c, 1, delta])
    return found


if __name__ == "__main__":
    print(f"/* Simple case folding of Unicode {unicodedata.unidata_version}: entries C and S of CaseFolding.txt. Made by tools/fold.py; by first. */")
    for first, last, step, delta in ranges():
        print(f"RANGE(0x{first:04x}, 0x{last:04x}, {step}, {delta})")
