// The marks of videos: which parts of an MP4, MOV or WebM can hold one, and the
// texts in them. Part of provenance.js: it reads bytes, answers with words of
// lists, sends nothing and stores nothing. provenance/video.go of the server is the
// same and says what the parts hold.

import { MAX_BOXES, be16, be32, boxLength } from './claims.js';
import { TEXTS, latin, lower } from './marks.js';

const MAX_TEXT = 1 << 20; // bytes of a text
const MAX_KEYS = 1024;
const MAX_WORD = 200; // bytes of a text's name
const MAX_GATHERED = 8 << 20; // bytes of a file that are read for its marks

// The elements of a WebM or Matroska file.
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const WRITING_APP = 0x5741;
const TAGS = 0x1254c367;
const TAG = 0x7373;
const SIMPLE_TAG = 0x67c8;
const TAG_NAME = 0x45a3;
const TAG_STRING = 0x4487;

export const isMatroska = (b) => latin(b, 0, 4) === '\x1a\x45\xdf\xa3';
export const isMovie = (b) => /^(ftyp|moov|mdat|wide|skip|free)$/.test(latin(b, 4, 4));

// gatherBoxes returns the boxes of a File, an MP4 or MOV, that can hold a mark,
// one after another; of moov, those of its boxes that can.
export async function gatherBoxes(file) {
  const parts = [];
  let [heads, size] = [0, 0];
  const each = async (from, to, found) => {
    for (let at = from; at < to && heads++ < MAX_BOXES; ) {
      const head = new Uint8Array(await file.slice(at, Math.min(at + 16, to)).arrayBuffer());
      const length = boxLength(head, to - at);
      if (length === 0) return;
      await found(latin(head, 4, 4), at, at + (be32(head, 0) === 1 ? 16 : 8), at + length);
      at += length;
    }
  };
  const take = (at, end) => {
    if (size + end - at > MAX_GATHERED) return 0;
    parts.push(file.slice(at, end));
    size += end - at;
    return end - at;
  };
  await each(0, file.size, async (kind, at, body, end) => {
    if (kind === 'uuid') take(at, end);
    if (kind !== 'moov') return;
    const head = new Uint8Array([0, 0, 0, 0, 0x6d, 0x6f, 0x6f, 0x76]);
    let length = head.length;
    parts.push(head);
    size += length;
    await each(body, end, (kind, at, _, end) => {
      if (kind === 'udta' || kind === 'meta') length += take(at, end);
    });
    new DataView(head.buffer).setUint32(0, length);
  });
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// gatherElements returns what the segment of a File, a WebM, says of itself.
export async function gatherElements(file) {
  const parts = [];
  let [inside, size] = [false, 0];
  for (let at = 0, n = 0; at < file.size && n < MAX_BOXES; n++) {
    const { id, head, length } = element(new Uint8Array(await file.slice(at, at + 12).arrayBuffer()));
    if (head === 0) break;
    if (id === SEGMENT && !inside) {
      inside = true;
      at += head;
      continue;
    }
    const end = at + head + length;
    if (end > file.size) break;
    if (inside && (id === INFO || id === TAGS) && size + end - at <= MAX_GATHERED) {
      parts.push(file.slice(at, end));
      size += end - at;
    }
    at = end;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// number reads one of 1 to most bytes, which says its length by the zero bits at
// its beginning; null if there is none.
function number(b, most) {
  const n = b.length > 0 ? Math.clz32(b[0]) - 23 : most + 1;
  if (n > most || n > b.length) return null;
  const rest = b.subarray(1, n);
  let whole = b[0];
  for (const byte of rest) whole = whole * 0x100 + byte;
  const low = b[0] & (0xff >> n);
  let value = low;
  for (const byte of rest) value = value * 0x100 + byte;
  const ones = low === 0xff >> n && rest.every((byte) => byte === 0xff);
  return { n, whole, value: ones ? Infinity : value };
}

// element reads the head of one; head is 0 if it is not whole.
function element(b) {
  const id = number(b, 4);
  const length = id && number(b.subarray(id.n), 8);
  if (!length) return { id: 0, head: 0, length: 0 };
  return { id: id.whole, head: id.n + length.n, length: length.value };
}

// elements yields the elements in b, the last one as far as it goes.
function* elements(found, b) {
  for (let rest = b; rest.length > 0; ) {
    const { id, head, length } = element(rest);
    if (++found.boxes > MAX_BOXES || head === 0) return;
    const end = Math.min(head + length, rest.length);
    yield { id, body: rest.subarray(head, end) };
    rest = rest.subarray(end);
  }
}

export function matroska(found, b) {
  for (const { id, body } of elements(found, b)) if (id === SEGMENT) segment(found, body);
}

export function segment(found, b) {
  for (const { id, body } of elements(found, b)) {
    if (id === INFO) {
      for (const app of elements(found, body)) if (app.id === WRITING_APP) tagged(found, 'software', app.body, 'tags');
    }
    if (id !== TAGS) continue;
    for (const tag of elements(found, body)) {
      if (tag.id !== TAG) continue;
      for (const simple of elements(found, tag.body)) if (simple.id === SIMPLE_TAG) simpleTag(found, simple.body);
    }
  }
}

function simpleTag(found, b) {
  let name = '';
  let text = new Uint8Array(0);
  for (const { id, body } of elements(found, b)) {
    if (id === TAG_NAME) name = latin(body, 0, MAX_WORD);
    if (id === TAG_STRING) text = body;
  }
  tagged(found, name, text, 'tags');
}

// tagged reads a text that a video holds under a name.
function tagged(found, name, text, part) {
  const key = lower(name).replace(/^com\.apple\.quicktime\./, '');
  if (TEXTS.get(key)) found.text(key, text.subarray(0, MAX_TEXT), part);
}

// ITUNES are the names of texts that stand in an ilst without a key.
const ITUNES = new Map([
  ['\xa9too', 'software'],
  ['\xa9swr', 'software'],
  ['\xa9cmt', 'comment'],
  ['\xa9des', 'description'],
  ['desc', 'description'],
]);

// movie reads what a moov holds: XMP and texts in udta, and texts in meta.
export function movie(found, b) {
  for (const { kind, body } of found.boxesOf(b)) if (kind === 'meta') list(found, body);
  for (const { kind, body } of found.boxesOf(b)) {
    if (kind !== 'udta') continue;
    for (const { kind: inner, body: text } of found.boxesOf(body)) {
      if (inner === 'XMP_') found.xmp(text, 'udta');
      else if (inner === 'meta') list(found, text);
      else if (ITUNES.has(inner) && text.length >= 4) tagged(found, ITUNES.get(inner), text.subarray(4, 4 + be16(text, 0)), 'udta');
    }
  }
}

function list(found, meta) {
  const b = latin(meta, 4, 4) === 'hdlr' ? meta : meta.subarray(4);
  const keys = [];
  for (const { kind, body } of found.boxesOf(b)) {
    if (kind !== 'keys') continue;
    for (let rest = body.subarray(8); rest.length >= 8 && keys.length < MAX_KEYS; ) {
      const n = be32(rest, 0);
      if (n < 8 || n > rest.length) break;
      keys.push(latin(rest, 8, Math.min(n - 8, MAX_WORD)));
      rest = rest.subarray(n);
    }
  }
  for (const { kind, body } of found.boxesOf(b)) {
    if (kind !== 'ilst') continue;
    for (const { kind: named, body: value, whole } of found.boxesOf(body)) {
      const name = keys[be32(whole, 4) - 1] ?? ITUNES.get(named) ?? '';
      for (const { kind: inner, body: text } of found.boxesOf(value)) if (inner === 'data') tagged(found, name, text.subarray(8), 'ilst');
    }
  }
}
