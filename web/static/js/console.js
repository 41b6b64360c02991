// Keys of the console. Everything works without this file: a key does what a
// link, a button or a fold with data-key="…" does, the first that is on the
// page. The selection of the queue is kept for this tab, and sent along by what
// has data-selection; signing out clears it.

const search = document.getElementById('search');
const keys = document.getElementById('keys');
const selection = ['state', 'priority', 'who', 'service', 'minor', 'late'];

// typing tells whether keys go into a field.
function typing(target) {
  return target instanceof Element && target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]') !== null;
}

function shown(element) {
  return element.checkVisibility ? element.checkVisibility() : element.offsetParent !== null;
}

function keyed() {
  return [...document.querySelectorAll('[data-key]')].filter(shown);
}

// press does what an element does; a fold opens and its first field is ready.
function press(element) {
  if (element.localName !== 'summary') {
    element.click();
    return;
  }
  const fold = element.parentElement;
  fold.open = true;
  (fold.querySelector('select, textarea, input:not([type="hidden"])') ?? element).focus();
}

function list() {
  const dl = keys.querySelector('dl');
  for (const old of dl.querySelectorAll('[data-page]')) old.remove();
  const seen = new Set();
  for (const element of keyed()) {
    const key = element.dataset.key;
    if (seen.has(key)) continue;
    seen.add(key);
    const dt = document.createElement('dt');
    const kbd = document.createElement('kbd');
    const dd = document.createElement('dd');
    kbd.textContent = key;
    dt.append(kbd);
    dd.textContent = element.textContent.trim().replace(/\s+/g, ' ');
    dt.dataset.page = dd.dataset.page = '';
    dl.append(dt, dd);
  }
  keys.showModal();
}

// move goes along the rows of a list.
function move(by) {
  const rows = [...document.querySelectorAll('table.queue .ref a')];
  if (rows.length === 0) return false;
  const here = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(here + by, 0), rows.length - 1)].focus();
  return true;
}

// pick ticks the row that has the focus, or all rows, for an act on many cases.
function pick(all) {
  const row = document.activeElement?.closest('table.queue tr');
  const boxes = [...(all ? document : row ?? document.createElement('p')).querySelectorAll('table.queue input[name="case"], input[name="case"][form="bulk"]')];
  if (boxes.length === 0) return false;
  const to = boxes.some((box) => !box.checked);
  for (const box of boxes) box.checked = to;
  return true;
}

// submit sends the form of a field and asks for the next case. Of several
// buttons it presses none but the one that has the focus.
function submit(target) {
  const form = target instanceof Element ? target.closest('main form[method="post"]') : null;
  if (!form) return;
  const buttons = [...form.querySelectorAll('button:not([type="button"], [formaction])')];
  const button = buttons.includes(target) ? target : buttons.length === 1 ? buttons[0] : null;
  if (!button) return;
  const then = document.createElement('input');
  then.type = 'hidden';
  then.name = 'then';
  then.value = 'next';
  form.append(then);
  withSelection(form);
  form.requestSubmit(button);
  then.remove();
}

function chosen() {
  return new URLSearchParams(sessionStorage.getItem('selection') ?? '');
}

function withSelection(form) {
  for (const [name, value] of chosen()) {
    if (form.elements.namedItem(name)) continue;
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    field.value = value;
    form.append(field);
  }
}

if (location.pathname === '/console/' && document.querySelector('.views')) {
  const kept = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (selection.includes(name) && value) kept.set(name, value);
  }
  sessionStorage.setItem('selection', kept.toString());
}

for (const element of document.querySelectorAll('[data-selection]')) {
  if (element.localName === 'form') {
    withSelection(element);
    continue;
  }
  const to = new URL(element.href);
  for (const [name, value] of chosen()) to.searchParams.set(name, value);
  element.href = to.href;
}

document.addEventListener('keydown', (event) => {
  if (event.isComposing || event.repeat || event.altKey) return;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    submit(event.target);
    return;
  }
  if (event.ctrlKey || event.metaKey || keys?.open) return;
  if (event.key === 'Escape') {
    const fold = document.activeElement.closest('details[open]');
    if (typing(event.target)) document.activeElement.blur();
    if (fold) {
      fold.open = false;
      fold.querySelector('summary').focus();
    }
    return;
  }
  if (typing(event.target)) return;
  if (event.key === '/' && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === '?' && keys) {
    event.preventDefault();
    list();
  } else if (event.key === 'j' || event.key === 'k') {
    if (move(event.key === 'j' ? 1 : -1)) event.preventDefault();
  } else if (event.key === 'x' || event.key === 'X') {
    if (pick(event.key === 'X')) event.preventDefault();
  } else {
    const element = keyed().find((e) => e.dataset.key === event.key);
    if (element) {
      event.preventDefault();
      press(element);
    }
  }
});

// What is to be pasted elsewhere has a button that copies it.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const text = document.getElementById(button.dataset.copy);
  if (!text || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.classList.add('copied');
  });
}
