// What a file says about how it was made: marks that cameras, image generators
// and editors leave in it. Anybody can write such a mark or take it away.
//
// What this file does: it reads the bytes of a file that was chosen on this page
// and answers with words of its own lists: which kind of mark, in which part of
// the file, under which name, and, if they are in the lists below, the program and
// the type of source that the mark names.
//
// What this file never does: it returns no text of the file (a generator's prompt,
// a name, a place), sends nothing, stores nothing. Signatures are not verified.
//
// It is package provenance of the server, step by step, and gives the same
// answers; the comments there say what each part of a file holds. Texts are read
// as bytes, one character each: all that is sought is plain ASCII.

import { Claims, be16, be32 } from './claims.js';
import { TEXTS, graph, job, known, knownAI, latin, lower, recipe, sourceOf, values } from './marks.js';
import { gatherBoxes, gatherElements, isMatroska, isMovie, matroska, movie, segment } from './videomarks.js';

const MAX_TEXT = 1 << 20; // bytes of an XMP packet or a PNG text, inflated
const MAX_JUMBF = 8 << 20; // bytes of a manifest store
const MAX_INFLATED = 16; // texts that are inflated
const MAX_CHUNKS = 1024; // PNG texts, items of a HEIF
const MAX_ENTRIES = 512; // of a TIFF directory
const MAX_WORD = 200; // bytes of a text in which a program's name is sought

// readMarks returns the marks of a file's bytes (a Uint8Array), in the order in
// which they stand in it: {kind, part, key}, and where they have them generator,
// source and signature.
export async function readMarks(bytes) {
  const found = new Found();
  if (has(bytes, 0, '\xff\xd8\xff')) found.jpeg(bytes);
  else if (has(bytes, 0, '\x89PNG\r\n\x1a\n')) await found.png(bytes);
  else if (has(bytes, 0, 'RIFF') && has(bytes, 8, 'WEBP')) found.webp(bytes);
  else if (has(bytes, 0, 'GIF87a') || has(bytes, 0, 'GIF89a')) found.gif(bytes);
  else if (has(bytes, 0, 'II*\0') || has(bytes, 0, 'MM\0*')) found.tiff(bytes, 'tag', true);
  else if (isMatroska(bytes)) matroska(found, bytes);
  else if (isMovie(bytes) || has(bytes, 0, '\0\0\0\x0cJXL ')) found.bmff(bytes);
  return found.marks;
}

// leadingMarks is readMarks for a video, a File, which may be too large to be read
// whole: of its boxes only those that can hold a mark are taken into memory.
export async function leadingMarks(file) {
  const found = new Found();
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  if (isMatroska(head)) segment(found, await gatherElements(file));
  else if (isMovie(head)) found.bmff(await gatherBoxes(file));
  return found.marks;
}

const le16 = (b, at) => (b[at + 1] << 8) | b[at];
const le32 = (b, at) => le16(b, at + 2) * 0x10000 + le16(b, at);

