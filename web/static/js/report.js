// The pictures on the report page. The person chooses pictures; their
// fingerprints are computed on this device by worker.js; the form then carries
// the fingerprints in hidden inputs, and never the pictures: the file input has
// no name, so the browser leaves it out of the form.
//
// What the page must contain. There is no sentence in this file: all come from
// the page, so that the server chooses the language.
//
//   <form>                        the form that is sent
//     <section data-rempart-picker hidden>   shown once the worker is ready
//       <input type="file" multiple accept="image/*" data-picker-input>
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
// {n} in a sentence is the number of the picture, {max} the most that one report
// takes. If an element or a sentence is missing, the section stays hidden and the
// console says which. Rows that the server put in the list (after a mistake in
// the form) are kept: each an <li> with its hidden input and a data-row-remove.
//
// Each row has data-state: waiting, working, then ready, low_quality (only exact
// copies can be recognised), animated (first image only), exact_only (this
// browser cannot read the picture, exact copies are recognised), duplicate,
// not_picture, truncated, too_large, too_many_pixels, unsupported or failed.
// The first four put one hidden input in the row, name="media", such as
//   {"fingerprints":[{"type":"pdq","value":"…","quality":87},{"type":"sha256","value":"…"}]}

const MAX_PICTURES = 20;
const PATIENCE = 120_000; // ms without a word from the worker
const LOW_QUALITY = 50;
const SENTENCES = [
  ...['waiting', 'working', 'ready', 'low_quality', 'animated', 'exact_only', 'duplicate'],
  ...['not_picture', 'truncated', 'too_large', 'too_many_pixels', 'unsupported', 'failed'],
  'title', // of a row: picture {n}
  'remove', // label of a row's button
  'removed',
  'too_many', // more than {max} were chosen
  'wait', // the form is held back while pictures are being read
  'all_done',
  'no_exact', // note: not an https page, so exact copies cannot be recognised
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
    return this.sentences.get(name).replaceAll('{n}', n).replaceAll('{max}', MAX_PICTURES);
  }

  // startWorker also ends a worker that is stuck or no longer wanted.
  startWorker() {
    this.worker?.terminate();
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
      this.section.hidden = false;
    } else if (data.id !== this.queue[0]?.n) {
      // about a picture that is no longer wanted
    } else if (data.result) {
      this.finish(data.result);
    } else {
      part(this.queue[0].row, 'progress').value = data.progress;
      this.watch();
    }
  }

  finish(result) {
    const { n, row } = this.queue.shift();
    const fingerprints = [];
    if (result.ok) fingerprints.push({ type: 'pdq', value: result.pdq, quality: result.quality });
    if (result.sha256 && (result.ok || result.code === 'unsupported')) {
      fingerprints.push({ type: 'sha256', value: result.sha256 });
    }
    let state = result.code;
    if (result.ok && result.quality < LOW_QUALITY) state = 'low_quality';
    else if (result.ok) state = result.animated ? 'animated' : 'ready';
    else if (fingerprints.length > 0) state = 'exact_only';

    const value = JSON.stringify({ fingerprints });
    const given = [...this.list.querySelectorAll('input[name="media"]')].some((input) => input.value === value);
    if (given) {
      state = 'duplicate';
    } else if (fingerprints.length > 0) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name: 'media', value });
      row.append(input);
    }
    part(row, 'progress').hidden = true;
    if (result.ok && !result.sha256) part(row, 'note').textContent = this.say('no_exact', n);
    this.show(row, n, state);
    this.live.textContent = `${this.say('title', n)}. ${this.say(state, n)}`;
    this.next();
    this.release();
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
