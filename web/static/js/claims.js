// The boxes in which C2PA manifests stand (JUMBF, and the ISO boxes that it shares
// with AVIF, HEIC, JPEG XL and MP4), and the claims in them. Part of provenance.js:
// it reads bytes, answers with words of lists, sends nothing and stores nothing.
// Signatures are not verified.

import { known, latin, namedSources, sourceOf } from './marks.js';

const MAX_MARKS = 12;
export const MAX_BOXES = 4096; // JUMBF or ISO boxes
const MAX_DEPTH = 16; // of nested CBOR
const MAX_ITEMS = 100_000; // CBOR values
const MAX_SPENT = 16 << 20; // bytes of texts that are searched
const MAX_WORD = 200; // bytes of a text that are kept
const MAX_TEXT = 1 << 20; // bytes of a JSON assertion

export const be16 = (b, at) => (b[at] << 8) | b[at + 1];
export const be32 = (b, at) => be16(b, at) * 0x10000 + be16(b, at + 2);
const be64 = (b, at) => be32(b, at) * 0x100000000 + be32(b, at + 4);

// boxLength returns the length of the box that begins b, or 0 if it is not one
// of at most `most` bytes.
export function boxLength(b, most) {
  if (b.length < 8) return 0;
  let [head, n] = [8, be32(b, 0)];
  if (n === 0) n = most;
  else if (n === 1 && b.length >= 16) [head, n] = [16, be64(b, 8)];
  return n < head || n > most ? 0 : n;
}

// Claims collects the marks of one file, and counts what reading them costs.
export class Claims {
  marks = [];
  boxes = 0;
  items = 0;
  spent = 0;

  add(kind, part, key, { generator = '', source = '', signature = '' } = {}) {
    const mark = { kind, part, key };
    if (generator) mark.generator = generator;
    if (source) mark.source = source;
    if (signature) mark.signature = signature;
    const same = (other) => JSON.stringify(other) === JSON.stringify(mark);
    if (this.marks.length < MAX_MARKS && !this.marks.some(same)) this.marks.push(mark);
  }

  spend(n) {
    this.spent += n;
    return this.spent <= MAX_SPENT;
  }

  // box cuts the first box from b: {kind, body, rest}, or null.
  box(b) {
    if (++this.boxes > MAX_BOXES || b.length < 8) return null;
    const n = boxLength(b, b.length);
    if (n === 0) return null;
    const head = be32(b, 0) === 1 && b.length >= 16 ? 16 : 8;
    return { kind: latin(b, 4, 4), body: b.subarray(head, n), rest: b.subarray(n), whole: b.subarray(0, n) };
  }

  // boxesOf yields the boxes in b.
  *boxesOf(b) {
    for (let next = b; next.length > 0; ) {
      const box = this.box(next);
      if (!box) return;
      yield box;
      next = box.rest;
    }
  }

  // supers yields the superboxes in b: {kind, label, inside}.
  *supers(b) {
    for (const { kind, body } of this.boxesOf(b)) {
      if (kind !== 'jumb') continue;
      const d = this.box(body);
      if (d?.kind !== 'jumd' || d.body.length < 17) continue;
      const label = d.body[16] & 2 ? latin(d.body, 17, MAX_WORD).split('\0')[0] : '';
      yield { kind: latin(d.body, 0, 4), label, inside: d.rest };
    }
  }

  jumbf(b, part) {
    for (const { label, inside } of this.supers(b)) if (label === 'c2pa') this.store(inside, part);
  }

  store(b, part) {
    const all = [];
    for (const { kind, inside } of this.supers(b)) if (['c2ma', 'c2um', 'c2cm'].includes(kind)) all.push(this.manifest(inside));
    all.forEach((m, i) => {
      const active = i === all.length - 1;
      const generator = m.generator || m.agent;
      if (!active && !generator && m.sources.length === 0) return;
      const signature = m.signed ? 'not_verified' : 'missing';
      for (const source of m.sources.length > 0 ? m.sources : ['']) {
        this.add('c2pa', part, active ? 'manifest' : 'ingredient', { generator, source, signature });
      }
    });
  }

  manifest(b) {
    const m = { generator: '', agent: '', sources: [], signed: false };
    for (const { kind, inside } of this.supers(b)) {
      if (kind === 'c2as') this.assertions(inside, m);
      if (kind === 'c2cs') m.signed = true;
      if (kind !== 'c2cl') continue;
      const box = this.box(inside);
      if (box?.kind === 'cbor') this.claim(asMap(this.cbor(box.body)), m);
    }
    return m;
  }

