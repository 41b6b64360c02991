// Leaving this page quickly. Without this file the link
//   <a data-leave href="https://…" rel="noreferrer">
// works as a link. With it, the link or Escape pressed twice within two seconds
// empties the page at once and replaces it, so that "back" does not return to it,
// and the next site is not told where the visitor came from.

const link = document.querySelector('a[data-leave]');
let lastEscape = -Infinity;

function leave() {
  document.documentElement.hidden = true;
  const policy = document.createElement('meta');
  policy.name = 'referrer';
  policy.content = 'no-referrer';
  document.head.append(policy);
  location.replace(link.href);
}

if (link) {
  link.addEventListener('click', (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.repeat) return;
    if (event.timeStamp - lastEscape < 2000) leave();
    lastEscape = event.timeStamp;
  });
}
