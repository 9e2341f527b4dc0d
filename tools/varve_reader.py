#!/usr/bin/env python3
"""Verifies a drive's folder and lists its files. Read-only; Python 3.8 or later, standard library only.

A second, independent reader of the format, written from docs/protocol alone: it shares no line and no idea with the
TypeScript beside it, so that what both say of a folder is what the book says. Numbers such as (10-log 2.5) are
sections of that book.

    python3 tools/varve_reader.py FOLDER [--key HEX] [--version N] [--json] [--every-signature] [--max-blocks N]

FOLDER is the storage folder of a drive or a store (40-drive 2.2), or that of one log (10-log 2.5). Every log in it is
verified: the signature of its head, its tree from the signed roots down to the leaves, and the bytes of each block
that the folder says it holds. Then the files of the drive are listed, mounted drives below their mount points, each
with its size and the SHA-256 of its bytes. Nothing is listed from a block that did not verify.

What is here is `ok`, what is absent (a sparse clone, cleared content) is `missing`, what is not what the owner signed
is `wrong`. Exit code: 0 all ok, 1 something is wrong, 2 no such folder, drive or version, 3 nothing is wrong but
something that the list needs is missing, 4 a limit was reached and not everything was looked at.

Hostile bytes: every length is checked against the file or block that it is in before anything is allocated, work is
bounded by the size of the folder and by the limits below, and each failure is one typed line, never a traceback.
"""

import argparse
import hashlib
import json
import os
import stat as stat_module
import sys
from array import array

# Limits. What goes past one is reported as `limit` and not read.
MAX_BLOCKS = 1 << 22  # blocks of one log; an option raises it
MAX_LOGS = 1 << 16  # logs of one folder
MAX_KEY_BYTES = 1 << 16  # bytes of one key in the trie
MAX_MOUNT_DEPTH = 16  # mounts inside mounts
MAX_ENTRIES = 1 << 24  # entries of one list
MAX_HASHED = 1 << 40  # bytes hashed for the list: copies share blocks, so this can be more than the folder
MAX_SIGNATURES = 1 << 12  # signatures checked in one log, besides --every-signature
MAX_PROBLEMS = 1000  # of one log or list that are told one by one

SAFE = (1 << 53) - 1  # the largest number anywhere (10-log 1)
PIECE = 1 << 20  # bytes read at once
KEPT = 8 * PIECE  # bytes of one file that are kept for the next read
HEX = frozenset("0123456789abcdef")

OK, WRONG, NOT_HERE, USAGE, MISSING, LIMIT = "ok", "wrong", "not here", 2, "missing", "limit"


class Bad(Exception):
    """Bytes that are not what the book says."""


class Absent(Exception):
    """A block that is not in the folder."""


class Unusable(Exception):
    """The call cannot be answered: no such folder, drive or version."""


# ---------------------------------------------------------------- hashes and keys (10-log 2.2, 2.3; 30-trie 2.6)


def blake2b(*parts, key=b""):
    state = hashlib.blake2b(digest_size=32, key=key)
    for part in parts:
        state.update(part)
    return state.digest()


def u64(number):
    return number.to_bytes(8, "big")


def parent_hash(left, right):
    """`left` and `right` are (hash, size), left first."""
    return blake2b(b"\1", u64(left[1] + right[1]), left[0], right[0])


def tree_hash(roots):
    """`roots` are (index, (hash, size)) from left to right."""
    return blake2b(b"\2", *(part for index, (digest, size) in roots for part in (digest, u64(index), u64(size))))


def discovery_key(public_key):
    return blake2b(b"hypercore", key=public_key)


def derived_seed(master_key, name):
    return blake2b(b"9\ncorestore", name, key=master_key)


def siphash24(data):
    """SipHash-2-4 with a key of zeros: eight bytes, little-endian."""
    mask = (1 << 64) - 1
    v0, v1, v2, v3 = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    words = [int.from_bytes(padded[at : at + 8], "little") for at in range(0, len(padded), 8)]
    for word, rounds in [(word, 2) for word in words] + [(None, 4)]:
        if word is None:
            v2 ^= 0xFF
        else:
            v3 ^= word
        for _ in range(rounds):
            v0 = (v0 + v1) & mask
            v1 = ((v1 << 13) | (v1 >> 51)) & mask ^ v0
            v0 = ((v0 << 32) | (v0 >> 32)) & mask
            v2 = (v2 + v3) & mask
            v3 = ((v3 << 16) | (v3 >> 48)) & mask ^ v2
            v0 = (v0 + v3) & mask
            v3 = ((v3 << 21) | (v3 >> 43)) & mask ^ v0
            v2 = (v2 + v1) & mask
            v1 = ((v1 << 17) | (v1 >> 47)) & mask ^ v2
            v2 = ((v2 << 32) | (v2 >> 32)) & mask
        if word is not None:
            v0 ^= word
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