  claim(claim, m) {
    let info = claim.get('claim_generator_info');
    if (Array.isArray(info) && info.length > 0) info = info[0];
    m.generator = known(program(info)) || known(program(claim.get('claim_generator')));
  }

  assertions(b, m) {
    for (const { label, inside } of this.supers(b)) {
      const actions = label.startsWith('c2pa.actions');
      if (!actions && label !== 'c2pa.metadata' && !label.startsWith('stds.iptc') && !label.startsWith('stds.metadata')) continue;
      const box = this.box(inside);
      if (box?.kind === 'cbor' && actions) this.actions(asMap(this.cbor(box.body)), m);
      else if (box?.kind === 'json') namedSources(latin(box.body, 0, MAX_TEXT)).forEach((source) => from(source, m));
    }
  }

  actions(top, m) {
    const list = top.get('actions');
    for (const one of Array.isArray(list) ? list : []) {
      const action = asMap(one);
      const type = action.get('digitalSourceType');
      if (typeof type === 'string') from(sourceOf(type), m);
      m.agent ||= known(program(action.get('softwareAgent')));
    }
  }

  cbor(b) {
    const reader = new CBOR(b, this.items);
    try {
      return reader.value(0);
    } catch {
      return null;
    } finally {
      this.items = reader.items;
    }
  }
}

const asMap = (v) => (v instanceof Map ? v : new Map());

function program(v) {
  const name = v instanceof Map ? v.get('name') : v;
  return typeof name === 'string' ? name : '';
}

function from(source, m) {
  if (source && !m.sources.includes(source)) m.sources.push(source);
}

// BREAK is the end of a list or a map whose length was not said.
const BREAK = Symbol('break');

// A CBOR reads one value: maps as Map, lists as Array, texts cut to MAX_WORD
// bytes, null for all else. It throws on what is damaged or beyond a limit.
class CBOR {
  constructor(b, items) {
    this.b = b;
    this.at = 0;
    this.items = items;
  }

  head() {
    if (++this.items > MAX_ITEMS || this.at >= this.b.length) throw new Error('cbor');
    const [major, info] = [this.b[this.at] >> 5, this.b[this.at] & 31];
    this.at++;
    if (info < 24) return { major, n: info, open: false };
    if (info === 31) return { major, n: 0, open: true };
    const size = 1 << (info - 24);
    if (info > 27 || this.b.length - this.at < size) throw new Error('cbor');
    let n = 0;
    for (let i = 0; i < size; i++) n = n * 256 + this.b[this.at++];
    return { major, n, open: false };
  }

  // value never returns BREAK, but throws it.
  value(depth) {
    const { major, n, open } = this.head();
    if (depth > MAX_DEPTH || (open && (major === 0 || major === 1 || major === 6))) throw new Error('cbor');
    if (major === 2 || major === 3) {
      const text = this.bytes(n, open);
      return major === 3 ? text : null;
    }
    if (major === 4) {
      const list = [];
      for (let i = 0; open || i < n; i++) {
        const v = this.member(depth, open);
        if (v === BREAK) break;
        list.push(v);
      }
      return list;
    }
    if (major === 5) {
      const map = new Map();
      for (let i = 0; open || i < n; i++) {
        const key = this.member(depth, open);
        if (key === BREAK) break;
        const v = this.member(depth, false);
        if (typeof key === 'string') map.set(key, v);
      }
      return map;
    }
    if (major === 6) return this.member(depth, false);
    if (major === 7 && open) throw BREAK;
    return null; // numbers, true, false, null
  }

  // member reads a value inside another one; a break is one only where open.
  member(depth, open) {
    try {
      return this.value(depth + 1);
    } catch (error) {
      if (error === BREAK && open) return BREAK;
      throw new Error('cbor');
    }
  }

  bytes(n, open) {
    if (!open) {
      if (n > this.b.length - this.at) throw new Error('cbor');
      const text = latin(this.b, this.at, Math.min(n, MAX_WORD));
      this.at += n;
      return text;
    }
    let all = '';
    for (;;) {
      const piece = this.head();
      if (piece.open && piece.major === 7) return all;
      if (piece.open) throw new Error('cbor');
      const text = this.bytes(piece.n, false);
      if (piece.major !== 2 && piece.major !== 3) throw new Error('cbor');
      all += text.slice(0, MAX_WORD - all.length);
    }
  }
}
