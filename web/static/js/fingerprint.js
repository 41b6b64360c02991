// Fingerprints of a picture, computed on this device.
//
// What this file does: it reads the bytes and the pixels of a picture that was
// chosen on this page, and works out two short values from them.
//   - PDQ, 64 characters: looks alike for pictures that look alike, so that a
//     copy is recognised after it was shrunk or saved again. The picture cannot
//     be drawn again from it.
//   - SHA-256, 64 characters: the same only for an exact copy of the file.
//
// What this file never does: it sends nothing, stores nothing, draws nothing on
// the page, and does not know the name of the file. There is no network call in
// it, and the page's security policy (no connect-src) would refuse one.
//
// PDQ follows the public reference (facebook/ThreatExchange, pdq/cpp) at full
// size, without its optional shrinking. Every step is rounded to 32 bits, in the
// reference's order, because the order decides the last bits: Math.fround rounds
// a value, and storing into a Float32Array rounds too.

const f32 = Math.fround;
const SIDE = 64; // the picture is brought down to 64 x 64 values
const FREQ = 16; // of which the 16 x 16 lowest frequencies are kept
const ZERO = '0'.repeat(64);

// What one red, green or blue level adds to the brightness.
const weigh = (w) => Float32Array.from({ length: 256 }, (_, level) => f32(w) * level);
const [RED, GREEN, BLUE] = [weigh(0.299), weigh(0.587), weigh(0.114)];

// The cosine matrix, frequencies 1 to 16: the average brightness is left out.
const COSINES = new Float32Array(FREQ * SIDE);
for (let i = 0; i < FREQ; i++) {
  for (let j = 0; j < SIDE; j++) {
    COSINES[i * SIDE + j] = f32(Math.sqrt(2 / SIDE)) * Math.cos((Math.PI / 128) * (i + 1) * (2 * j + 1));
  }
}

// A FingerprintError carries a code that a page can turn into a sentence.
export class FingerprintError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

// pdqFromRGBA returns {hash, quality, dihedral} of width x height pixels, four
// bytes each; the fourth, transparency, is ignored. hash is 64 lower-case hex
// digits; quality is 0 to 100, and under 50 the hash is too vague to recognise a
// picture; dihedral holds the hashes of the original, turned by 90, 180 and 270
// degrees (counter-clockwise), flipped top to bottom, left to right, and along
// both diagonals.
export function pdqFromRGBA(data, width, height) {
  const stream = pdqStream(width, height);
  stream.push(data, height);
  return stream.finish();
}

// pdqStream is pdqFromRGBA for a picture that comes some rows at a time, so that
// a phone never holds a second copy of it: push(data, rows), then finish().
export function pdqStream(width, height) {
  if (width < 5 || height < 5) {
    const nothing = { hash: ZERO, quality: 0, dihedral: new Array(8).fill(ZERO) };
    return { push() {}, finish: () => nothing };
  }
  const window = Math.ceil(width / 128);
  const raw = width === SIDE && height === SIDE ? new Float32Array(SIDE * SIDE) : null;
  const small = new Float32Array(SIDE * SIDE);
  const line = new Float32Array(width);
  const smooth = new Float32Array(width);
  const picked = new Float32Array(SIDE);
  const pick = (n) => Array.from({ length: SIDE }, (_, i) => Math.floor(((i + 0.5) * n) / SIDE));
  const [pickRow, pickColumn] = [pick(height), pick(width)];
  let rowIn = 0;
  let rowOut = 0;

  // Two rounds of blur, each along the rows and then down the columns. Columns do
  // not mix, so the last step only runs on the 64 columns that are kept.
  const second = columnBlur(SIDE, height, (row) => {
    for (let i = 0; i < SIDE; i++) if (pickRow[i] === rowOut) small.set(row, i * SIDE);
    rowOut++;
  });
  const first = columnBlur(width, height, (row) => {
    rowBlur(row, window, smooth);
    for (let j = 0; j < SIDE; j++) picked[j] = smooth[pickColumn[j]];
    second(picked);
  });

  return {
    push(data, rows) {
      if (data.length < rows * width * 4 || rowIn + rows > height) throw new FingerprintError('failed');
      for (let at = 0, end = rows * width * 4; at < end; rowIn++) {
        for (let j = 0; j < width; j++, at += 4) {
          line[j] = f32(RED[data[at]] + GREEN[data[at + 1]]) + BLUE[data[at + 2]];
        }
        if (raw) raw.set(line, rowIn * SIDE);
        rowBlur(line, window, smooth);
        first(smooth);
      }
    },
    finish() {
      if (rowIn !== height) throw new FingerprintError('failed');
      // The reference does not blur a picture that is 64 x 64 already, but does so
      // for its turned and flipped hashes.
      const plain = raw || small;
      return { hash: hex(cosines(plain)), quality: quality(plain), dihedral: dihedral(cosines(small)) };
    },
  };
}