# ---------------------------------------------------------------- Ed25519 (RFC 8032), points as (X, Y, Z, T)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
D2 = 2 * D % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add_points(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = a[3] * D2 * b[3] % P
    h = 2 * a[2] * b[2] % P
    p, q, r, s = f - e, h - g, h + g, f + e
    return (p * q % P, r * s % P, q * r % P, p * s % P)


def double_point(a):
    x2 = a[0] * a[0] % P
    y2 = a[1] * a[1] % P
    h = x2 + y2
    e = h - (a[0] + a[1]) ** 2
    g = x2 - y2
    f = 2 * a[2] * a[2] + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiples(point):
    """0 to 15 times the point, for steps of four bits."""
    table = [NEUTRAL, point]
    for _ in range(14):
        table.append(add_points(table[-1], point))
    return table


def decode_point(data):
    """The point of 32 bytes, or None when they are not the one encoding of a point."""
    y = int.from_bytes(data, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def encode_point(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
BASE_TABLE = multiples(BASE)


def combine(s, base_table, h, table):
    """s times the one point and h times the other."""
    total = NEUTRAL
    for shift in range(252, -1, -4):
        for _ in range(4):
            total = double_point(total)
        total = add_points(total, base_table[s >> shift & 15])
        if h:
            total = add_points(total, table[h >> shift & 15])
    return total


def public_key_of(seed):
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return encode_point(combine(int.from_bytes(scalar, "little"), BASE_TABLE, 0, BASE_TABLE))


def signature_holds(signature, message, public_key):
    s = int.from_bytes(signature[32:], "little")
    a, r = decode_point(public_key), decode_point(signature[:32])
    if s >= ORDER or a is None or r is None:
        return False
    for point in (a, r):  # of small order: says nothing about who signed
        if encode_point(double_point(double_point(double_point(point)))) == encode_point(NEUTRAL):
            return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    minus_a = (P - a[0], a[1], 1, P - a[3])
    return encode_point(combine(s, BASE_TABLE, h, multiples(minus_a))) == signature[:32]


# ---------------------------------------------------------------- numbering of the tree (10-log 2.1)


def depth_of(index):
    return (~index & (index + 1)).bit_length() - 1


def children_of(index):
    half = 1 << (depth_of(index) - 1)
    return index - half, index + half


def family_of(index):
    """(sibling, parent)."""
    span = 2 << depth_of(index)
    return (index - span, index - span // 2) if index & span else (index + span, index + span // 2)


def full_roots(length):
    roots, base = [], 0
    while length > 0:
        full = 1 << (length.bit_length() - 1)
        roots.append(base + full - 1)
        base += 2 * full
        length -= full
    return roots


def leaves_below(index):
    """(first leaf's block, one past the last's)."""
    width = 1 << depth_of(index)
    first = (index - width + 1) // 2
    return first, first + width


# ---------------------------------------------------------------- varints and protobuf (30-trie 2.1; 40-drive 2.4)


def read_varint(data, at, end):
    if at < end and data[at] < 128:
        return data[at], at + 1
    number, shift = 0, 0
    while True:
        if at >= end:
            raise Bad("varint is cut")
        if shift > 63:
            raise Bad("varint is too long")
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def read_fields(data, known):
    """(number, value) of each field named in `known` {number: wire type}; others are skipped by their wire type."""
    at, end = 0, len(data)
    while at < end:
        tag, at = read_varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if kind in (3, 4):
            raise Bad("groups are not supported")
        if kind > 5:
            raise Bad(f"unknown wire type {kind}")
        if number in known and kind != known[number]:
            raise Bad(f"field {number} has wire type {kind}")
        if kind == 0:
            value, at = read_varint(data, at, end)
            if number in known and value > SAFE:
                raise Bad(f"field {number} is past 2^53 - 1")
        else:
            size = 8 if kind == 1 else 4
            if kind == 2:
                size, at = read_varint(data, at, end)
            if size > end - at:
                raise Bad(f"field {number} reaches past its end")
            value = data[at : at + size]
            at += size
        if number in known:
            yield number, value


def text(data):
    return data.decode("utf-8", "replace")


# ---------------------------------------------------------------- files


class Slots:
    """A file of a log, read in pieces. What cannot be read is absent; what is no regular file is told."""

    def __init__(self, path, problems):
        self.path, self.size, self.fd = path, 0, None
        self.pages, self.page_bytes = {}, PIECE
        try:
            # O_NONBLOCK: a pipe in place of a file must not hold us up.
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            return
        except OSError as error:
            problems.wrong("file", f"{os.path.basename(path)}: {error.strerror}")
            return
        status = os.fstat(fd)
        if not stat_module.S_ISREG(status.st_mode):
            os.close(fd)
            problems.wrong("file", f"{os.path.basename(path)} is no regular file")
            return
        self.fd, self.size = fd, status.st_size

    def read(self, offset, size):
        """The bytes, or fewer where the file ends."""
        if self.fd is None or offset >= self.size or size <= 0:
            return b""
        size = min(size, self.size - offset)
        first, last = offset // self.page_bytes, (offset + size - 1) // self.page_bytes
        if first == last:
            start = offset - first * self.page_bytes
            return self.page(first)[start : start + size]
        joined = b"".join(self.page(number) for number in range(first, last + 1))
        start = offset - first * self.page_bytes
        return joined[start : start + size]

    def page(self, number):
        page = self.pages.get(number)
        if page is None:
            if len(self.pages) * self.page_bytes >= KEPT:
                del self.pages[next(iter(self.pages))]
            page = self.pages[number] = self.fetch(number * self.page_bytes, self.page_bytes)
        return page

    def fetch(self, offset, size):
        try:
            os.lseek(self.fd, offset, os.SEEK_SET)
            return os.read(self.fd, size)
        except OSError:
            return b""

    def pieces(self, offset, size):
        """The bytes, past the pages: for what is read here and there."""
        while size > 0:
            piece = self.fetch(offset, min(size, PIECE)) if self.fd is not None else b""
            if not piece:
                raise Bad("data ends early")
            yield piece
            offset += len(piece)
            size -= len(piece)

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class Problems:
    """What was found: (state, kind, message). Only so many are kept, all are counted."""

    def __init__(self):
        self.kept, self.counts = [], {WRONG: 0, MISSING: 0, LIMIT: 0, "note": 0}

    def add(self, state, kind, message):
        self.counts[state] += 1
        if len(self.kept) < MAX_PROBLEMS:
            self.kept.append({"state": state, "kind": kind, "message": message})

    def wrong(self, kind, message):
        self.add(WRONG, kind, message)


# ---------------------------------------------------------------- one log (10-log)


class Bits:
    """Data bits and tree bits of the file `bitfield` (10-log 2.6), each as bytes, the first bit topmost."""

    def __init__(self, file, max_blocks, problems):
        self.data, self.tree, self.usable = b"", b"", False
        header = file.read(0, 32)
        page_bytes = 3584
        if len(header) < 32:
            if len(header) or file.size:
                problems.wrong("bitfield", "the file has no whole header")
            return
        if header[:5] != bytes([5, 2, 0x57, 0, 0]):
            problems.wrong("bitfield", "the header is not that of a bitfield")
        page_bytes = int.from_bytes(header[5:7], "big")
        index_bytes = page_bytes - 3072
        if index_bytes <= 0 or index_bytes & (index_bytes - 1):
            problems.wrong("bitfield", f"a page cannot have {page_bytes} bytes")
            return
        self.usable = True
        pages = -(-(file.size - 32) // page_bytes)
        if pages * 8192 > max_blocks + 8192:
            problems.add(LIMIT, "blocks", f"the bitfield speaks of up to {pages * 8192} blocks; --max-blocks raises the limit")
            pages = max_blocks // 8192 + 1
        data, tree = [], []
        for page in range(pages):
            content = file.read(32 + page * page_bytes, 3072).ljust(3072, b"\0")
            data.append(content[:1024])
            tree.append(content[1024:])
        self.data, self.tree = b"".join(data), b"".join(tree)

    def has_node(self, index):
        return index >> 3 < len(self.tree) and bool(self.tree[index >> 3] & 0x80 >> (index & 7))

    def has_block(self, index):
        return index >> 3 < len(self.data) and bool(self.data[index >> 3] & 0x80 >> (index & 7))

    def length(self):
        """The length that the tree bits record (10-log 3.1, blocks and verifiedBy)."""
        top, spine = -1, 0
        while spine >> 3 < len(self.tree):
            if self.has_node(spine):
                top = spine
            spine = 2 * spine + 1
        if top < 0:
            return 0
        while True:
            sibling, parent = family_of(top)
            if not (self.has_node(parent) and self.has_node(sibling)):
                break
            top = parent
        depth = depth_of(top)
        while depth > 0:
            top += 2 << depth  # the next of its depth, then its left child
            top -= 1 << (depth - 1)
            depth -= 1
            while not self.has_node(top) and depth > 0:
                top -= 1 << (depth - 1)
                depth -= 1
        return top // 2 + 1 if self.has_node(top) else top // 2


def set_bits(data, end):
    """Numbers below `end` of the bits that are set, ascending; the first bit of a byte is its topmost."""
    for at, byte in enumerate(data):
        if byte:
            for bit in range(8):
                if byte & 0x80 >> bit:
                    if at * 8 + bit >= end:
                        return
                    yield at * 8 + bit


class Log:
    """One log of the folder, verified: `state` of each block, and its bytes."""

    def __init__(self, folder, options):
        self.folder, self.options, self.problems = folder, options, Problems()
        self.length = self.byte_length = self.held = self.wrong_blocks = 0
        self.signed, self.key, self.writable = False, None, False
        self.signatures_checked = 0
        self.state = bytearray()
        self.files = {name: Slots(os.path.join(folder, name), self.problems) for name in ("key", "secret_key", "name", "tree", "data", "bitfield", "signatures")}
        # Nodes are read top-down, which stays close together: small pages, so that a jump costs little.
        self.files["tree"].page_bytes = 1 << 16
        self.read_key()
        self.check_headers()
        self.bits = Bits(self.files["bitfield"], options.max_blocks, self.problems)
        if self.key is not None:
            self.verify()

    # -- identity (10-log 2.3, 2.5; 40-drive 2.2)

    def read_key(self):
        file = self.files["key"]
        if file.size != 32:
            self.problems.wrong("key", f"the file key has {file.size} bytes, not 32")
            return
        self.key = file.read(0, 32)

    def check_secrets(self, master_key):
        """A stored secret, or a stored name and the store's master key, must belong to the public key."""
        name, secret = self.files["name"], self.files["secret_key"]
        if self.key is None:
            return
        if 2 <= name.size <= PIECE:
            data = name.read(0, name.size)
            try:
                size, at = read_varint(data, 0, len(data))
            except Bad:
                size, at = -1, 0
            if size == len(data) - at:
                if master_key is None:
                    self.problems.add("note", "name", "the log has a name, but the folder no master key")
                elif public_key_of(derived_seed(master_key, data[at:])) != self.key:
                    self.problems.wrong("name", "name and master key do not give this log's key")
                else:
                    self.writable = True
                return
            self.problems.wrong("name", "the file name is not a length and as many bytes")
        if secret.size:
            data = secret.read(0, 64)
            if secret.size != 64 or data[32:] != self.key or public_key_of(data[:32]) != self.key:
                self.problems.wrong("secret key", "the secret key is not that of this log's key")
            else:
                self.writable = True

    def check_headers(self):
        for name, header in (
            ("tree", bytes.fromhex("05025702000028 07 424c414b453262")),
            ("signatures", bytes.fromhex("05025701000040 07 45643235353139")),
        ):
            found = self.files[name].read(0, 32)
            if found != header.ljust(32, b"\0"):
                self.problems.wrong(name, "the header is not as it should be" if found else "the file is not here or empty")

    # -- the tree (10-log 2.2, 2.4, 2.5)

    def node(self, index):
        """(hash, size) of a stored node, None for one that was never written."""
        data = self.files["tree"].read(32 + 40 * index, 40)
        if len(data) < 40:
            return None
        size = int.from_bytes(data[32:], "big")
        digest = data[:32]
        return None if size == 0 and not any(digest) else (digest, size)

    def signature(self, length):
        data = self.files["signatures"].read(32 + 64 * (length - 1), 64)
        return data if len(data) == 64 and any(data) else None

    def roots(self, length):
        """Stored roots of a length, None when one is not here or the sizes are past any log's."""
        found, total = [], 0
        for index in full_roots(length):
            node = self.node(index)
            if node is None:
                return None
            total += node[1]
            found.append((index, node))
        return found if total <= SAFE else None

    def vouched(self, length):
        """The roots of a length when its signature, or for a static log its key, vouches for them; else None."""
        roots = self.roots(length)
        if roots is None:
            return None
        digest = tree_hash(roots)
        signature = self.signature(length)
        if signature is None:
            return roots if digest == self.key and length == self.bits.length() else None
        self.signatures_checked += 1
        if signature_holds(signature, digest + u64(length), self.key) or signature_holds(signature, digest, self.key):
            return roots
        return None

    def signed_lengths(self, start, end):
        """Lengths in [start, end) that have a signature, highest first."""
        slots = (self.files["signatures"].size - 32) // 64
        for length in range(min(end - 1, slots), start - 1, -1):
            if length > 0 and self.signature(length) is not None:
                yield length

    def find_head(self):
        length = self.bits.length()
        if length > self.options.max_blocks:
            self.problems.add(LIMIT, "blocks", f"{length} blocks; --max-blocks raises the limit")
            return 0, []
        if length > 0:
            roots = self.vouched(length)
            if roots is not None:
                return length, roots
            self.problems.wrong("head", f"nothing that verifies vouches for the {length} blocks that the bitfield records")
        # Without a bit, one signature is a first append that was broken off (10-log 3.15, step 4).
        candidates = []
        for candidate in self.signed_lengths(1, self.options.max_blocks + 1):
            candidates.append(candidate)
            if len(candidates) > 64:
                break
        if length == 0 and (not candidates or (self.bits.usable and len(candidates) == 1)):
            if not self.bits.usable and self.files["tree"].size > 32:
                self.problems.wrong("head", "there are nodes, but no bitfield and no signature")
            return 0, []
        if length == 0:
            self.problems.wrong("head", "the bitfield records no block, though there are signatures")
        for candidate in candidates:
            roots = self.vouched(candidate)
            if roots is not None:
                return candidate, roots
        return 0, []

    def verify(self):
        self.length, roots = self.find_head()
        if self.length == 0:
            return
        self.signed = True
        self.byte_length = sum(size for _, (_, size) in roots)
        self.state = bytearray(self.length)
        self.offsets, self.sizes = array("Q", bytes(8 * self.length)), array("Q", bytes(8 * self.length))
        self.proven = bytearray((2 * self.length + 7) // 8)
        self.descend(roots)
        self.prove_older()
        self.check_data()
        if self.options.every_signature:
            self.check_every_signature()

    def descend(self, roots):
        """Mark what hashes up to these roots, which are proven; below the first node that does not, nothing."""
        start = 0
        todo = []
        for index, node in roots:
            todo.append((index, node, start))
            start += node[1]
        todo.reverse()
        proven = self.proven
        while todo:
            index, node, start = todo.pop()
            if proven[index >> 3] & 0x80 >> (index & 7):
                continue
            proven[index >> 3] |= 0x80 >> (index & 7)
            if not index & 1:
                block = index >> 1
                self.offsets[block], self.sizes[block] = start, node[1]
                continue
            first, second = children_of(index)
            left, right = self.node(first), self.node(second)
            if left is None or right is None:
                continue
            if left[1] + right[1] != node[1] or parent_hash(left, right) != node[0]:
                self.problems.wrong("tree", f"nodes {first} and {second} do not hash to node {index}")
                continue
            todo.append((second, right, start + left[1]))
            todo.append((first, left, start))

    def prove_older(self):
        """Nodes that are recorded but not below the head's roots: a replica may hold them from an older head."""
        told = 0
        for index in set_bits(self.bits.tree, 2 * self.length - 1):
            if self.proven[index >> 3] & 0x80 >> (index & 7):
                continue
            top = index
            node = self.node(top)
            if node is None:
                self.problems.wrong("tree", f"node {index} is recorded, but not stored")
                continue
            while True:  # to the top of what hashes together
                sibling, parent = family_of(top)
                pair, above = self.node(sibling), self.node(parent)
                if pair is None or above is None:
                    break
                left, right = (node, pair) if top < sibling else (pair, node)
                if left[1] + right[1] != above[1] or left[1] + right[1] > SAFE or parent_hash(left, right) != above[0]:
                    break
                top, node = parent, above
            first, end = leaves_below(top)
            for length in self.signed_lengths(end, min(2 * end - first, self.length)):
                if self.signatures_checked > MAX_SIGNATURES:
                    if not told:
                        self.problems.add(LIMIT, "signatures", f"more than {MAX_SIGNATURES} older heads")
                    told = 1
                    break
                roots = self.vouched(length)
                if roots is not None and any(root == top for root, _ in roots):
                    self.descend(roots)
                    break
            if not self.proven[index >> 3] & 0x80 >> (index & 7):
                self.problems.wrong("tree", f"node {index} is not tied to a signed head")

    def check_every_signature(self):
        for length in self.signed_lengths(1, self.length):
            if self.roots(length) is None:
                continue
            if self.vouched(length) is None:
                self.problems.wrong("signature", f"the signature of length {length} does not verify")

    # -- blocks (10-log 2.2, 2.5.2, 3.6)

    def check_data(self):
        data, tree = self.files["data"], self.files["tree"]
        for block in set_bits(self.bits.data, self.length):
            index = 2 * block
            if not self.proven[index >> 3] & 0x80 >> (index & 7):
                self.spoil(block, "its leaf is not proven")
                continue
            size, offset = self.sizes[block], self.offsets[block]
            if offset + size > data.size:
                self.spoil(block, "data ends early")
                continue
            hashed = hashlib.blake2b(b"\0" + u64(size), digest_size=32)
            if size <= PIECE:
                hashed.update(data.read(offset, size))
            else:
                for piece in data.pieces(offset, size):
                    hashed.update(piece)
            if hashed.digest() == tree.read(32 + 40 * index, 32):
                self.state[block] = 1
                self.held += 1
            else:
                self.spoil(block, "its bytes are not those that were signed")
        if self.bits.data and any(True for block in set_bits(self.bits.data[self.length // 8 :], 8 * len(self.bits.data)) if block >= self.length % 8):
            self.problems.add("note", "bitfield", "there are data bits above the length")

    def spoil(self, block, why):
        self.state[block] = 2
        self.wrong_blocks += 1
        self.problems.wrong("block", f"block {block}: {why}")

    def require(self, block):
        """Nothing when the block is here and right, else Absent or Bad."""
        if block >= self.length or self.state[block] == 0:
            raise Absent(f"block {block} is not here")
        if self.state[block] == 2:
            raise Bad(f"block {block} is wrong")

    def block(self, block):
        self.require(block)
        return b"".join(self.files["data"].pieces(self.offsets[block], self.sizes[block]))

    def close(self):
        for file in self.files.values():
            file.close()

    def summary(self):
        return {
            "key": self.key.hex() if self.key else None,
            "length": self.length,
            "byteLength": self.byte_length,
            "held": self.held,
            "missing": self.length - self.held - self.wrong_blocks,
            "wrong": self.wrong_blocks,
            "signed": self.signed,
            "writable": self.writable,
            "problems": self.problems.kept,
        }


# ---------------------------------------------------------------- the trie (30-trie)

HASHES = {}


def component_hash(component):
    found = HASHES.get(component)
    if found is None:
        if len(HASHES) > 1 << 16:
            HASHES.clear()
        found = HASHES[component] = siphash24(component.encode("utf-8", "replace"))
    return found


class Node:
    """A block of the trie (30-trie 2.3). `rows` maps a row to the blocks that it points to, with their symbols."""

    __slots__ = ("seq", "key", "components", "value", "hidden", "user_flags", "rows")

    def __init__(self, seq, block):
        key = value = None
        table, flags = b"", 0
        for number, field in read_fields(block, {1: 2, 2: 2, 3: 2, 4: 0, 5: 0}):
            if number == 1:
                key = field
            elif number == 2:
                value = field
            elif number == 3:
                table = field
            elif number == 5:
                flags = field
        if key is None:
            raise Bad(f"block {seq} is no node: it has no key")
        if len(key) > MAX_KEY_BYTES:
            raise Bad(f"the key in block {seq} has {len(key)} bytes")
        self.seq, self.value = seq, value
        self.hidden, self.user_flags = flags & 1, flags >> 8
        key = text(key)
        self.key = key[1:] if key.startswith("/") else key
        components = self.key.split("/")
        if components and components[0] == "":
            components.pop(0)
        if components and components[-1] == "":
            components.pop()
        self.components = components
        self.rows = self.read_table(table) if table else []

    def read_table(self, table):
        end = len(table)
        most = 32 * len(self.components) + 2 + 32
        count, at = read_varint(table, 0, end)
        if count > most:
            raise Bad(f"the table in block {self.seq} has {count} rows")
        rows = {}
        while at < end:
            row, at = read_varint(table, at, end)
            if row > most:
                raise Bad(f"the table in block {self.seq} has a row {row}")
            bits, at = read_varint(table, at, end)
            pointers, slot = [], 0
            while bits:
                if bits & 1:
                    pointer, at = read_varint(table, at, end)
                    if 0 < pointer < self.seq:  # others point nowhere (30-trie 5)
                        pointers.append((slot % 5, pointer))
                bits >>= 1
                slot += 1
            rows[row] = pointers
        return sorted(rows.items())

    def symbol(self, at):
        """One step of the path (30-trie 2.6)."""
        if at == 0:
            return self.hidden
        component, rest = divmod(at - 1, 32)
        if component >= len(self.components):
            return 4
        return component_hash(self.components[component])[rest >> 2] >> 2 * (rest & 3) & 3

    def agrees(self, other, row):
        """Whether the paths are the same before `row`: whole components as text, the last steps by hash."""
        if row == 0:
            return True
        if self.hidden != other.hidden:
            return False
        whole, rest = divmod(row - 1, 32)
        if self.components[:whole] != other.components[:whole]:
            return False
        return all(self.symbol(at) == other.symbol(at) for at in range(row - rest, row))


def live_nodes(log, version, problems):
    """Every node that the head of this version reaches, visible and hidden, by seq (30-trie 2.7, 3.8).

    A node met at row i stands for the subtree of its first i symbols; its pointers in rows below i belong to others.
    Each (row, node) is looked at once, so the work is bounded by the rows there are, whatever they point to.
    """
    decoded, found, seen = {}, {}, set()

    def load(seq):
        if seq not in decoded:
            decoded[seq] = None
            try:
                node = Node(seq, log.block(seq))
                if node.key != "":  # an empty key: nothing lives here (30-trie 2.9)
                    decoded[seq] = node
            except Absent:
                problems.add(MISSING, "metadata", f"block {seq} of the trie is not here: what is below it is not listed")
            except Bad as error:
                problems.wrong("metadata", str(error))
        return decoded[seq]

    if version < 2:
        return []
    head = load(version - 1)
    todo = [(0, head)] if head else []
    while todo:
        row, node = todo.pop()
        if (row, node.seq) in seen:
            continue
        seen.add((row, node.seq))
        found[node.seq] = node
        for at, pointers in node.rows:
            if at < row:
                continue
            for symbol, seq in pointers:
                target = load(seq)
                if target is None:
                    continue
                if target.symbol(at) != symbol or not node.agrees(target, at):
                    problems.add("note", "metadata", f"row {at} of block {node.seq} points to block {seq}, which does not belong there")
                    continue
                todo.append((at + 1, target))
    return list(found.values())


def content_key(log):
    """The key of the content log, from the header (40-drive 2.3)."""
    kind, key = None, None
    for number, field in read_fields(log.block(0), {1: 2, 2: 2, 3: 2}):
        if number == 1:
            kind = field
        elif number == 2:
            key = field
    if kind != b"hypertrie" or key is None or len(key) != 32:
        raise Bad("block 0 is not the header of a drive")
    return key


# ---------------------------------------------------------------- stats and mounts (40-drive 2.4, 2.6)

STAT_FIELDS = {**{number: 0 for number in range(1, 10)}, 10: 2, 11: 2, 12: 2}
STAT_NAMES = {1: "mode", 2: "uid", 3: "gid", 4: "size", 5: "blocks", 6: "offset", 7: "byteOffset", 8: "mtime", 9: "ctime"}
TYPES = {0o040000: "directory", 0o100000: "file", 0o120000: "link"}


def read_stat(data):
    stat = {name: 0 for name in STAT_NAMES.values()}
    stat.update(mode=None, mtime=None, ctime=None, link=None, mount=None, metadata={})
    for number, field in read_fields(data, STAT_FIELDS):
        if number in STAT_NAMES:
            stat[STAT_NAMES[number]] = field
        elif number == 10:
            stat["link"] = text(field)
        elif number == 11:
            mount = {"key": None, "version": 0, "hypercore": False}
            for inner, value in read_fields(field, {1: 2, 2: 0, 3: 2, 4: 0}):
                if inner == 1:
                    mount["key"] = value
                elif inner == 2:
                    mount["version"] = value
                elif inner == 4:
                    mount["hypercore"] = value != 0
            if mount["key"] is None:
                raise Bad("the mount in a stat has no key")
            stat["mount"] = mount
        else:
            key, value = None, None
            for inner, inner_value in read_fields(field, {1: 2, 2: 2}):
                if inner == 1:
                    key = text(inner_value)
                else:
                    value = inner_value
            if key is None:
                raise Bad("an entry of a stat's metadata has no key")
            stat["metadata"][key] = value.hex() if value is not None else None
    if stat["mode"] is None:
        raise Bad("a stat has no mode")
    return stat


def read_mount(data):
    record = {"key": None, "path": None, "version": 0, "remote": ""}
    for number, field in read_fields(data or b"", {1: 2, 2: 2, 3: 0, 4: 2, 5: 2}):
        if number == 1:
            record["key"] = field
        elif number == 2:
            record["path"] = text(field)
        elif number == 3:
            record["version"] = field
        elif number == 4:
            record["remote"] = text(field)
    if record["key"] is None or len(record["key"]) != 32 or record["path"] is None:
        raise Bad("a mount record has no key of 32 bytes, or no path")
    return record


def below(key, folder):
    """Whether `key` is in `folder`, not the folder itself."""
    return folder == "" or (key.startswith(folder) and key[len(folder) : len(folder) + 1] == "/")


class Listing:
    """The files of a drive and of what is mounted in it."""

    def __init__(self, folder):
        self.folder, self.problems = folder, Problems()
        self.entries, self.mounts, self.tags = [], [], {}
        self.hashed, self.digests = 0, {}

    def add_drive(self, log, version, prefix, inside, trail):
        """Lists the entries of `log` at `version` that are below `inside`, as if they stood at `prefix`."""
        try:
            content = self.folder.by_key(content_key(log))
        except Absent:
            content = None
            if log.length > 0 or version > 0:
                self.problems.add(MISSING, "header", f"block 0 of {log.key.hex()} is not here: its content is unknown")
        except Bad as error:
            self.problems.wrong("header", f"{log.key.hex()}: {error}")
            content = None
        nodes = live_nodes(log, version, self.problems)
        records = {}
        for node in nodes:
            if node.hidden and node.user_flags == 1 and node.key.startswith("mounts/"):
                try:
                    records[node.key[len("mounts/") :]] = read_mount(node.value)
                except Bad as error:
                    self.problems.wrong("mount", f"{node.key}: {error}")
            elif node.hidden and node.key.startswith("hyperdrive-tags/") and not trail:
                try:
                    tagged, at = read_varint(node.value or b"", 0, len(node.value or b""))
                    self.tags[node.key[len("hyperdrive-tags/") :]] = tagged
                except Bad:
                    self.problems.add("note", "tag", f"{node.key} does not decode")
        for node in nodes:
            if node.hidden or not (node.key == inside or below(node.key, inside)):
                continue
            # Below a mount point the mounted drive is looked at, whatever the outer trie holds (30-trie Q23).
            if self.covered(node.components, records):
                continue
            if len(self.entries) >= MAX_ENTRIES:
                self.problems.add(LIMIT, "entries", f"more than {MAX_ENTRIES} entries")
                return
            rest = node.key if inside == "" else node.key[len(inside) + 1 :]
            if rest or not trail:
                self.add_entry(node, prefix + "/" + rest, content, rest in records or node.key in records)
        for path in sorted(records):
            if path == inside or below(path, inside):
                rest = path if inside == "" else path[len(inside) + 1 :]
                self.add_mount(records[path], prefix + "/" + rest, trail + [(log.key, inside)])

    @staticmethod
    def covered(components, records):
        return any("/".join(components[:count]) in records for count in range(1, len(components))) if records else False

    def add_mount(self, record, path, trail):
        key, version, remote = record["key"], record["version"], record["remote"].strip("/")
        log = self.folder.by_key(key)
        mount = {"path": path, "key": key.hex(), "version": version, "state": OK}
        self.mounts.append(mount)
        if log is None or log.length == 0:
            mount["state"] = MISSING
            self.problems.add(MISSING, "mount", f"{show(path)}: the mounted drive is not here")
        elif (key, remote) in trail:
            self.problems.add("note", "mount", f"{show(path)}: mounted inside itself; not listed again")
        elif len(trail) > MAX_MOUNT_DEPTH:
            self.problems.add(LIMIT, "mount", f"{show(path)}: more than {MAX_MOUNT_DEPTH} mounts inside each other")
        elif version > log.length:
            mount["state"] = MISSING
            self.problems.add(MISSING, "mount", f"{show(path)}: version {version} of the mounted drive is not here")
        else:
            self.add_drive(log, version or log.length, path, remote, trail)

    def add_entry(self, node, path, content, is_mount):
        try:
            stat = read_stat(node.value or b"")
        except Bad as error:
            self.entries.append({"path": path, "type": "unknown", "state": WRONG, "reason": str(error), "seq": node.seq})
            self.problems.wrong("stat", f"{show(path)}: {error}")
            return
        kind = TYPES.get(stat["mode"] & 0o170000, "other")
        entry = {"path": path, "type": kind, "state": OK, "seq": node.seq}
        entry.update((name, stat[name]) for name in ("mode", "uid", "gid", "size", "mtime", "ctime", "metadata"))
        mount = stat["mount"]
        if mount and mount["hypercore"] and not is_mount:
            # A log mounted as a file: all its blocks (40-drive 3.6).
            entry["mount"] = mount["key"].hex()
            source = self.folder.by_key(mount["key"])
            start, count, size = 0, source.length if source else 0, source.byte_length if source else 0
            if source is None:
                self.miss(entry, "the mounted log is not here")
            else:
                self.hash_content(entry, source, start, count, size)
        elif is_mount or mount:
            entry["type"] = "mount"
            entry["mount"] = mount["key"].hex() if mount else None
        elif kind == "link" or stat["link"] is not None:
            entry["type"], entry["link"] = "link", stat["link"]
        elif kind == "file":
            self.hash_file(entry, stat, content)
        self.entries.append(entry)

    def hash_file(self, entry, stat, content):
        """The bytes of a file: the first `size` of its run of blocks (40-drive 2.4, 3.6)."""
        if stat["blocks"] == 0 or stat["size"] == 0:  # no byte of it is in a block
            entry["bytes"], entry["sha256"] = 0, hashlib.sha256().hexdigest()
            return
        if content is None:
            self.miss(entry, "the content log is not here")
            return
        if stat["offset"] + stat["blocks"] > content.length:
            self.miss(entry, f"its blocks end at {stat['offset'] + stat['blocks']}, the content log here at {content.length}")
            return
        self.hash_content(entry, content, stat["offset"], stat["blocks"], stat["size"])

    def miss(self, entry, why):
        entry["state"], entry["reason"] = MISSING, why
        self.problems.add(MISSING, "content", f"{show(entry['path'])}: {why}")

    def hash_content(self, entry, log, start, count, size):
        absent = wrong = 0
        for block in range(start, start + count):
            state = log.state[block]
            absent += state == 0
            wrong += state == 2
        if wrong:
            entry["state"], entry["reason"] = WRONG, f"{wrong} of its {count} blocks are wrong"
            self.problems.wrong("content", f"{show(entry['path'])}: {entry['reason']}")
            return
        if absent:
            self.miss(entry, f"{absent} of its {count} blocks are not here")
            return
        key = (log.key, start, count, size)
        if key not in self.digests:
            hashed, left = hashlib.sha256(), size
            first = log.offsets[start] if count else 0
            available = log.offsets[start + count - 1] + log.sizes[start + count - 1] - first if count else 0
            left = min(size, available)
            self.hashed += left
            if self.hashed > MAX_HASHED:
                entry["state"], entry["reason"] = LIMIT, "too much to hash"
                self.problems.add(LIMIT, "bytes", f"more than {MAX_HASHED} bytes to hash")
                return
            # Blocks lie back to back (10-log 2.5.2), and each was verified before.
            for piece in log.files["data"].pieces(first, left):
                hashed.update(piece)
            self.digests[key] = (left, hashed.hexdigest())
        entry["bytes"], entry["sha256"] = self.digests[key]


# ---------------------------------------------------------------- the folder (40-drive 2.1, 2.2)


class Folder:
    """All logs of a storage folder, verified."""

    def __init__(self, path, options):
        self.path, self.options, self.problems = path, options, Problems()
        self.logs, self.master_key, self.single = {}, None, None
        if not os.path.isdir(path):
            raise Unusable(f"{path} is no folder")
        if os.path.lexists(os.path.join(path, "tree")) or os.path.lexists(os.path.join(path, "key")):
            self.single = self.add_log(path)
            return
        master = Slots(os.path.join(path, "master_key"), self.problems)
        if master.size >= 32:
            self.master_key = master.read(0, 32)
        master.close()
        for folder, name in self.log_folders():
            if len(self.logs) >= MAX_LOGS:
                self.problems.add(LIMIT, "logs", f"more than {MAX_LOGS} logs")
                break
            log = self.add_log(folder)
            if log.key is not None and discovery_key(log.key).hex() != name:
                log.problems.wrong("key", "the key does not belong to the name of the folder")
        if not self.logs:
            raise Unusable(f"{path} is no storage folder: there is no log in it")

    def log_folders(self):
        for first in self.names(self.path, 2):
            for second in self.names(os.path.join(self.path, first), 2):
                parent = os.path.join(self.path, first, second)
                for name in self.names(parent, 64):
                    if name.startswith(first + second):
                        folder = os.path.join(parent, name)
                        if os.path.lexists(os.path.join(folder, "key")) or os.path.lexists(os.path.join(folder, "tree")):
                            yield folder, name

    @staticmethod
    def names(folder, length):
        try:
            names = os.listdir(folder)
        except OSError:
            return []
        return sorted(name for name in names if len(name) == length and HEX.issuperset(name) and os.path.isdir(os.path.join(folder, name)))

    def add_log(self, folder):
        log = Log(folder, self.options)
        log.check_secrets(self.master_key)
        self.logs[log.key if log.key is not None else folder] = log
        return log

    def by_key(self, key):
        return self.logs.get(key)

    def drive(self):
        """The metadata log of the drive that the caller means."""
        if self.options.key is not None:
            key = bytes.fromhex(self.options.key)
            if key not in self.logs:
                raise Unusable(f"no log of the key {self.options.key} is here")
            return self.logs[key]
        if self.master_key is not None:
            log = self.logs.get(public_key_of(derived_seed(self.master_key, b"default")))
            if log is not None and log.length > 0:
                return log
        drives = []
        for log in self.logs.values():
            try:
                if log.key is not None:
                    content_key(log)
                    drives.append(log)
            except (Absent, Bad):
                pass
        if len(drives) == 1:
            return drives[0]
        if not drives and any(log.problems.counts[state] for log in self.logs.values() for state in (WRONG, LIMIT)):
            return None
        keys = " ".join(log.key.hex() for log in drives)
        raise Unusable(f"which drive? --key one of: {keys}" if drives else "there is no drive in this folder")


# ---------------------------------------------------------------- the command


def show(string):
    """Text that is safe on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in string)


def parse(arguments):
    parser = argparse.ArgumentParser(description="Verifies a drive's folder and lists its files.")
    parser.add_argument("folder", help="storage folder of a drive, a store or one log")
    parser.add_argument("--key", help="the drive's key, 64 hexadecimal digits")
    parser.add_argument("--version", type=int, help="list the drive at this version")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--every-signature", action="store_true", help="check the signatures of older heads too")
    parser.add_argument("--max-blocks", type=int, default=MAX_BLOCKS, help="blocks of one log that are looked at")
    options = parser.parse_args(arguments)
    if options.key is not None:
        options.key = options.key.lower()
        if len(options.key) != 64 or not HEX.issuperset(options.key):
            parser.error("--key takes 64 hexadecimal digits")
    return options


def examine(options):
    folder = Folder(options.folder, options)
    listing = Listing(folder)
    drive, version = None, None
    if folder.single is None:
        drive = folder.drive()
        if drive is not None:
            version = drive.length if options.version is None else options.version
            if version < 0 or version > drive.length:
                raise Unusable(f"there is no version {version}: the drive has {drive.length}")
            listing.add_drive(drive, version, "", "", [])
    elif options.key is not None and (folder.single.key is None or folder.single.key.hex() != options.key):
        raise Unusable(f"this is not the log of the key {options.key}")
    listing.entries.sort(key=lambda entry: entry["path"])
    counts = {WRONG: 0, MISSING: 0, LIMIT: 0}
    for problems in [folder.problems, listing.problems] + [log.problems for log in folder.logs.values()]:
        for state in counts:
            counts[state] += problems.counts[state]
    if folder.single is not None:
        counts[MISSING] += folder.single.length - folder.single.held - folder.single.wrong_blocks
    code = 1 if counts[WRONG] else 4 if counts[LIMIT] else 3 if counts[MISSING] else 0
    report = {
        "drive": drive.key.hex() if drive is not None and drive.key else None,
        "version": version,
        "state": {0: OK, 1: WRONG, 3: MISSING, 4: LIMIT}[code],
        "logs": sorted((log.summary() for log in folder.logs.values()), key=lambda log: log["key"] or ""),
        "entries": listing.entries,
        "mounts": listing.mounts,
        "tags": listing.tags,
        "problems": folder.problems.kept + listing.problems.kept,
    }
    for log in folder.logs.values():
        log.close()
    return report, code


def print_report(report):
    for log in report["logs"]:
        print(f"log   {log['key']}  {log['length']} blocks, {log['byteLength']} bytes: {log['held']} held, {log['missing']} missing, {log['wrong']} wrong")
        for problem in log["problems"]:
            print(f"      {problem['state']}: {problem['kind']}: {show(problem['message'])}")
    if report["drive"]:
        print(f"drive {report['drive']} at version {report['version']}")
    for mount in report["mounts"]:
        print(f"mount {show(mount['path'])}  {mount['key']}  {'version ' + str(mount['version']) if mount['version'] else 'latest'}  {mount['state']}")
    for entry in report["entries"]:
        what = entry.get("sha256") or (("-> " + show(entry["link"] or "")) if entry["type"] == "link" else entry["type"])
        if entry["state"] != OK:
            what = entry["state"].upper() + ": " + entry["reason"]
        print(f"{entry.get('size', 0):>12}  {what:<64}  {show(entry['path'])}")
    for problem in report["problems"]:
        print(f"{problem['state']}: {problem['kind']}: {show(problem['message'])}")
    print(report["state"])


def main(arguments):
    options = parse(arguments)
    try:
        report, code = examine(options)
    except Unusable as error:
        if options.json:
            print(json.dumps({"state": "unusable", "reason": str(error)}))
        else:
            print(show(str(error)), file=sys.stderr)
        return USAGE
    if options.json:
        print(json.dumps(report))
    else:
        sys.stdout.reconfigure(errors="backslashreplace")
        print_report(report)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
