// The pictures and videos on the report page. The person chooses them; their
// fingerprints are computed on this device by worker.js (and video.js); the form
// then carries the fingerprints in hidden inputs, and never the files: the file
// input has no name, so the browser leaves it out of the form.
//
// What the page must contain. There is no sentence in this file: all come from
// the page, so that the server chooses the language.
//
//   <form>                        the form that is sent
//     <section data-rempart-picker hidden>   shown once the worker is ready
//       <input type="file" multiple accept="image/*,video/*" data-picker-input>
//       <p data-picker-message role="alert" tabindex="-1"></p>
//       <ul data-picker-list></ul>
//       <p data-picker-live role="status" class="visually-hidden"></p>
//       <template data-picker-row>
//         <li>
//           <strong data-row-title></strong>
//           <span data-row-name></span>     optional: the file's name, on screen only
//           <progress data-row-progress max="1"></progress>
//           <span data-row-state></span>
//           <span data-row-note></span>
//           <button type="button" data-row-remove>…</button>
//         </li>
//       </template>
//       <template data-say="ready">…</template>   one for each of SENTENCES
//     </section>
//
// {program} in a sentence is a name out of a list in marks.js,
// {n} the number of the picture or video, {max} the most that one
// report takes, {minutes} how much of a video is read. If an element or a sentence is missing, the section stays hidden and the
// console says which. Rows that the server put in the list (after a mistake in
// the form) are kept: each an <li> with its hidden input and a data-row-remove.
//
// Each row has data-state: waiting, working, then ready, low_quality (only exact
// copies can be recognised), animated (first image only), exact_only (this
// browser cannot read the picture, exact copies are recognised), duplicate,
// not_picture, truncated, too_large, too_many_pixels, unsupported or failed. A
// video ends as video_ready, video_long (its beginning only), video_low_quality,
// video_exact_only or video_failed. ready, low_quality, animated, exact_only and
// the first four of a video put one hidden input in the row, name="media", such as
//   {"fingerprints":[{"type":"pdq","value":"…","quality":87},{"type":"sha256","value":"…"}]}
// with, for a video, one vpdq in place of the pdq: see vpdq in video.js. Where the
// picture, or images of the video, have uniform borders (inside.js), a second one of
// what is within them stands beside it, with "form":"unbordered". A file
// that says how it was made (provenance.js) has that said in data-row-note, and
// sent beside the fingerprints:
//   "provenance":[{"kind":"c2pa","part":"APP11","key":"manifest"}]

import { tells } from './marks.js';
import { MAX_SECONDS, choose, images, vpdq } from './video.js';

const MAX_PICTURES = 20;
const PATIENCE = 120_000; // ms without a word from the worker
const LOW_QUALITY = 50;
const OF_A_VIDEO = { most: 240, least: LOW_QUALITY, near: 4 }; // images of one video
const SENTENCES = [
  ...['waiting', 'working', 'ready', 'low_quality', 'animated', 'exact_only', 'duplicate'],
  ...['not_picture', 'truncated', 'too_large', 'too_many_pixels', 'unsupported', 'failed'],
  ...['video_ready', 'video_long', 'video_low_quality', 'video_exact_only', 'video_failed'],
  'title', // of a row: picture {n}, before anything is known of it
  'video', // the same, once it is known to be a video
  'remove', // label of a row's button
  'removed',
  'too_many', // more than {max} were chosen
  'wait', // the form is held back while pictures are being read
  'all_done',
  'no_exact', // note: not an https page, so exact copies cannot be recognised
  'no_exact_large', // note: the same, as the video is too large
  ...['mark_made', 'mark_ai', 'mark_changed', 'mark_edited', 'mark_other'], // note: what the file says; {program}
];

const part = (row, name) => row.querySelector(`[data-row-${name}]`);