// rowBlur writes to out the running average of line over a window of w values.
function rowBlur(line, w, out) {
  const n = line.length;
  const half = (w + 2) >> 1;
  let [sum, count, right, left, to] = [0, 0, 0, 0, 0];
  while (right < half - 1) {
    sum = f32(sum + line[right++]);
    count++;
  }
  while (right < w) {
    sum = f32(sum + line[right++]);
    out[to++] = sum / ++count;
  }
  while (right < n) {
    sum = f32(f32(sum + line[right++]) - line[left++]);
    out[to++] = sum / count;
  }
  while (to < n) {
    sum = f32(sum - line[left++]);
    out[to++] = sum / --count;
  }
}

// columnBlur is the same average, down every column at once, for n rows that come
// one after another; emit gets each finished row. Only the window is kept.
function columnBlur(width, n, emit) {
  const w = Math.ceil(n / 128);
  const half = (w + 2) >> 1;
  const sums = new Float32Array(width);
  const kept = new Float32Array(width * w);
  const out = new Float32Array(width);
  let seen = 0;
  let count = 0;
  const write = () => {
    for (let j = 0; j < width; j++) out[j] = sums[j] / count;
    emit(out);
  };
  return (line) => {
    const old = kept.subarray((seen % w) * width, (seen % w) * width + width);
    if (seen < w) {
      for (let j = 0; j < width; j++) sums[j] += line[j];
      count++;
    } else {
      for (let j = 0; j < width; j++) sums[j] = f32(sums[j] + line[j]) - old[j];
    }
    old.set(line);
    seen++;
    if (seen >= half) write();
    if (seen < n) return;
    for (let left = n - w; left < n - w + half - 1; left++) {
      const at = (left % w) * width;
      for (let j = 0; j < width; j++) sums[j] -= kept[at + j];
      count--;
      write();
    }
  };
}

// quality adds up the differences between neighbours: a flat picture has none.
function quality(a) {
  const step = (u, v) => Math.abs(Math.trunc(f32(f32(f32(u - v) * 100) / 255)));
  let sum = 0;
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      if (i + 1 < SIDE) sum += step(a[i * SIDE + j], a[(i + 1) * SIDE + j]);
      if (j + 1 < SIDE) sum += step(a[i * SIDE + j], a[i * SIDE + j + 1]);
    }
  }
  return Math.min(100, Math.floor(sum / 90));
}

// cosines turns 64 x 64 values into the strength of 16 x 16 frequencies.
function cosines(a) {
  const half = new Float32Array(FREQ * SIDE);
  const out = new Float32Array(FREQ * FREQ);
  for (let i = 0; i < FREQ; i++) {
    for (let j = 0; j < SIDE; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) sum = f32(sum + f32(COSINES[i * SIDE + k] * a[k * SIDE + j]));
      half[i * SIDE + j] = sum;
    }
  }
  for (let i = 0; i < FREQ; i++) {
    for (let j = 0; j < FREQ; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) sum = f32(sum + f32(half[i * SIDE + k] * COSINES[j * SIDE + k]));
      out[i * FREQ + j] = sum;
    }
  }
  return out;
}

// hex writes one bit a frequency: is it stronger than the lower median?
function hex(b) {
  const median = b.slice().sort()[b.length / 2 - 1];
  let text = '';
  for (let k = b.length - 4; k >= 0; k -= 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) if (b[k + bit] > median) digit |= 1 << bit;
    text += digit.toString(16);
  }
  return text;
}

// dihedral turns and flips the frequencies, which is nearly the same as hashing
// the turned or flipped picture.
function dihedral(a) {
  const make = (turned, negate) => {
    const b = new Float32Array(FREQ * FREQ);
    for (let i = 0; i < FREQ; i++) {
      for (let j = 0; j < FREQ; j++) {
        const value = a[i * FREQ + j];
        b[turned ? j * FREQ + i : i * FREQ + j] = negate(i, j) ? -value : value;
      }
    }
    return hex(b);
  };
  const even = (n) => n % 2 === 0;
  return [
    make(false, () => false), // original
    make(true, (i, j) => even(j)), // turned by 90
    make(false, (i, j) => !even(i + j)), // by 180
    make(true, (i) => even(i)), // by 270
    make(false, (i) => even(i)), // top to bottom
    make(false, (i, j) => even(j)), // left to right
    make(true, () => false), // along the main diagonal
    make(true, (i, j) => !even(i + j)), // along the other one
  ];
}

// sha256Hex returns the SHA-256 of buffer. Browsers offer it on https and on
// localhost only; elsewhere it throws a FingerprintError "no_secure_context".
export async function sha256Hex(buffer) {
  if (!globalThis.crypto?.subtle) throw new FingerprintError('no_secure_context');
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', buffer));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
