#!/bin/sh
# py-sudoku 2.0.0.
#
# Guess, written down first: a puzzle that a Sudoku package makes has exactly one solution, at every
# difficulty it takes.
#
# Seen: `difficulty` empties that part of the cells, whichever, and gives the puzzle back also where
# it has several solutions. Of 40 puzzles of 9x9 each: 4 with 57 givens, 23 with 41, and all with 33
# or 25. `solve` then gives one of them, mostly not the grid that the puzzle was made from. The
# package can tell (`has_multiple_solutions`; the puzzle's difficulty becomes -3), rightly each
# time, but does not refuse; its page and the help of `difficulty` say nothing of it.
# A model trained on or scored by such pairs is punished for right answers. Around it: ask
# `has_multiple_solutions` of every puzzle, or count solutions oneself, as here.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet py-sudoku==2.0.0
cd "$folder"
cat > try.py <<'PYTHON'
import random
from importlib.metadata import version

from sudoku import Sudoku

PUZZLES = 40
HOUSES = [[9 * r + c for c in range(9)] for r in range(9)] + [
    [9 * r + c for r in range(9)] for c in range(9)
]
HOUSES += [
    [9 * (top + r) + left + c for r in range(3) for c in range(3)]
    for top in (0, 3, 6)
    for left in (0, 3, 6)
]
SEEN = [
    {other for house in HOUSES if cell in house for other in house} - {cell} for cell in range(81)
]


def solutions(cells, limit):
    """How many solutions there are, up to a limit: the cell with the fewest digits goes first."""
    choices = {
        cell: {*range(1, 10)} - {cells[at] for at in SEEN[cell]}
        for cell in range(81)
        if not cells[cell]
    }
    if not choices:
        return 1
    cell = min(choices, key=lambda cell: len(choices[cell]))
    found = 0
    for digit in choices[cell]:
        found += solutions([*cells[:cell], digit, *cells[cell + 1 :]], limit - found)
        if found >= limit:
            break
    return found


def flat(board):
    return [digit or 0 for row in board for digit in row]


print("py-sudoku", version("py-sudoku"))
several = {}
for difficulty in (0.3, 0.5, 0.6, 0.7):
    several[difficulty] = others = 0
    for seed in range(PUZZLES):
        start = Sudoku(3, seed=seed)
        random.seed(seed)
        puzzle = start.difficulty(difficulty)
        cells, made_from = flat(puzzle.board), flat(start.solve().board)
        assert all(cell in (0, digit) for cell, digit in zip(cells, made_from)), (
            "not made from that grid"
        )
        many = solutions(cells, 2) > 1
        assert puzzle.has_multiple_solutions() == many and (puzzle.get_difficulty() == -3) == many
        several[difficulty] += many
        others += flat(puzzle.solve().board) != made_from
        assert many or flat(puzzle.solve().board) == made_from
    givens = sum(cell > 0 for cell in cells)
    print(
        f"difficulty {difficulty}, {givens} givens: {several[difficulty]} of {PUZZLES} have several solutions,",
        end=" ",
    )
    print(f"{others} solved to another grid than they were made from")
assert several[0.3] < several[0.5] and several[0.6] > 0.9 * PUZZLES and several[0.7] > 0.9 * PUZZLES
print("as seen")
PYTHON
"$folder/python/bin/python" try.py