class Picker {
  constructor(section) {
    this.section = section;
    for (const name of ['input', 'message', 'list', 'live', 'row']) {
      this[name] = section.querySelector(`[data-picker-${name}]`);
      if (!this[name]) throw new Error(`report: no data-picker-${name}`);
    }
    this.sentences = new Map();
    for (const name of SENTENCES) {
      const template = section.querySelector(`template[data-say="${name}"]`);
      if (!template) throw new Error(`report: no sentence ${name}`);
      this.sentences.set(name, template.content.textContent.trim());
    }
    this.queue = []; // {n, file, row}; the worker has the first one
    this.number = this.list.children.length;
    this.input.addEventListener('change', () => this.choose());
    this.list.addEventListener('click', (event) => this.remove(event));
    section.closest('form').addEventListener('submit', (event) => this.hold(event));
    this.startWorker();
  }

  say(name, n = '') {
    const sentence = this.sentences.get(name).replaceAll('{n}', n).replaceAll('{max}', MAX_PICTURES);
    return sentence.replaceAll('{minutes}', MAX_SECONDS / 60);
  }

  // startWorker also ends a worker that is stuck or no longer wanted.
  startWorker() {
    this.worker?.terminate();
    this.hashed?.(null); // the image that it had
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = () => this.giveUp();
  }

  choose() {
    this.message.textContent = '';
    const idle = this.queue.length === 0;
    for (const file of this.input.files) {
      if (this.list.children.length >= MAX_PICTURES) {
        this.message.textContent = this.say('too_many');
        break;
      }
      const n = ++this.number;
      const row = this.row.content.firstElementChild.cloneNode(true);
      part(row, 'title').textContent = this.say('title', n);
      if (part(row, 'name')) part(row, 'name').textContent = file.name;
      part(row, 'progress').setAttribute('aria-label', this.say('title', n));
      part(row, 'remove').setAttribute('aria-label', this.say('remove', n));
      this.show(row, n, 'waiting');
      this.list.append(row);
      this.queue.push({ n, file, row });
    }
    this.input.value = ''; // so that the same file can be chosen again
    if (idle) this.next();
  }

