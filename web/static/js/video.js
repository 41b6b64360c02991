// Images of a video, two a second, or one of a longer one, taken on this device. A page can play a video
// and a worker cannot, so this runs in the page. It sends nothing and stores
// nothing: the browser reads the chosen file from memory, under an address
// (blob:) that exists on this page only and only until the last image is taken;
// nothing is played aloud or shown.

export const MAX_SECONDS = 180; // of a video: what comes later is not read
const SHORT = 120; // seconds: of such a video two images a second are taken
const MAX_PIXELS = 16_777_216; // of one image, 4096 x 4096
const PATIENCE = 20_000; // ms for one image
const LATE = 3_000; // ms that an image may come after the browser said it had moved
const LATE_UNSEEN = 500; // the same on a page in the background

// images yields {bitmap, at, part} for the images at 0, 0.5, 1 … seconds of a video
// file (0, 1, 2 … of a long one), as long as the video lasts or MAX_SECONDS; part
// (0 to 1) is how far it got. Each bitmap is the caller's to close. It returns whether the video goes on
// after the last image. It throws where this browser cannot read the video,
// or takes too long.
export async function* images(file) {
  const video = document.createElement('video');
  let shown = presented(video);
  Object.assign(video, { muted: true, playsInline: true, preload: 'auto', src: URL.createObjectURL(file) });
  try {
    await event(video, 'loadeddata');
    if (video.videoWidth * video.videoHeight === 0) throw new Error('sound alone');
    if (video.videoWidth * video.videoHeight > MAX_PIXELS) throw new Error('too many pixels');
    await shown();
    const end = Math.min(video.duration, MAX_SECONDS);
    const step = end > SHORT ? 1 : 0.5;
    for (let at = 0; at < Math.max(end, 0.001); at += step) {
      if (at > 0) {
        const moved = event(video, 'seeked');
        shown = presented(video);
        video.currentTime = at;
        await moved;
        await shown();
        if (video.currentTime < at - 0.1) break; // the end of a recording whose length is not written down
      }
      yield { bitmap: await createImageBitmap(video), at, part: Math.min(1, (at + step) / end) };
    }
    return video.duration > MAX_SECONDS;
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute('src');
    video.load(); // lets go of the file
  }
}

// event waits for the video to say name, or throws.
function event(video, name) {
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    const end = (settle) => () => {
      clearTimeout(timer);
      ended.abort();
      settle();
    };
    const timer = setTimeout(end(reject), PATIENCE);
    video.addEventListener(name, end(resolve), { signal: ended.signal });
    video.addEventListener('error', end(reject), { signal: ended.signal });
  });
}

// presented is called before the video is loaded or moved. It returns a function
// that waits until the image found there is the one that can be taken: 'seeked'
// (and 'loadeddata') may come before that, and what is taken then is the image
// before. Browsers tell of the image itself by requestVideoFrameCallback, and
// not while nobody sees the page, so the wait has an end.
function presented(video) {
  if (!video.requestVideoFrameCallback) return async () => {};
  const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  return async () => {
    const late = new Promise((resolve) => setTimeout(resolve, document.hidden ? LATE_UNSEEN : LATE));
    await Promise.race([shown, late]);
  };
}

// choose returns which of the hashed images stand for the video: those with
// enough detail, without those that are nearly equal to one before, at most `most`
// of them, spread evenly. Where none has enough detail it returns the best one.
// Each is {pdq, quality, at}.
export function choose(hashed, { most, least, near }) {
  const chosen = [];
  for (const one of hashed) {
    if (one.quality >= least && chosen.every((other) => distance(one.pdq, other.pdq) > near)) chosen.push(one);
  }
  if (chosen.length === 0) return [...hashed].sort((a, b) => b.quality - a.quality).slice(0, 1);
  if (chosen.length <= most) return chosen;
  return Array.from({ length: most }, (_, i) => chosen[Math.floor((i * chosen.length) / most)]);
}

// vpdq is the fingerprint of a video as the form carries it: its chosen images, in
// the text that other programs for vPDQ write too.
export function vpdq(chosen) {
  const value = JSON.stringify(chosen.map(({ pdq, quality, at }) => `${pdq},${quality},${at.toFixed(3)}`));
  return { type: 'vpdq', value, quality: Math.max(...chosen.map(({ quality }) => quality)) };
}

// distance counts the bits in which two hashes in hexadecimal differ.
function distance(a, b) {
  let bits = 0;
  for (let i = 0; i < a.length; i++) {
    for (let x = parseInt(a[i], 16) ^ parseInt(b[i], 16); x; x &= x - 1) bits++;
  }
  return bits;
}
