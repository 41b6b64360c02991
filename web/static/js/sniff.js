// What the first bytes of a file say about it, before anything is decoded: is it
// a picture, how large, is it animated, is its end missing? Reads bytes in memory
// and does nothing else. Like fingerprint.js it sends nothing and stores nothing.

// sniff returns {format, width, height, animated, truncated} for a Uint8Array.
// format is jpeg, png, gif, webp, avif, heic, "other" for a picture format that
// Rempart does not read, "video", or "" for what is neither. width and height are 0
// where the header does not say them, and do not take account of a turned photo.
// Where parts of the header disagree the largest size counts, so that a limit on
// the size holds. truncated means that the file stops before its own end mark.
export function sniff(bytes) {
  const found = { format: '', width: 0, height: 0, animated: false, truncated: false };
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return jpeg(bytes, found);
  if (text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return png(bytes, found);
  if (/^GIF8[79]a$/.test(text(bytes, 0, 6))) return gif(bytes, found);
  if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 4) === 'WEBP') return webp(bytes, found);
  if (text(bytes, 4, 4) === 'ftyp') return isobmff(bytes, found);
  const start = text(bytes, 0, 256);
  // WebM and Matroska, AVI, QuickTime without a brand, Ogg, MPEG
  if (/^(\x1a\x45\xdf\xa3|RIFF[^]{4}AVI |[^]{4}(moov|mdat|wide)|OggS|\0\0\x01[\xba\xb3])/.test(start)) found.format = 'video';
  if (/^(BM[^]{4}\0\0\0\0|II\*\0|MM\0\*|\0\0\x01\0|\xff\x0a|\0\0\0\x0cJXL |8BPS)/.test(start)) found.format = 'other';
  if (/^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/.test(start)) found.format = 'other';
  return found;
}

// Reading past the end gives zeros.
const be16 = (b, at) => (b[at] << 8) | b[at + 1];
const be32 = (b, at) => ((be16(b, at) << 16) | be16(b, at + 2)) >>> 0;
const le16 = (b, at) => (b[at + 1] << 8) | b[at];
const le24 = (b, at) => (b[at + 2] << 16) | le16(b, at);
const le32 = (b, at) => ((le16(b, at + 2) << 16) | le16(b, at)) >>> 0;
const text = (b, at, n) => String.fromCharCode(...b.subarray(at, at + n));

function size(found, width, height) {
  if (width * height >= found.width * found.height) Object.assign(found, { width, height });
}

// jpeg walks the segments up to the first scan, then looks for the end mark: in
// scan data a byte FF is always followed by another than D9.
function jpeg(b, found) {
  found.format = 'jpeg';
  found.truncated = true;
  for (let at = 2; at + 3 < b.length; ) {
    const mark = b[at + 1];
    if (b[at] !== 0xff || mark === 0xff) {
      at++; // padding
    } else if (mark === 0 || mark === 1 || (mark >= 0xd0 && mark <= 0xd8)) {
      at += 2; // a mark without content
    } else if (mark === 0xd9) {
      break; // the end, before any scan
    } else {
      const next = at + 2 + be16(b, at + 2);
      const frame = mark >= 0xc0 && mark <= 0xcf && mark !== 0xc4 && mark !== 0xc8 && mark !== 0xcc;
      if (frame && at + 8 < b.length) size(found, be16(b, at + 7), be16(b, at + 5));
      if (mark === 0xda) {
        for (let i = next; (i = b.indexOf(0xff, i)) >= 0; i++) {
          if (b[i + 1] === 0xd9) {
            found.truncated = false;
            break;
          }
        }
        break;
      }
      at = next;
    }
  }
  return found;
}

// png walks the chunks: IHDR holds the size, acTL announces an animation, IEND is
// the end.
function png(b, found) {
  found.format = 'png';
  found.truncated = true;
  for (let at = 8; at + 12 <= b.length; at += 12 + be32(b, at)) {
    const kind = text(b, at + 4, 4);
    if (kind === 'IHDR') size(found, be32(b, at + 8), be32(b, at + 12));
    if (kind === 'acTL') found.animated = true;
    if (kind === 'IEND') {
      found.truncated = false;
      break;
    }
  }
  if (found.width === 0 && b.length >= 24) size(found, be32(b, 16), be32(b, 20));
  return found;
}

// gif walks the blocks up to the trailer and counts the frames.
function gif(b, found) {
  const table = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  found.format = 'gif';
  found.truncated = true;
  size(found, le16(b, 6), le16(b, 8));
  let frames = 0;
  let at = 13 + table(b[10]);
  while (at < b.length) {
    if (b[at] === 0x3b) {
      found.truncated = false;
      break;
    } else if (b[at] === 0x2c) {
      frames++;
      size(found, le16(b, at + 1) + le16(b, at + 5), le16(b, at + 3) + le16(b, at + 7));
      at += 11 + table(b[at + 9]);
    } else if (b[at] === 0x21) {
      at += 2;
    } else {
      break;
    }
    while (b[at]) at += 1 + b[at]; // data blocks, up to an empty one
    at++;
  }
  found.animated = frames > 1;
  return found;
}

function webp(b, found) {
  found.format = 'webp';
  found.truncated = le32(b, 4) + 8 > b.length;
  for (let at = 12; at + 8 <= b.length && at < 1 << 16; ) {
    const kind = text(b, at, 4);
    if (kind === 'VP8X') {
      size(found, 1 + le24(b, at + 12), 1 + le24(b, at + 15));
      found.animated = (b[at + 8] & 2) !== 0;
    } else if (kind === 'VP8 ') {
      size(found, le16(b, at + 14) & 0x3fff, le16(b, at + 16) & 0x3fff);
    } else if (kind === 'VP8L') {
      const bits = le32(b, at + 9);
      size(found, (bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    at += 8 + le32(b, at + 4) + (b[at + 4] & 1);
  }
  return found;
}

// isobmff reads the brands of AVIF and HEIC, and the sizes (ispe boxes) near the
// start. Anything else in that container is a video, unless it is sound alone.
function isobmff(b, found) {
  const brands = text(b, 8, Math.min(be32(b, 0) - 8, 120)).match(/[^]{4}/g) || [];
  if (brands.some((name) => /^avi[fs]$/.test(name))) found.format = 'avif';
  else if (brands.some((name) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(name))) found.format = 'heic';
  else if (!/^M4[AB]/.test(brands[0])) found.format = 'video';
  if (found.format !== 'avif' && found.format !== 'heic') return found;
  found.animated = /^(avis|msf1|hev[cxms])$/.test(brands[0]);
  const end = Math.min(b.length - 16, 1 << 16);
  for (let at = 0; (at = b.indexOf(0x69, at)) >= 0 && at < end; at++) {
    if (text(b, at, 4) === 'ispe') size(found, be32(b, at + 8), be32(b, at + 12));
  }
  return found;
}