  // next gives the worker the first picture of the queue: one at a time, so that
  // phones hold out.
  next() {
    clearTimeout(this.timer);
    if (this.queue.length === 0) return;
    const { n, file, row } = this.queue[0];
    this.show(row, n, 'working');
    this.watch();
    this.worker.postMessage({ id: n, file });
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp(), PATIENCE);
  }

  giveUp() {
    if (this.queue.length === 0) return; // never got ready: the section stays hidden
    this.startWorker();
    this.finish({ ok: false, code: 'failed', sha256: '' });
  }

  hear(data) {
    if (data.ready) {
      this.exact = data.exact;
      this.section.hidden = false;
    } else if (data.id !== this.queue[0]?.n) {
      // about a picture that is no longer wanted
    } else if (data.result?.kind === 'video') {
      this.look(this.queue[0], data.result);
    } else if (data.result) {
      this.finish(data.result);
    } else if ('hashed' in data) {
      this.hashed(data.hashed);
    } else {
      this.progress(data.progress);
    }
  }

  progress(value) {
    part(this.queue[0].row, 'progress').value = value;
    this.watch();
  }

  // look gives the worker the images of a video, one after another.
  async look(job, result) {
    const { n, file, row } = job;
    part(row, 'title').textContent = this.say('video', n);
    const hashed = [];
    const found = { ...result, ok: false, video: true, prints: [] };
    try {
      const all = images(file);
      for (let next = await all.next(); ; next = await all.next()) {
        if (next.done) {
          found.long = next.value;
          break;
        }
        const { bitmap, at, part: done } = next.value;
        const answer = new Promise((resolve) => (this.hashed = resolve));
        if (this.queue[0] === job) this.worker.postMessage({ id: n, image: bitmap }, [bitmap]);
        const one = this.queue[0] === job && (await answer);
        if (this.queue[0] !== job || !one) {
          bitmap.close();
          await all.return();
          break;
        }
        hashed.push({ ...one, at });
        this.progress(done);
      }
    } catch {
      found.long = true; // this browser cannot read it, or not to its end
    }
    found.prints = choose(hashed, OF_A_VIDEO);
    const bare = hashed.filter(({ unbordered }) => unbordered).map(({ unbordered, at }) => ({ ...unbordered, at }));
    found.bare = choose(bare, OF_A_VIDEO);
    found.ok = found.prints.length > 0;
    if (this.queue[0] === job) this.finish(found);
  }

  finish(result) {
    const { n, row } = this.queue.shift();
    const { ok, sha256, marks } = result;
    const prints = result.prints ?? (ok ? [result] : []);
    const bare = result.bare ?? (ok && result.unbordered ? [result.unbordered] : []);
    const of = (all) => (result.video && all.length > 0 ? [vpdq(all)] : all.map(({ pdq, quality }) => ({ type: 'pdq', value: pdq, quality })));
    const fingerprints = [...of(prints), ...of(bare).map((one) => ({ ...one, form: 'unbordered' }))];
    if (sha256 && (ok || result.video || result.code === 'unsupported')) fingerprints.push({ type: 'sha256', value: sha256 });
    const state = this.verdict(result, [...prints, ...bare], fingerprints);

    const value = JSON.stringify(marks?.length > 0 ? { fingerprints, provenance: marks } : { fingerprints });
    const given = [...this.list.querySelectorAll('input[name="media"]')].some((input) => input.value === value);
    if (!given && fingerprints.length > 0) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name: 'media', value });
      row.append(input);
    }
    part(row, 'progress').hidden = true;
    const notes = ok && !sha256 ? [this.say(this.exact ? 'no_exact_large' : 'no_exact', n)] : [];
    if (fingerprints.length > 0 && marks?.length > 0) {
      const { say, program } = tells(marks);
      notes.push(this.say(say, n).replaceAll('{program}', program));
    }
    part(row, 'note').textContent = notes.join(' ');
    this.show(row, n, given ? 'duplicate' : state);
    this.live.textContent = `${part(row, 'title').textContent}. ${part(row, 'state').textContent} ${part(row, 'note').textContent}`.trim();
    this.next();
    this.release();
  }

  // verdict is the state of a row whose reading has ended.
  verdict({ ok, video, long, code, animated }, prints, fingerprints) {
    const kind = video ? 'video_' : '';
    if (!ok && fingerprints.length > 0) return `${kind}exact_only`;
    if (!ok) return video ? 'video_failed' : code;
    if (prints.every(({ quality }) => quality < LOW_QUALITY)) return `${kind}low_quality`;
    if (video) return long ? 'video_long' : 'video_ready';
    return animated ? 'animated' : 'ready';
  }

  // release says that nothing is being read any more.
  release() {
    if (this.queue.length > 0) return;
    this.live.textContent += ` ${this.say('all_done')}`;
    if (this.held) this.message.textContent = this.say('all_done');
    this.held = false;
  }

  show(row, n, state) {
    row.dataset.state = state;
    part(row, 'state').textContent = this.say(state, n);
  }

  remove(event) {
    const button = event.target.closest('[data-row-remove]');
    if (!button) return;
    const row = button.closest('li');
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const at = this.queue.findIndex((job) => job.row === row);
    row.remove();
    this.live.textContent = this.say('removed');
    if (at >= 0) this.queue.splice(at, 1);
    if (at === 0) {
      this.startWorker(); // the old one is still reading that picture
      this.next();
      this.release();
    }
    (next?.querySelector('[data-row-remove]') ?? this.input).focus();
  }

  // hold keeps the form back while pictures are being read.
  hold(event) {
    if (this.queue.length === 0) return;
    event.preventDefault();
    this.held = true;
    this.message.textContent = this.say('wait');
    this.message.focus();
  }
}

const section = document.querySelector('[data-rempart-picker]');
if (section && globalThis.Worker && globalThis.createImageBitmap && globalThis.OffscreenCanvas) new Picker(section);
