// The worker: takes one picture at a time and answers with its fingerprints, so
// that the page stays usable meanwhile. It runs on this device. It sends nothing
// over the network, and never says the name of a file.
//
// On start it posts {ready: true, exact}; exact is false where the browser does
// not offer SHA-256 (a page that is not https).
//
// It takes {id, file}, posts {id, progress} (0 to 1) on the way, and ends with
// {id, result}, where result is one of
//   {ok: true, kind, sha256, marks, pdq, quality, dihedral, unbordered, width, height, animated, ms}
//   {ok: true, kind: "video", sha256, marks, ms}
//   {ok: false, code, sha256, marks, ms}
// kind: jpeg, png, gif, webp, avif or heic. sha256 is "" where there is none: on
// plain http, and for a video of more than 256 MiB or than the device's memory, as
// the browser can only take a whole file at once. code: not_picture; truncated
// (its end is missing); too_large (bytes); too_many_pixels; unsupported (this
// browser cannot read that format, or protects itself against reading pixels;
// sha256 still holds); failed. marks: what the file says of how it was made, see
// provenance.js. unbordered: {pdq, quality, dihedral, width, height} of what is within
// the uniform borders of the picture, see inside.js; null where there are none, or
// where that is too flat to be told from others.
// Of an animated picture only the first image is read.
//
// A worker cannot play a video: the page takes its images, see video.js, and
// gives each as {id, image}. The answer is {id, hashed: {pdq, quality, unbordered}},
// or {id, hashed: null} where pixels cannot be read.

import { FingerprintError, pdqStream, sha256Hex } from './fingerprint.js';
import { Edges, inside } from './inside.js';
import { leadingMarks, readMarks } from './provenance.js';
import { sniff } from './sniff.js';

const MIB = 1024 * 1024;
const MAX_BYTES = 64 * MIB;
const MAX_VIDEO_BYTES = 500 * MIB;
const MAX_EXACT_BYTES = 256 * MIB;
const MAX_PIXELS = 100_000_000;
const STRIP_PIXELS = 1 << 18; // read from the canvas at a time
const NARROW = 64; // pixels: such a part has a canvas of its own, as columns are high
const MIN_QUALITY = 50; // of what is within borders

const exact = Boolean(globalThis.crypto?.subtle);

self.onmessage = async ({ data: { id, file, image } }) => {
  if (image) {
    self.postMessage({ id, hashed: hashImage(image) });
    return;
  }
  const start = performance.now();
  const progress = (part) => self.postMessage({ id, progress: part });
  const result = { ok: false, sha256: '', marks: [] };
  try {
    Object.assign(result, await examine(file, result, progress), { ok: true });
  } catch (error) {
    result.code = error instanceof FingerprintError ? error.code : 'failed';
  }
  result.ms = Math.round(performance.now() - start);
  self.postMessage({ id, result });
};

async function examine(file, result, progress) {
  progress(0);
  if (sniff(new Uint8Array(await file.slice(0, 4096).arrayBuffer())).format === 'video') {
    if (file.size > MAX_VIDEO_BYTES) throw new FingerprintError('too_large');
    try {
      if (exact && file.size <= MAX_EXACT_BYTES) result.sha256 = await sha256Hex(await file.arrayBuffer());
    } catch {
      // too much for this device's memory: its images are read all the same
    }
    result.marks = await leadingMarks(file).catch(() => []);
    return { kind: 'video' };
  }
  if (file.size > MAX_BYTES) throw new FingerprintError('too_large');
  const bytes = await file.arrayBuffer();
  const head = sniff(new Uint8Array(bytes));
  if (head.format === '') throw new FingerprintError('not_picture');
  if (head.width * head.height > MAX_PIXELS) throw new FingerprintError('too_many_pixels');
  if (head.truncated) throw new FingerprintError('truncated');
  const sum = exact ? sha256Hex(bytes) : ''; // while the picture is decoded
  result.marks = await readMarks(new Uint8Array(bytes)).catch(() => []);
  try {
    progress(0.1);
    // A size that is not known beforehand cannot be limited.
    if (head.format === 'other' || head.width * head.height === 0) throw new FingerprintError('unsupported');
    const bitmap = await decode(file, head.format);
    progress(0.4);
    const { width, height } = bitmap;
    const hashed = hashBitmap(bitmap, (part) => progress(0.4 + 0.6 * part));
    return { kind: head.format, ...hashed, width, height, animated: head.animated };
  } finally {
    result.sha256 = await sum;
  }
}

