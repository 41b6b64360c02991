// The command palette: Ctrl+K or ":" opens a list of what this page can do
// (elements with data-key) and of where one can go (the links in its dialog),
// narrowed by what is typed. A text that is none of them is searched for. The
// dialog is modal, so that the browser keeps the focus in it; without this file
// the page /console/places lists the same.

const dialog = document.getElementById('palette');
const field = document.getElementById('palette-field');
const box = document.getElementById('palette-list');
const empty = document.getElementById('palette-empty');
let shownNow = [];
let here = 0;

// plain drops case and accents, so that "echeance" finds "Échéance".
const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function commands() {
  const out = [];
  const seen = new Set();
  for (const element of document.querySelectorAll('[data-key]')) {
    const text = element.textContent.trim().replace(/\s+/g, ' ');
    if (!element.checkVisibility() || seen.has(element.dataset.key)) continue;
    seen.add(element.dataset.key);
    out.push({ text, key: element.dataset.key, run: () => act(element) });
  }
  for (const link of dialog.querySelectorAll('[data-go] a')) {
    out.push({ text: link.textContent, group: dialog.dataset.go, run: () => location.assign(link.href) });
  }
  return out;
}

// act does what the key of an element does.
function act(element) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key: element.dataset.key, bubbles: true }));
}

function draw() {
  const typed = field.value.trim().replace(/^:\s*/, ''); // the key that opened it, typed again
  const words = plain(typed).split(/\s+/).filter(Boolean);
  shownNow = commands().filter((c) => words.every((w) => plain(c.text).includes(w)));
  const search = document.getElementById('search');
  if (search && typed) {
    shownNow.push({ text: `${dialog.dataset.search} ${typed}`, run: () => { search.value = typed; search.form.requestSubmit(); } });
  }
  here = 0;
  box.replaceChildren(...shownNow.map((c, k) => {
    const li = document.createElement('li');
    li.id = `palette-${k}`;
    li.role = 'option';
    const text = document.createElement('span');
    text.textContent = c.text;
    li.append(text);
    if (c.key || c.group) {
      const beside = document.createElement(c.key ? 'kbd' : 'span');
      beside.textContent = c.key ?? c.group;
      li.append(beside);
    }
    li.addEventListener('click', () => choose(k));
    return li;
  }));
  empty.hidden = shownNow.length > 0;
  mark();
}

function mark() {
  [...box.children].forEach((li, k) => li.setAttribute('aria-selected', String(k === here)));
  const li = box.children[here];
  if (li) {
    field.setAttribute('aria-activedescendant', li.id);
    li.scrollIntoView({ block: 'nearest' });
  } else {
    field.removeAttribute('aria-activedescendant');
  }
}

function choose(k) {
  const command = shownNow[k];
  dialog.close();
  command?.run();
}

function open() {
  field.value = '';
  draw();
  dialog.showModal();
  field.focus();
}

field?.addEventListener('input', draw);
field?.addEventListener('keydown', (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (by !== undefined && shownNow.length > 0) {
    event.preventDefault();
    here = Math.min(Math.max(here + by, 0), shownNow.length - 1);
    mark();
  } else if (event.key === 'Enter') {
    event.preventDefault();
    choose(here);
  }
});

if (dialog) {
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.repeat || event.altKey || document.querySelector('dialog[open]')) return;
    const typing = event.target instanceof Element && event.target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select');
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' || event.key === ':' && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    }
  });
  for (const button of document.querySelectorAll('[data-palette]')) {
    button.addEventListener('click', (event) => {
      event.preventDefault();
      open();
    });
  }
}
