#!/usr/bin/env python3
"""Lets a board solve a puzzle: client.py HOST:PORT|SERIAL-PORT PUZZLE. Needs pyserial for a serial port, nothing for TCP.

Everything it does is explained in PROTOCOL.md."""
import socket, sys, zlib

PROTOCOL, HELLO, SOLVE = 2, 0, 6  # version; numbers of the requests
ANSWERS = {0: "hello", 6: "error", 7: "progress", 8: "answer"}
STATUS = ["solved", "voted", "unproven", "refused"]

def varint(n):  # postcard's integers: 7 bits a byte, low bits first
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))

def cobs(data):  # no zero inside, one behind
    out = bytearray()
    for block in data.split(b"\0"):
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
        out += bytes([len(block) + 1]) + block
    return bytes(out) + b"\0"

def uncobs(frame):
    out, at = bytearray(), 0
    while at < len(frame):
        code = frame[at]
        out += frame[at + 1 : at + code]
        at += code
        if code < 255 and at < len(frame):
            out.append(0)
    return bytes(out)

class Reader:
    def __init__(self, data): self.data, self.at = data, 0
    def byte(self): self.at += 1; return self.data[self.at - 1]
    def varint(self):
        n = shift = 0
        while True:
            b = self.byte()
            n |= (b & 127) << shift
            shift += 7
            if b < 128: return n
    def bytes(self): n = self.varint(); self.at += n; return self.data[self.at - n : self.at]
    def option(self, read): return read() if self.byte() else None
    def zigzag(self): n = self.varint(); return n >> 1 ^ -(n & 1)
    def guess_end(self): kind = self.varint(); return (kind, self.byte() if kind == 2 else None)
    def refusal(self):
        kind = self.varint()
        return (kind, self.varint(), self.byte() if kind == 1 else self.varint())
    def progress(self):
        return [self.varint(), self.varint(), self.varint(), self.varint(), self.byte(), self.zigzag(),
                self.option(self.varint), self.option(self.guess_end)]

class Board:
    def __init__(self, name):
        if ":" in name and not name.startswith("/"):
            line = socket.create_connection(name.rsplit(":", 1), timeout=60)
            self.write, self.read = line.sendall, lambda: line.recv(4096)
        else:
            import serial
            line = serial.Serial(name, 115200, timeout=60)
            self.write, self.read = line.write, lambda: line.read(1)
        self.id, self.arrived = 0, b""
        self.write(b"\0")  # ends whatever a client before may have left half-sent
    def ask(self, request):
        self.id += 1
        envelope = bytes([PROTOCOL]) + varint(self.id) + request
        self.write(cobs(envelope + zlib.crc32(envelope).to_bytes(4, "little")))
    def answer(self):
        while True:
            while b"\0" not in self.arrived:
                self.arrived += self.read() or sys.exit("the board is gone")
            frame, self.arrived = self.arrived.split(b"\0", 1)
            data = uncobs(frame)
            if len(data) < 6 or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
                continue  # noise
            if data[0] != PROTOCOL: sys.exit(f"the board speaks protocol {data[0]}, this program {PROTOCOL}")
            reader = Reader(data[1:-4])
            if reader.varint() == self.id:  # answers to earlier requests are of no interest
                return ANSWERS.get(reader.varint(), "other"), reader

board, puzzle = Board(sys.argv[1]), sys.argv[2]
board.ask(varint(HELLO))
kind, r = board.answer()
print(kind, "firmware", r.bytes().decode(), "board", r.bytes().decode(), "task", r.bytes().decode())
tokens = bytes(1 if c in ".0" else int(c) + 1 for c in puzzle)
# Checked, relabels, 9 guesses of 16 segments, no budget, not on halt, when settled, seed 0; no limit of time; no progress
policy = bytes([0, 0]) + varint(9) + varint(16) + varint(2**32 - 1) + bytes([0, 1]) + varint(0)
board.ask(varint(SOLVE) + policy + varint(0) + bytes([0]) + varint(len(tokens)) + tokens)
kind, r = board.answer()
if kind != "answer": sys.exit(f"{kind} {r.varint()}")
status = r.varint()
if STATUS[status] == "refused": sys.exit(f"refused: {r.refusal()}")
stop, guesses, segments, end, found, votes = r.varint(), r.varint(), r.varint(), r.option(r.guess_end), r.option(r.progress), r.varint()
grid = "".join("." if t == 1 else str(t - 1) for t in r.bytes())
print(STATUS[status], grid, "guesses", guesses, "segments", segments, "microseconds", r.option(r.varint))