function hashImage(bitmap) {
  try {
    const { pdq, quality, unbordered } = hashBitmap(bitmap, () => {});
    return { pdq, quality, unbordered };
  } catch {
    return null;
  }
}

function hashBitmap(bitmap, progress) {
  try {
    if (bitmap.width * bitmap.height > MAX_PIXELS) throw new FingerprintError('too_many_pixels');
    return readPixels(bitmap, progress);
  } finally {
    bitmap.close();
  }
}

// decode turns the photo upright as its EXIF data asks, and takes the colours as
// they are in the file, as the other fingerprinting programs do.
async function decode(file, format) {
  const options = { imageOrientation: 'from-image', colorSpaceConversion: 'none', premultiplyAlpha: 'none' };
  try {
    try {
      return await createImageBitmap(file, options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return await createImageBitmap(file); // a browser that does not know the options
    }
  } catch {
    throw new FingerprintError(format === 'heic' || format === 'avif' ? 'unsupported' : 'failed');
  }
}

// readPixels hashes the picture, and what is within its borders. Transparency is
// ignored, as in package pdq, as far as a canvas can: it gives back a see-through
// colour roughly, and black where nothing at all shows.
function readPixels(bitmap, progress) {
  const { width, height } = bitmap;
  const canvas = canvasOf(width, height);
  if (!canvas || !readsBackTruly(canvas)) throw new FingerprintError('unsupported');
  copying(canvas);
  const edges = new Edges(width, height);
  const stream = pdqStream(width, height);
  readPart(canvas, bitmap, { left: 0, top: 0, right: width, bottom: height }, (data, rows) => {
    edges.push(data, rows);
    stream.push(data, rows);
    progress(edges.y / height);
  });
  const { hash, quality, dihedral } = stream.finish();
  const unbordered = edges.even() ? hashInside(canvas, bitmap, progress) : null;
  return { pdq: hash, quality, dihedral, unbordered };
}

// hashInside hashes what is within the borders, or returns null.
function hashInside(canvas, bitmap, progress) {
  const narrow = canvasOf(NARROW, bitmap.height);
  if (!narrow) return null; // there is the hash of the whole
  copying(narrow);
  const part = inside(bitmap.width, bitmap.height, ({ left, top, right, bottom }) => {
    progress(1);
    const [width, height] = [right - left, bottom - top];
    const data = new Uint8ClampedArray(width * height * 4);
    let at = 0;
    readPart(width < NARROW ? narrow : canvas, bitmap, { left, top, right, bottom }, (some) => {
      data.set(some, at);
      at += some.length;
    });
    return data;
  });
  if (!part) return null;
  const [width, height] = [part.right - part.left, part.bottom - part.top];
  const stream = pdqStream(width, height, { part: true });
  readPart(canvas, bitmap, part, (data, rows) => {
    stream.push(data, rows);
    progress(1);
  });
  const { hash, quality, dihedral } = stream.finish();
  return quality < MIN_QUALITY ? null : { pdq: hash, quality, dihedral, width, height };
}

// readPart reads a part of the picture strip after strip, and gives each to take:
// phones limit the size of a canvas far below that of their own photos.
function readPart(context, bitmap, { left, top, right, bottom }, take) {
  const width = right - left;
  for (let y = top; y < bottom; y += context.canvas.height) {
    const rows = Math.min(context.canvas.height, bottom - y);
    context.drawImage(bitmap, left, y, width, rows, 0, 0, width, rows);
    take(context.getImageData(0, 0, width, rows).data, rows);
  }
}

function canvasOf(width, height) {
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
  return new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true });
}

function copying(context) {
  context.globalCompositeOperation = 'copy';
  context.imageSmoothingEnabled = false;
}

// readsBackTruly draws known colours and reads them again. Browsers that defend
// against tracking return noise instead, and the fingerprint would be wrong.
function readsBackTruly(context) {
  const width = Math.min(16, context.canvas.width);
  for (let x = 0; x < width; x++) {
    context.fillStyle = `rgb(${x * 16}, ${255 - x * 16}, ${(x * 80) % 256})`;
    context.fillRect(x, 0, 1, 1);
  }
  const { data } = context.getImageData(0, 0, width, 1);
  let off = 0;
  for (let x = 0; x < width; x++) {
    const want = [x * 16, 255 - x * 16, (x * 80) % 256];
    for (let c = 0; c < 3; c++) off += Math.abs(data[x * 4 + c] - want[c]);
  }
  return off <= width * 3 * 2; // some add a touch of noise, which does no harm
}

if (self.OffscreenCanvas && self.createImageBitmap) self.postMessage({ ready: true, exact });
