// For tests only: drives the fingerprinting module from a page under the report
// page's content security policy.

import { pdqFromRGBA } from '/static/js/fingerprint.js';
import { leadingMarks, readMarks } from '/static/js/provenance.js';
import { sniff } from '/static/js/sniff.js';
import { images } from '/static/js/video.js';
import { plainHash } from '/test/plain.js';

// formula makes the pixels of the pictures that fixtures/README.md defines.
function formula(w, h, k) {
  const data = new Uint8ClampedArray(w * h * 4);
  const side = Math.min(w, h);
  let at = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let [r, g, b] = [128, 128, 128];
      if (k === 0) {
        r = x * 7 + y * 13 + ((x * x + y * y) >> 4);
        g = x * 3 + ((x * y) >> 3) + y * 5;
        b = (x ^ y) * 9 + 17;
      } else if (k === 1) {
        r = Math.floor((x * 255) / Math.max(1, w - 1));
        g = Math.floor((y * 255) / Math.max(1, h - 1));
        b = (2 * x - w) ** 2 + (2 * y - h) ** 2 < Math.floor((side * side) / 2) ? 200 : 30;
      } else if (k === 2) {
        let s = Math.imul(x >> 3, 2654435761) + Math.imul(y >> 3, 40503) + 12345;
        s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
        [r, g, b] = [s >>> 24, s >>> 16, s >>> 8];
      }
      data[at++] = r & 255;
      data[at++] = g & 255;
      data[at++] = b & 255;
      data[at++] = 255;
    }
  }
  return data;
}

const worker = new Worker('/static/js/worker.js', { type: 'module' });
const input = document.querySelector('#files');

globalThis.drive = {
  formula: (w, h, k) => pdqFromRGBA(formula(w, h, k), w, h),
  // different counts the sizes, of n, at which the module and the plain one give
  // different hashes of noise.
  different: (n) => {
    let count = 0;
    let state = 1;
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    for (let i = 0; i < n; i++) {
      const [w, h] = [5 + (next() >>> 16) % 400, 5 + (next() >>> 16) % 400];
      const data = Uint8ClampedArray.from({ length: w * h * 4 }, (_, at) => (at * i) ^ (next() >>> 25));
      if (pdqFromRGBA(data, w, h).hash !== plainHash(data, w, h)) count++;
    }
    return count;
  },
  // race hashes 12 megapixels by both, and answers with the milliseconds.
  race: () => {
    const data = formula(4000, 3000, 0);
    const start = performance.now();
    const ours = pdqFromRGBA(data, 4000, 3000).hash;
    const middle = performance.now();
    const plain = plainHash(data, 4000, 3000);
    return { ours: middle - start, plain: performance.now() - middle, same: ours === plain };
  },
  // video answers with the hash of each image that is taken of the chosen video.
  video: async () => {
    const hashed = [];
    for await (const { bitmap } of images(input.files[0])) {
      const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data.hashed)));
      worker.postMessage({ id: 2, image: bitmap }, [bitmap]);
      hashed.push(await answer);
    }
    return hashed;
  },
  // glance takes the images of the chosen video n times, as fast as they come, and
  // hashes them only then.
  glance: async (n) => {
    const taken = [];
    for (let k = 0; k < n; k++) for await (const { bitmap } of images(input.files[0])) taken.push(bitmap);
    const hashed = [];
    for (const image of taken) {
      const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data.hashed)));
      worker.postMessage({ id: 3, image }, [image]);
      hashed.push(await answer);
    }
    return hashed;
  },
  // marks answers with the marks of files in base64, as text.
  marks: async (files) => {
    const all = [];
    for (const file of files) all.push(JSON.stringify(await readMarks(Uint8Array.from(atob(file), (c) => c.charCodeAt(0)))));
    return all;
  },
  // parts is marks for videos that are not read whole.
  parts: async (files) => {
    const all = [];
    for (const file of files) {
      const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
      all.push(JSON.stringify(await leadingMarks(new Blob([bytes]))));
    }
    return all;
  },
  // batch gives pictures in base64 to the worker, one after another, and answers
  // with its results.
  batch: async (files) => {
    const all = [];
    for (const file of files) {
      const answer = new Promise((resolve, reject) => {
        worker.onerror = () => reject(new Error(`the worker failed at picture ${all.length + 1}`));
        worker.onmessage = ({ data }) => data.result && resolve(data.result);
      });
      worker.postMessage({ id: 4, file: new Blob([Uint8Array.from(atob(file), (c) => c.charCodeAt(0))]) });
      all.push(await answer);
    }
    return all;
  },
  leading: async () => JSON.stringify(await leadingMarks(input.files[0])),
  sniff: async () => sniff(new Uint8Array(await input.files[0].arrayBuffer())),
  // fingerprint gives the chosen file to a worker, and answers with its result and
  // with everything that it posted, as text.
  fingerprint: () =>
    new Promise((resolve, reject) => {
      const posted = [];
      worker.onerror = () => reject(new Error('the worker failed'));
      worker.onmessage = ({ data }) => {
        posted.push(JSON.stringify(data));
        if (data.result) resolve({ ...data.result, posted: posted.join('\n') });
      };
      worker.postMessage({ id: 1, file: input.files[0] });
    }),
};
