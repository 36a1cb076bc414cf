// Three small charts over the same segments: how far z_H moved, cells that changed, and the halting head.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 600;
const HEIGHT = 74;
/** Segments that are shown at most, the last ones. */
const SHOWN = 120;

/** z_H of a guess's first segment has moved from nowhere; of another machine's thought it is not known. */
const ROWS = [
  { name: 'z_H moved', of: (point) => 100 * (point.moved ?? 0), unit: ' %', digits: 1, least: 1,
    none: (point) => point.moved === null || point.segment === 1 },
  { name: 'cells changed', of: (point) => point.changed, unit: '', digits: 0, least: 1 },
  { name: 'q_halt', of: (point) => point.qHalt ?? 0, unit: '', digits: 1, least: 0.1, none: (point) => point.qHalt === null },
];

function element(name, attributes, ...inside) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

class Charts {
  constructor(figure) {
    this.figure = figure;
    this.points = [];
    this.draw();
  }

  clear() {
    this.points = [];
    this.draw();
  }

  add(point) {
    this.points.push(point);
    if (this.points.length > SHOWN) this.points.shift();
    this.draw();
  }

  draw() {
    this.figure.replaceChildren(...ROWS.map((row) => this.chart(row)));
  }

  /** Bars from zero, those of every other guess darker, the answer's marked. */
  chart({ name, of, unit, digits, least, none }) {
    const values = this.points.map(of);
    const told = (value) => `${value.toFixed(digits)}${unit}`;
    const toldOf = (point) => (none?.(point) ? '–' : told(of(point)));
    const most = Math.max(least, ...values);
    const fewest = Math.min(0, ...values);
    const y = (value) => ((most - value) / (most - fewest)) * (HEIGHT - 4) + 2;
    const slot = WIDTH / Math.max(24, this.points.length);
    const bars = this.points.map((point, index) => {
      const [top, bottom] = [y(Math.max(0, values[index])), y(Math.min(0, values[index]))];
      const kind = point.solved ? 'solved' : point.guess % 2 ? 'odd' : 'even';
      return element('rect', {
        class: kind, x: index * slot + 0.1 * slot, width: 0.8 * slot, y: top, height: Math.max(bottom - top, 1),
      }, element('title', {}, `segment ${point.segments}, guess ${point.guess}: ${toldOf(point)}`));
    });
    const last = values.length ? toldOf(this.points.at(-1)) : 'nothing yet';
    const highest = values.length ? `at most ${told(Math.max(...values))}` : '';
    const label = `${name}: ${last}${highest && `, ${highest} in ${values.length} segments shown`}`;
    const axis = element('line', { x1: 0, x2: WIDTH, y1: y(0), y2: y(0), class: 'axis' });
    const frame = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label };
    const title = document.createElement('p');
    title.className = 'small';
    const value = document.createElement('b');
    value.textContent = last;
    const scale = document.createElement('span');
    scale.textContent = highest;
    title.append(name, value, scale);
    const holder = document.createElement('div');
    holder.append(title, element('svg', frame, axis, ...bars));
    return holder;
  }
}
