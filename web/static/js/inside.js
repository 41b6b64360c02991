// What is within the uniform borders of a picture, such as black bars: a copy
// that was padded, or cut out of its bars, is found by what is within.
//
// Everything here is computed on this device, from pixels in memory; nothing is
// sent, stored or drawn on the page.
//
// The rule is package pdq's (inside.go), line for line, as two sides that do not
// agree on what a border is would not find each other's copies. Brightness is in
// whole numbers, 0 to 255, rounded half up. From each side lines are taken away as
// long as each is of the brightness L of the first one, the mean of it: its pixels
// differ from L by at most MEAN on average, and at most one in PARTS by more than
// MOST. Rows come first, then columns, and again, as bars may lie within bars. The
// picture is whole where so little would go that PDQ hardly sees it, or so little
// would be left that it is no picture with a border.

import { brightness } from './fingerprint.js';

const MEAN = 4;
const MOST = 24;
const PARTS = 64;
const ROUNDS = 4;
const LEAST = 32; // 1/LEAST of the rows or of the columns has to go
const KEPT = 64; // pixels that must be left, each way
const REST = 8; // 1/REST of the rows and of the columns must be left
const SIDES = ['top', 'bottom', 'left', 'right'];

const LINES = 16; // read at once after the first of a side

// inside returns {left, top, right, bottom}, the last two one beyond, of what is
// within the borders; null where there are none. read(part) returns the pixels of
// such a part, row after row, four bytes each.
export function inside(width, height, read) {
  if (width < KEPT || height < KEPT) return null;
  let rest = { left: 0, top: 0, right: width, bottom: height };
  for (let round = 0; round < ROUNDS; round++) {
    const before = rest;
    for (const side of SIDES) {
      rest = strip(rest, side, read);
      if (across(rest) < KEPT || down(rest) < KEPT) return null;
    }
    if (across(rest) === across(before) && down(rest) === down(before)) break;
  }
  const [x, y] = [across(rest), down(rest)];
  if ((width - x) * LEAST < width && (height - y) * LEAST < height) return null;
  return x * REST < width || y * REST < height ? null : rest;
}

const across = ({ left, right }) => right - left;
const down = ({ top, bottom }) => bottom - top;

// strip returns part without its border at the side. Of a border that is all of
// part, it leaves one line.
function strip(part, side, read) {
  const columns = side === 'left' || side === 'right';
  const total = columns ? across(part) : down(part);
  const n = columns ? down(part) : across(part); // pixels of a line
  const first = levels(read(lines(part, side, 0, 1)), 0, 1, n);
  const level = mean(first);
  if (!even(first, 0, 1, n, level)) return part;
  let gone = 1;
  while (gone < total - 1) {
    const count = Math.min(LINES, total - 1 - gone);
    const seen = levels(read(lines(part, side, gone, count)), 0, 1, n * count);
    let k = 0;
    for (; k < count; k++) {
      const i = side === 'bottom' || side === 'right' ? count - 1 - k : k;
      if (!(columns ? even(seen, i, count, n, level) : even(seen, i * n, 1, n, level))) break;
    }
    gone += k;
    if (k < count) break;
  }
  return lines(part, side, gone, total - gone);
}

// lines returns n lines of part, from the one that is i lines in from the side.
function lines({ left, top, right, bottom }, side, i, n) {
  if (side === 'top') return { left, top: top + i, right, bottom: top + i + n };
  if (side === 'bottom') return { left, top: bottom - i - n, right, bottom: bottom - i };
  if (side === 'left') return { left: left + i, top, right: left + i + n, bottom };
  return { left: right - i - n, top, right: right - i, bottom };
}

// levels returns the brightness of n pixels, one in step, beginning with `from`.
function levels(data, from, step, n) {
  const luma = new Float32Array(n);
  if (step === 1) brightness(data, from * 4, luma, 0, n);
  else for (let i = 0; i < n; i++) brightness(data, (from + i * step) * 4, luma, i, 1);
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i++) out[i] = Math.min(Math.fround(luma[i] + 0.5), 255);
  return out;
}

function mean(line) {
  const sum = line.reduce((a, b) => a + b, 0);
  return Math.floor((2 * sum + line.length) / (2 * line.length));
}

// even says whether n values, one in step, beginning with `from`, are of a border.
function even(seen, from, step, n, level) {
  let [sum, far] = [0, 0];
  for (let i = 0, at = from; i < n; i++, at += step) {
    const d = Math.abs(seen[at] - level);
    sum += d;
    if (d > MOST) far++;
  }
  return sum <= MEAN * n && far * PARTS <= n;
}

// Edges looks at the outermost line of each side while a picture is read anyway:
// where none of them is even, there is no border, and nothing is read again.
export class Edges {
  constructor(width, height) {
    Object.assign(this, { width, height, y: 0, left: new Uint8Array(height), right: new Uint8Array(height) });
  }

  // push takes the next rows, four bytes a pixel.
  push(data, rows) {
    const { width, y } = this;
    if (y === 0) this.top = levels(data, 0, 1, width);
    this.left.set(levels(data, 0, width, rows), y);
    this.right.set(levels(data, width - 1, width, rows), y);
    this.y += rows;
    if (this.y === this.height) this.bottom = levels(data, (rows - 1) * width, 1, width);
  }

  // even says whether any side may have a border, once all rows were pushed.
  even() {
    return SIDES.some((side) => even(this[side], 0, 1, this[side].length, mean(this[side])));
  }
}
