#!/usr/bin/env python3
"""Lets a board solve a puzzle: client.py HOST:PORT|SERIAL-PORT PUZZLE. Needs pyserial for a serial port, nothing for TCP.

Everything it does is explained in PROTOCOL.md."""
import itertools, socket, sys, zlib

PROTOCOL, HELLO, SOLVE = 6, 0, 6  # version; numbers of the requests
STATUS = ["solved", "voted", "unproven", "refused"]
SYMBOLS = {"sudoku": "?.123456789", "maze": "?# SGo"}  # a token is a place in its task's symbols

# Postcard: integers have 7 bits a byte, low bits first. What is read comes from an iterator over bytes.
def varint(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
def number(r): byte = next(r); return byte if byte < 128 else byte - 128 + (number(r) << 7)
def string(r): return bytes(itertools.islice(r, number(r)))
def option(r, read): return read(r) if next(r) else None
def zigzag(r): n = number(r); return n >> 1 ^ -(n & 1)
def guess_end(r): kind = number(r); return kind, next(r) if kind == 2 else None
def refusal(r): kind = number(r); return (kind, number(r), next(r) if kind == 1 else number(r)) if kind < 4 else (kind,)
def progress(r): return *(number(r) for _ in range(4)), next(r), zigzag(r), option(r, number), option(r, guess_end)

def cobs(data):  # no zero inside, one behind
    out = bytearray()
    for block in data.split(b"\0"):
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
        out += bytes([len(block) + 1]) + block
    return bytes(out) + b"\0"

def uncobs(frame):
    out = b""
    while frame:
        code, block, frame = frame[0], frame[1 : frame[0]], frame[frame[0] :]
        out += block + (b"\0" if code < 255 and frame else b"")
    return out

def connect(name):  # how to send bytes, and how to receive some
    if ":" in name and not name.startswith("/"):
        line = socket.create_connection(name.rsplit(":", 1), timeout=60)
        return line.sendall, lambda: line.recv(4096)
    import serial
    line = serial.Serial(name, 115200, timeout=60)
    return line.write, lambda: line.read(1)

def ask(id, request):  # number and fields of the answer
    envelope = bytes([PROTOCOL]) + varint(id) + request
    send(cobs(envelope + zlib.crc32(envelope).to_bytes(4, "little")))
    while True:
        data = uncobs(bytes(iter(arrives.__next__, 0)))
        if len(data) < 6 or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"): continue  # noise
        if data[0] != PROTOCOL: sys.exit(f"the board speaks protocol {data[0]}, this program {PROTOCOL}")
        r = iter(data[1:-4])
        if number(r) == id: return number(r), r  # other answers are to earlier requests

if len(sys.argv) != 3: sys.exit("usage: client.py PORT PUZZLE, as client.py 127.0.0.1:3333 1.....2..3.....4")
send, receive = connect(sys.argv[1])
arrives = itertools.chain.from_iterable(receive() or sys.exit("the board is gone") for _ in itertools.count())
send(b"\0")  # ends whatever a client before may have left half-sent
kind, r = ask(1, varint(HELLO))
if kind != 0: sys.exit(f"no hello, but answer {kind}")
firmware, board, task = (string(r).decode() for _ in range(3))
pack_crc, cells, vocab, width, heads, inner = (number(r) for _ in range(6))
layers_and_cycles, trained_segments = bytes(itertools.islice(r, 4)), number(r)  # the rest is of no use here
print("hello firmware", firmware, "board", board, "task", task)
symbols = SYMBOLS[task.rstrip("x0123456789")]
if not set(sys.argv[2]) <= set(symbols): sys.exit(f"a puzzle of {task} is written with {symbols}")
tokens = bytes(symbols.index(c) for c in sys.argv[2])
# Checked, full group, 4,096 guesses, the first as long as the model was trained to think and others of 3 segments, no budget, not on
# halt, when settled, patience 1, suppose 3, doubt of at most 4096 (a signed number, twice that), 5 segments undoubted, seed 0: the
# recommended policy. No limit of time; no progress.
policy = bytes([0, 1]) + varint(4096) + varint(trained_segments) + varint(3) + varint(2**32 - 1) + bytes([0, 1]) + varint(1) + varint(3)
policy += varint(2 * 4096) + varint(5) + varint(0)
kind, r = ask(2, varint(SOLVE) + policy + varint(0) + bytes([0]) + varint(len(tokens)) + tokens)
if kind != 8: sys.exit(f"no answer, but fault {number(r)}")
status = STATUS[number(r)]
if status == "refused": sys.exit(f"refused: {refusal(r)}")
stop, guesses, segments, end, found, votes = number(r), number(r), number(r), option(r, guess_end), option(r, progress), number(r)
grid = "".join(symbols[t] for t in string(r))
print(status, grid, "guesses", guesses, "segments", segments, "microseconds", option(r, number))
