// The grid: a table of fields that are typed into before it thinks, and shows what it believes afterwards.

/** Rows and columns of a box, where the task has boxes. */
function boxOf(pack) {
  if (!pack.task.startsWith('sudoku')) return null;
  const rows = Math.floor(Math.sqrt(pack.rows));
  return { rows, columns: pack.columns / rows };
}

class Board {
  /** `changed` is called with the grid's text when somebody has typed into it, `refused` with a key that no cell takes. */
  constructor(table, changed, refused) {
    this.table = table;
    this.changed = changed;
    this.refused = refused;
    this.cells = [];
    table.addEventListener('keydown', (event) => this.moved(event));
    table.addEventListener('input', (event) => this.typed(event));
    // a cell has room for one sign: the next one typed takes the place of what is selected
    for (const kind of ['focusin', 'click']) table.addEventListener(kind, (event) => event.target.select?.());
  }

  /** Makes room for a pack's puzzles. */
  shape(pack) {
    this.pack = pack;
    this.cells = [];
    const box = boxOf(pack);
    const body = document.createElement('tbody');
    for (let row = 0; row < pack.rows; row++) {
      const line = body.insertRow();
      for (let column = 0; column < pack.columns; column++) {
        const place = line.insertCell();
        if (box && column % box.columns === 0 && column > 0) place.classList.add('box-left');
        if (box && row % box.rows === 0 && row > 0) place.classList.add('box-top');
        const field = document.createElement('input');
        field.maxLength = 1;
        field.autocomplete = 'off';
        field.inputMode = box ? 'numeric' : 'text';
        field.dataset.at = this.cells.length;
        field.tabIndex = this.cells.length === 0 ? 0 : -1;
        place.append(field);
        this.cells.push(field);
      }
    }
    this.table.tBodies[0].replaceWith(body);
    this.table.dataset.task = pack.task.replace(/\d.*/, '');
    this.table.style.setProperty('--columns', pack.columns);
    this.ask(pack.blank.repeat(pack.rows * pack.columns));
  }

  /** Shows a puzzle that is to be asked. */
  ask(text) {
    this.puzzle = Array.from(text);
    this.cells.forEach((field, at) => this.show(field, at, this.puzzle[at], ''));
  }

  /** Shows what is believed, and what is supposed where that is known; gives how many cells have changed. */
  believe(text, supposed) {
    let changed = 0;
    Array.from(text).forEach((symbol, at) => {
      const field = this.cells[at];
      const before = field.value === '' ? this.pack.blank : field.value;
      const given = this.puzzle[at] !== this.pack.blank;
      const moved = !given && before !== symbol;
      if (moved) changed += 1;
      const how = supposed?.[at] ? 'supposed' : moved ? 'changed' : 'believed';
      // a model may believe something else of a given, which stays what it is
      if (given) this.show(field, at, this.puzzle[at], symbol === this.puzzle[at] ? '' : 'denied');
      else this.show(field, at, symbol, how);
    });
    return changed;
  }

  show(field, at, symbol, how) {
    const { blank, columns } = this.pack;
    const given = this.puzzle[at] !== blank;
    field.value = symbol === blank ? '' : symbol;
    field.className = given ? `given ${how}`.trim() : how;
    field.dataset.symbol = symbol;
    const place = `row ${Math.floor(at / columns) + 1}, column ${(at % columns) + 1}`;
    field.setAttribute('aria-label', `${place}, ${given ? (how ? 'given, not kept' : 'given') : how || 'blank'}`);
  }

  /** Whether it may be typed into. */
  lock(locked) {
    for (const field of this.cells) field.readOnly = locked;
  }

  typed(event) {
    const field = event.target;
    const { symbols, blank } = this.pack;
    const otherBlank = !symbols.includes(field.value) && '0.'.includes(field.value);
    const symbol = field.value === '' || otherBlank ? blank : field.value;
    const at = Number(field.dataset.at);
    const typed = field.value !== '';
    const taken = symbols.includes(symbol);
    if (taken) this.puzzle[at] = symbol;
    this.ask(this.puzzle.join(''));
    field.select();
    if (!taken) {
      this.refused(symbol);
      return;
    }
    if (typed) this.focus(at + 1);
    this.changed(this.puzzle.join(''));
  }

  moved(event) {
    const { columns } = this.pack;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const step = steps[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.focus(Number(event.target.dataset.at) + step);
  }

  /** One cell of the grid can be reached with the tab key: the last one that was. */
  focus(at) {
    const field = this.cells[at];
    if (!field) return;
    for (const other of this.cells) other.tabIndex = -1;
    field.tabIndex = 0;
    field.focus();
  }
}