function has(b, at, text) {
  if (at + text.length > b.length) return false;
  for (let i = 0; i < text.length; i++) if (b[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

class Found extends Claims {
  inflated = 0;

  jpeg(b) {
    const pieces = [];
    let [size, instance] = [0, 0];
    for (let at = 2; at + 4 <= b.length; ) {
      const mark = b[at + 1];
      if (b[at] !== 0xff || mark === 0xff) {
        at++;
        continue;
      }
      if (mark === 0 || mark === 1 || (mark >= 0xd0 && mark <= 0xd8)) {
        at += 2;
        continue;
      }
      const n = 2 + be16(b, at + 2);
      if (mark === 0xda || mark === 0xd9 || at + n > b.length) break;
      const body = b.subarray(at + 4, at + Math.max(4, n));
      at += Math.max(4, n);
      if (mark === 0xe1 && has(body, 0, 'Exif\0\0')) this.tiff(body.subarray(6), 'APP1', false);
      else if (mark === 0xe1 && has(body, 0, 'http://ns.adobe.com/xap/1.0/\0')) this.xmp(body.subarray(29), 'APP1');
      else if (mark === 0xed && has(body, 0, 'Photoshop 3.0\0')) this.photoshop(body.subarray(14), 'APP13');
      if (mark !== 0xeb || !has(body, 0, 'JP') || body.length <= 16 || size > MAX_JUMBF) continue;
      const first = pieces.length === 0;
      if (first ? !has(body, 24, 'c2pa') : be16(body, 2) !== instance) continue;
      instance = be16(body, 2);
      pieces.push(body.subarray(first ? 8 : 16));
      size += pieces.at(-1).length;
    }
    this.jumbf(join(pieces), 'APP11');
  }

  async png(b) {
    let texts = 0;
    for (let at = 8; at + 12 <= b.length; ) {
      const n = be32(b, at);
      if (n > b.length - at - 12) return;
      const kind = latin(b, at + 4, 4);
      const body = b.subarray(at + 8, at + 8 + n);
      at += 12 + n;
      if (kind === 'IEND') return;
      if (kind === 'caBX') this.jumbf(body, kind);
      if (kind === 'eXIf') this.tiff(body, kind, false);
      if (['tEXt', 'zTXt', 'iTXt'].includes(kind) && ++texts <= MAX_CHUNKS) await this.pngText(body, kind);
    }
  }

  async pngText(body, kind) {
    let end = body.indexOf(0);
    if (end < 0 || end > 79) return;
    const keyword = lower(latin(body, 0, end));
    let b = body.subarray(end + 1);
    let packed = kind === 'zTXt';
    if (kind === 'zTXt') b = b.subarray(1);
    if (kind === 'iTXt') {
      if (b.length < 2) return;
      packed = b[0] === 1;
      b = b.subarray(2);
      for (const _ of ['language', 'keyword in it']) {
        end = b.indexOf(0);
        if (end < 0) return;
        b = b.subarray(end + 1);
      }
    }
    if (!TEXTS.has(keyword)) return;
    if (packed) b = await this.inflate(b);
    this.text(keyword, b.subarray(0, MAX_TEXT), kind);
  }

  // inflate returns what b holds, or nothing if that is more than MAX_TEXT, or
  // damaged, or not all of b, or if the browser is too old to do it.
  async inflate(b) {
    const nothing = new Uint8Array(0);
    if (++this.inflated > MAX_INFLATED || !globalThis.DecompressionStream) return nothing;
    const reader = new Blob([b]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
    const pieces = [];
    let size = 0;
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        pieces.push(next.value);
        size += next.value.length;
        if (size > MAX_TEXT) {
          await reader.cancel();
          return nothing;
        }
      }
    } catch {
      return nothing;
    }
    return join(pieces);
  }

  text(keyword, b, part) {
    if (keyword === 'xml:com.adobe.xmp') {
      this.xmp(b, part);
      return;
    }
    if (!this.spend(b.length)) return;
    const { key, kind = 'text', needs, judge } = TEXTS.get(keyword);
    const generator = judge(latin(b));
    if (generator || !needs) this.add(kind, part, key, { generator });
  }

  webp(b) {
    for (let at = 12; at + 8 <= b.length; ) {
      const n = le32(b, at + 4);
      if (n > b.length - at - 8) return;
      const kind = latin(b, at, 4);
      const body = b.subarray(at + 8, at + 8 + n);
      if (kind === 'C2PA') this.jumbf(body, 'C2PA');
      if (kind === 'XMP ') this.xmp(body, 'XMP');
      if (kind === 'EXIF') this.tiff(body.subarray(has(body, 0, 'Exif\0\0') ? 6 : 0), 'EXIF', false);
      at += 8 + n + (n % 2);
    }
  }

  gif(b) {
    const table = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
    if (b.length < 13) return;
    for (let at = 13 + table(b[10]); at + 12 < b.length; ) {
      let name = '';
      if (b[at] === 0x2c) {
        at += 11 + table(b[at + 9]);
      } else if (b[at] === 0x21) {
        if (b[at + 1] === 0xff && b[at + 2] === 11 && at + 14 <= b.length) {
          name = latin(b, at + 3, 11);
          at += 12;
        }
        at += 2;
      } else {
        return;
      }
      let end = at;
      while (end < b.length && b[end] !== 0) end += 1 + b[end];
      if (end >= b.length) return;
      if (name === 'XMP DataXMP') this.xmp(b.subarray(at, end), 'extension');
      if (name.startsWith('C2PA_GIF')) this.jumbf(subBlocks(b.subarray(at, end)), 'extension');
      at = end + 1;
    }
  }

  // tiff reads the first directory of a TIFF or of EXIF, and the EXIF directory
  // that it names.
  tiff(b, part, whole) {
    const big = has(b, 0, 'MM\0*');
    if ((!big && !has(b, 0, 'II*\0')) || b.length < 8) return;
    const u16 = (at) => (big ? be16(b, at) : le16(b, at));
    const u32 = (at) => (big ? be32(b, at) : le32(b, at));
    const directories = [u32(4)];
    for (let k = 0; k < directories.length && k < 2; k++) {
      const at = directories[k];
      if (at < 8 || at + 2 > b.length) continue;
      let n = Math.min(u16(at), MAX_ENTRIES);
      for (let e = at + 2; n > 0 && e + 12 <= b.length; n--, e += 12) {
        let [tag, kind, count] = [u16(e), u16(e + 2), u32(e + 4)];
        if (tag === 0x8769 && k === 0) {
          directories.push(u32(e + 8));
          continue;
        }
        if (kind === 4 && tag === 33723) [kind, count] = [1, 4 * count];
        if (kind !== 1 && kind !== 2 && kind !== 7) continue;
        const from = count > 4 ? u32(e + 8) : e + 8;
        if (from + count > b.length) continue;
        this.tag(tag, b.subarray(from, from + Math.min(count, MAX_TEXT)), part, whole);
      }
    }
  }

  tag(tag, v, part, whole) {
    if (!this.spend(v.length)) return;
    const exif = (key, generator) => generator && this.add('exif', part, key, { generator });
    const comfy = has(v, 0, 'workflow:') || has(v, 0, 'prompt:');
    if (tag === 0x0131) exif('Software', known(latin(v, 0, MAX_WORD)));
    if (tag === 0x010e) exif('ImageDescription', job(latin(v)));
    if (tag === 0x010f && comfy) exif('Make', graph(latin(v)));
    if (tag === 0x0110 && comfy) exif('Model', graph(latin(v)));
    if (tag === 0x9286) exif('UserComment', recipe(latin(v).replaceAll('\0', '')));
    if (tag === 700 && whole) this.xmp(v, part);
    if (tag === 33723 && whole) this.iim(v, part);
    if (tag === 52545 && whole) this.jumbf(v, part);
  }

  photoshop(all, part) {
    for (let b = all; has(b, 0, '8BIM') && b.length >= 12; ) {
      const at = 6 + ((b[6] + 2) & ~1) + 4;
      if (at > b.length) return;
      const n = be32(b, at - 4);
      if (n > b.length - at) return;
      if (b[4] === 4 && b[5] === 4) this.iim(b.subarray(at, at + n), part);
      b = b.subarray(at + n + (n % 2));
    }
  }

  iim(all, part) {
    for (let b = all; b.length >= 5 && b[0] === 0x1c; ) {
      const n = be16(b, 3);
      if (n >= 0x8000 || n > b.length - 5) return;
      const value = latin(b, 5, Math.min(n, MAX_WORD));
      const dataset = b[1] === 2 ? b[2] : 0;
      const [key, generator] = dataset === 65 ? ['OriginatingProgram', known(value)] : ['Credit', dataset === 110 ? knownAI(value) : ''];
      if (generator) this.add('iptc', part, key, { generator });
      b = b.subarray(5 + n);
    }
  }

  xmp(b, part) {
    const packet = latin(b, 0, MAX_TEXT);
    if (!this.spend(packet.length)) return;
    for (const v of values(packet, ':DigitalSourceType')) {
      const source = sourceOf(v);
      if (source) this.add('iptc', part, 'DigitalSourceType', { source });
    }
    for (const v of values(packet, ':AISystemUsed')) this.add('iptc', part, 'AISystemUsed', { generator: known(v) });
    for (const v of values(packet, ':CreatorTool')) if (known(v)) this.add('xmp', part, 'CreatorTool', { generator: known(v) });
    for (const v of values(packet, ':Credit')) if (knownAI(v)) this.add('xmp', part, 'Credit', { generator: knownAI(v) });
    if (values(packet, ':AIGC').length > 0) this.add('aigc', part, 'AIGC');
    if (values(packet, 'dcterms:provenance').some((v) => v.startsWith('http'))) this.add('c2pa', part, 'remote');
  }

  bmff(file) {
    for (const { kind, body, whole } of this.boxesOf(file)) {
      if (kind === 'uuid' && has(body, 0, UUID_C2PA) && has(body, 20, 'manifest\0') && body.length >= 37) this.jumbf(body.subarray(37), 'uuid');
      else if (kind === 'uuid' && has(body, 0, UUID_XMP)) this.xmp(body.subarray(16), 'uuid');
      else if (kind === 'jumb') this.jumbf(whole, 'jumb');
      else if (kind === 'xml ') this.xmp(body, 'xml');
      else if (kind === 'Exif' && body.length >= 4) this.tiff(body.subarray(4 + be32(body, 0)), 'Exif', false);
      else if (kind === 'meta' && body.length >= 4) this.meta(file, body.subarray(4));
      else if (kind === 'moov') movie(this, body);
    }
  }

  meta(file, b) {
    const kinds = new Map();
    for (const { kind, body } of this.boxesOf(b)) {
      if (kind !== 'iinf') continue;
      for (const item of this.boxesOf(body.subarray(body[0] > 0 ? 8 : 6))) {
        const { body: e } = item;
        if (item.kind !== 'infe' || kinds.size >= MAX_CHUNKS || e.length < 14 || e[0] < 2 || e[0] > 3) continue;
        const id = e[0] === 3 ? be32(e, 4) : be16(e, 4);
        const rest = e.subarray(e[0] === 3 ? 10 : 8);
        const name = rest.subarray(4).indexOf(0);
        const content = name < 0 ? rest.subarray(rest.length) : rest.subarray(4 + name + 1);
        if (has(rest, 0, 'Exif')) kinds.set(id, 'Exif');
        else if (has(rest, 0, 'mime') && has(content, 0, 'application/rdf+xml')) kinds.set(id, 'xmp');
      }
    }
    if (kinds.size === 0) return;
    for (const { kind, body } of this.boxesOf(b)) {
      if (kind !== 'iloc') continue;
      for (const { id, start, n } of places(body)) {
        if (!kinds.has(id) || start > file.length || n > file.length - start) continue;
        const item = file.subarray(start, start + n);
        if (kinds.get(id) === 'xmp') this.xmp(item, 'item');
        else if (item.length >= 4) this.tiff(item.subarray(4 + be32(item, 0)), 'item', false);
      }
    }
  }
}

const UUID_C2PA = '\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81';
const UUID_XMP = '\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac';

function join(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function subBlocks(b) {
  const pieces = [];
  let size = 0;
  for (let at = 0; at < b.length && at + b[at] < b.length; at += 1 + b[at]) {
    size += b[at];
    if (size > MAX_JUMBF) break;
    pieces.push(b.subarray(at + 1, at + 1 + b[at]));
  }
  return join(pieces);
}

// places lists the items of an iloc and where they are.
function places(b) {
  let at = 0;
  const number = (size) => {
    if (size > 8 || at + size > b.length) throw new RangeError();
    let n = 0;
    for (let i = 0; i < size; i++) n = n * 256 + b[at++];
    return n;
  };
  const out = [];
  try {
    const version = number(4) >>> 24;
    const sizes = number(2);
    const wide = version === 2 ? 4 : 2;
    const count = number(wide);
    const index = version > 0 ? sizes & 15 : 0;
    for (let i = 0; i < count && i < MAX_CHUNKS; i++) {
      const id = number(wide);
      const method = version > 0 ? number(2) & 15 : 0;
      number(2);
      const base = number((sizes >> 4) & 15);
      const pieces = number(2);
      let [start, n] = [0, 0];
      if (pieces > 0) {
        number(index);
        start = base + number(sizes >> 12);
        n = number((sizes >> 8) & 15);
        at += (pieces - 1) * (index + (sizes >> 12) + ((sizes >> 8) & 15));
        if (at > b.length) throw new RangeError();
      }
      if (method === 0) out.push({ id, start, n });
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return out;
}
