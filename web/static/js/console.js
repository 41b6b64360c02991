// Keys of the console. Everything works without this file.

const search = document.getElementById('search');

// typing tells whether keys go into a field.
function typing(target) {
  return target instanceof Element && target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]') !== null;
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.key === 'Escape' && document.activeElement === search) search.blur();
  if (typing(event.target)) return;
  if (event.key === '/' && search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});
