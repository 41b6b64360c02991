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
const ROWS = 4; // blurred at a time
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
// a phone never holds a second copy of it: push(data, rows), then finish(). Of a
// part of a picture, a 64 x 64 one is blurred like all others, as package media
// takes the hash of a part from its turned and flipped ones.
//
// A blurred value is the average of a window around it, cut at the picture's
// edges: the sum that was there, plus what enters, minus what leaves. Beyond the
// edges stand zeros, as adding or taking away 0 changes no bit. Rows go four at a
// time, because a processor adds four sums that do not wait for each other in
// about the time of one.
export function pdqStream(width, height, { part = false } = {}) {
  if (width < 5 || height < 5) {
    const nothing = { hash: ZERO, quality: 0, dihedral: new Array(8).fill(ZERO) };
    return { push() {}, finish: () => nothing };
  }
  const across = windows(width);
  const stride = across.size + width + across.ahead; // a row between its zeros
  const luma = new Float32Array(ROWS * stride);
  const once = new Float32Array(ROWS * width);
  const twice = new Float32Array(ROWS * stride);
  const picked = new Float32Array(ROWS * SIDE);
  const pick = (n) => Array.from({ length: SIDE }, (_, i) => Math.floor(((i + 0.5) * n) / SIDE));
  const [pickRow, pickColumn] = [pick(height), pick(width)];
  const small = new Float32Array(SIDE * SIDE);
  const raw = width === SIDE && height === SIDE && !part ? new Float32Array(SIDE * SIDE) : null;
  let [rowIn, rowMid, rowOut] = [0, 0, 0];

  // Two rounds of blur, each along the rows and then down the columns. Columns do
  // not mix, so the last step only runs on the 64 columns that are kept.
  const second = columnBlur(SIDE, height, (sums, inverse) => {
    for (let i = 0; i < SIDE; i++) if (pickRow[i] === rowOut) scale(sums, inverse, small, i * SIDE);
    rowOut++;
  });
  const first = columnBlur(width, height, (sums, inverse) => {
    scale(sums, inverse, twice, (rowMid % ROWS) * stride + across.size);
    rowMid++;
    if (rowMid % ROWS !== 0 && rowMid < height) return;
    rowBlurAt(twice, stride, across, pickColumn, picked);
    for (let i = 0; i <= (rowMid - 1) % ROWS; i++) second(picked, i * SIDE);
  });

  return {
    push(data, rows) {
      if (data.length < rows * width * 4 || rowIn + rows > height) throw new FingerprintError('failed');
      for (let y = 0; y < rows; ) {
        const n = Math.min(ROWS, rows - y);
        for (let i = 0; i < n; i++) brightness(data, (y + i) * width * 4, luma, i * stride + across.size, width);
        rowBlur(luma, stride, across, once, width);
        for (let i = 0; i < n; i++) {
          const at = i * stride + across.size;
          if (raw) raw.set(luma.subarray(at, at + SIDE), (rowIn + i) * SIDE);
          first(once, i * width);
        }
        rowIn += n;
        y += n;
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

// windows describes the blur of n values: the window's size, how far it reaches
// ahead of the value that it is for, and for each value 1 / the number of values
// in its window. Multiplying by that in 64 bits and rounding to 32 gives the bits
// of the division: a quotient of a 24-bit number by a small whole number is never
// near enough to the middle of two 32-bit numbers for the 64-bit error to count.
function windows(n) {
  const size = Math.ceil(n / 128);
  const ahead = (size + 2) >> 1;
  const inverses = Float64Array.from({ length: n }, (_, i) => 1 / (Math.min(n, i + ahead) - Math.max(0, i + ahead - size)));
  return { size, ahead, inverses };
}

// brightness writes the luma of n pixels.
export function brightness(data, from, out, to, n) {
  for (let j = 0; j < n; j++, from += 4) {
    out[to + j] = f32(RED[data[from]] + GREEN[data[from + 1]]) + BLUE[data[from + 2]];
  }
}

// rowBlur writes to out the blurred values of four rows of n.
function rowBlur(rows, stride, { size, ahead, inverses }, out, n) {
  const [two, three] = [2 * stride, 3 * stride];
  const [n2, n3] = [2 * n, 3 * n];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let right = size; right < size + ahead - 1; right++) {
    a = f32(a + rows[right]);
    b = f32(b + rows[right + stride]);
    c = f32(c + rows[right + two]);
    d = f32(d + rows[right + three]);
  }
  for (let to = 0, left = ahead - 1, right = left + size; to < n; to++, left++, right++) {
    a = f32(f32(a + rows[right]) - rows[left]);
    b = f32(f32(b + rows[right + stride]) - rows[left + stride]);
    c = f32(f32(c + rows[right + two]) - rows[left + two]);
    d = f32(f32(d + rows[right + three]) - rows[left + three]);
    const inverse = inverses[to];
    out[to] = a * inverse;
    out[to + n] = b * inverse;
    out[to + n2] = c * inverse;
    out[to + n3] = d * inverse;
  }
}

// rowBlurAt is rowBlur for the 64 columns that are kept.
function rowBlurAt(rows, stride, { size, ahead, inverses }, columns, out) {
  const [two, three] = [2 * stride, 3 * stride];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0, left = 0, right = size; k < SIDE; k++) {
    for (const end = columns[k] + ahead; left < end; left++, right++) {
      a = f32(f32(a + rows[right]) - rows[left]);
      b = f32(f32(b + rows[right + stride]) - rows[left + stride]);
      c = f32(f32(c + rows[right + two]) - rows[left + two]);
      d = f32(f32(d + rows[right + three]) - rows[left + three]);
    }
    const inverse = inverses[columns[k]];
    out[k] = a * inverse;
    out[k + SIDE] = b * inverse;
    out[k + 2 * SIDE] = c * inverse;
    out[k + 3 * SIDE] = d * inverse;
  }
}

// columnBlur is the same down every column at once, for n rows that come one
// after another; emit gets the sums of each finished row and what to multiply
// them by. Only the rows of the window are kept.
function columnBlur(width, n, emit) {
  const { size, ahead, inverses } = windows(n);
  const sums = new Float32Array(width);
  const kept = new Float32Array(width * size);
  const zeros = new Float32Array(width);
  let row = 1 - ahead; // the one that the next values finish
  const take = (rows, at) => {
    slide(sums, rows, at, kept, ((row + ahead - 1) % size) * width);
    if (row >= 0) emit(sums, inverses[row]);
    row++;
    if (row === n - ahead + 1) while (row < n) take(zeros, 0);
  };
  return take;
}

// slide adds the values that enter the window and takes away those that leave it.
function slide(sums, rows, at, kept, old) {
  for (let j = 0; j < sums.length; j++) {
    const value = rows[at + j];
    sums[j] = f32(sums[j] + value) - kept[old + j];
    kept[old + j] = value;
  }
}

function scale(sums, inverse, out, at) {
  for (let j = 0; j < sums.length; j++) out[at + j] = sums[j] * inverse;
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
