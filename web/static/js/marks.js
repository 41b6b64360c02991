// The words of provenance.js: what a mark can name, and how such names are found in
// the texts of a file. It reads texts and answers with words of its own lists; it
// sends nothing and stores nothing.

const MAX_WORD = 200; // bytes of a text in which a program's name is sought
const MAX_VALUE = 300; // bytes of an XMP value, or of an element's tag
const MAX_TAG = 1 << 16; // bytes of a tag with attributes
const MAX_TIMES = 16; // that an XMP property stands in a packet

// The types of source that a mark can name.
const SOURCES = [
  ...['trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia', 'algorithmicMedia', 'algorithmicallyEnhanced'],
  ...['compositeSynthetic', 'trainedAlgorithmicData', 'composite', 'compositeCapture', 'dataDrivenMedia'],
  ...['digitalCapture', 'computationalCapture', 'digitalCreation', 'digitalArt', 'humanEdits', 'minorHumanEdits'],
  ...['softwareImage', 'screenCapture', 'virtualRecording', 'negativeFilm', 'positiveFilm', 'print'],
];

// The programs that a mark can name, each with the words by which it is known;
// ! stands before those that make pictures.
const GENERATORS = [
  ['!Adobe Firefly', 'firefly'],
  ['!ChatGPT', 'chatgpt'],
  ['!Sora', 'sora'],
  ['!DALL-E', 'dall-e', 'dall\xc2\xb7e', 'dalle'],
  ['!OpenAI', 'openai', 'gpt-image', 'gpt-4o', 'openai-api'],
  ['!Midjourney', 'midjourney'],
  ['!NovelAI', 'novelai'],
  ['!ComfyUI', 'comfyui'],
  ['!InvokeAI', 'invokeai'],
  ['!Fooocus', 'fooocus'],
  ['!SwarmUI', 'swarmui', 'stableswarmui'],
  ['!Draw Things', 'draw things'],
  ['!Leonardo AI', 'leonardo.ai', 'leonardo ai'],
  ['!Stable Diffusion', 'stable diffusion', 'stable-diffusion', 'stability ai', 'stability.ai', 'stability-ai'],
  ['!FLUX', 'flux.', 'black forest labs'],
  ['!Bing Image Creator', 'bing image creator'],
  ['!Microsoft Designer', 'microsoft designer'],
  ['!Microsoft Responsible AI', 'microsoft responsible ai', 'microsoft_responsible_ai'],
  ['!Google AI', 'google ai', 'google generative ai', 'gemini', 'imagen'],
  ['!Meta AI', 'meta ai', 'imagine with meta'],
  ['!Grok', 'grok', 'xai'],
  ['!Ideogram', 'ideogram'],
  ['!Runway', 'runway', 'runwayml'],
  ['!Recraft', 'recraft'],
  ['!Krea', 'krea', 'krea.ai'],
  ['!NightCafe', 'nightcafe'],
  ['!Kling', 'kling', 'klingai'],
  ['!Doubao', 'doubao'],
  ['!Jimeng', 'jimeng'],
  ['Adobe Photoshop', 'photoshop'],
  ['Adobe Lightroom', 'lightroom'],
  ['Adobe Express', 'adobe express', 'adobe_express'],
  ['Adobe Illustrator', 'illustrator'],
  ['GIMP', 'gimp'],
  ['Krita', 'krita'],
  ['Paint.NET', 'paint.net'],
  ['Affinity', 'affinity photo', 'affinity designer'],
  ['Canva', 'canva'],
  ['Snapseed', 'snapseed'],
  ['Picsart', 'picsart'],
  ['CapCut', 'capcut'],
  ['FaceApp', 'faceapp'],
  ['Facetune', 'facetune'],
  ['c2patool', 'c2patool', 'c2pa-rs'],
].map(([name, ...words]) => ({ name: name.replace('!', ''), makes: name[0] === '!', words }));

// latin returns at most n bytes from at as a text, one character each.
export function latin(b, at = 0, n = b.length) {
  const part = b.subarray(at, at + n);
  let text = '';
  for (let i = 0; i < part.length; i += 8192) text += String.fromCharCode(...part.subarray(i, i + 8192));
  return text;
}

export const lower = (text) => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
const isLetter = (c) => c >= 'a' && c <= 'z';
const isNamePart = (c) => /[A-Za-z0-9_.:-]/.test(c);
const trim = (text) => text.slice(0, MAX_VALUE).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');

// spoken tells whether word stands in text without a letter beside it.
function spoken(text, word) {
  for (let at = 0; (at = text.indexOf(word, at)) >= 0; at++) {
    const end = at + word.length;
    if ((at === 0 || !isLetter(text[at - 1])) && (end === text.length || !isLetter(text[end]))) return true;
  }
  return false;
}

function lookUp(text) {
  const said = lower(text.slice(0, MAX_WORD));
  return GENERATORS.find(({ words }) => words.some((word) => spoken(said, word)));
}

export const known = (text) => lookUp(text)?.name ?? '';

export function knownAI(text) {
  const generator = lookUp(text);
  return generator?.makes ? generator.name : '';
}

export function sourceOf(value) {
  const last = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '').split(/[/:]/).pop();
  return SOURCES.includes(last) ? last : '';
}

export function recipe(text) {
  if (text.includes('"sui_image_params"')) return 'SwarmUI';
  return text.includes('Steps: ') && text.includes('Sampler: ') ? 'Stable Diffusion' : '';
}

export const graph = (text) => (text.includes('"class_type"') || text.includes('"last_node_id"') ? 'ComfyUI' : '');
export const job = (text) => (/Job ID: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.test(text) ? 'Midjourney' : '');

// TEXTS are the PNG keywords that are looked at: the key of the mark, and the
// program that the text speaks of. Where it must name one to be a mark, needs.
export const TEXTS = new Map([
  ['parameters', { key: 'parameters', judge: recipe }],
  ['prompt', { key: 'prompt', judge: graph }],
  ['workflow', { key: 'workflow', judge: graph }],
  ['dream', { key: 'dream', judge: () => 'InvokeAI' }],
  ['sd-metadata', { key: 'sd-metadata', judge: () => 'InvokeAI' }],
  ['invokeai_metadata', { key: 'invokeai_metadata', judge: () => 'InvokeAI' }],
  ['invokeai_graph', { key: 'invokeai_graph', judge: () => 'InvokeAI' }],
  ['fooocus_scheme', { key: 'fooocus_scheme', judge: () => 'Fooocus' }],
  ['generation_data', { key: 'generation_data', judge: () => '' }],
  ['aigc', { key: 'AIGC', kind: 'aigc', judge: () => '' }],
  ['software', { key: 'Software', needs: true, judge: known }],
  ['source', { key: 'Source', needs: true, judge: known }],
  ['comment', { key: 'Comment', needs: true, judge: (text) => graph(text) || known(text) }],
  ['description', { key: 'Description', needs: true, judge: job }],
  ['xml:com.adobe.xmp', null],
]);

// values returns the values of an XMP property that are not empty.
export function values(packet, name) {
  const out = [];
  for (let at = 0, times = 0; times < MAX_TIMES; times++) {
    const start = packet.indexOf(name, at);
    if (start < 0) break;
    at = start + name.length;
    const v = valueAt(packet, start, at);
    if (v) out.push(v);
  }
  return out;
}

function valueAt(packet, begin, at) {
  let start = begin;
  if (at < packet.length && isNamePart(packet[at])) return '';
  while (start > 0 && isNamePart(packet[start - 1])) start--;
  if (start > 0 && packet[start - 1] === '/') return '';
  const rest = packet.slice(at, at + 2 * MAX_VALUE).replace(/^[ \t\r\n]+/, '');
  if (rest[0] === '=' && inTag(packet, start)) return quoted(rest.slice(1));
  if (start === 0 || packet[start - 1] !== '<') return '';
  const end = rest.indexOf('>');
  if (end < 0) return '';
  const tag = rest.slice(0, end);
  const resource = tag.indexOf('resource=');
  if (resource >= 0) return quoted(tag.slice(resource + 'resource='.length));
  return tag.endsWith('/') ? '' : trim(rest.slice(end + 1).split('<')[0]);
}

// inTag tells whether the character at `at` stands in a tag, and not in a text.
function inTag(packet, at) {
  const before = packet.slice(Math.max(0, at - MAX_TAG), at);
  return before.lastIndexOf('<') > before.lastIndexOf('>');
}

function quoted(text) {
  const rest = text.replace(/^[ \t\r\n]+/, '');
  if (rest[0] !== '"' && rest[0] !== "'") return '';
  return trim(rest.slice(1).split(rest[0])[0]);
}

// namedSources returns the source types that stand in JSON as addresses.
export function namedSources(text) {
  const out = [];
  const start = '/digitalsourcetype/';
  for (let at = 0, times = 0; times < MAX_TIMES; times++) {
    at = text.indexOf(start, at);
    if (at < 0) break;
    at += start.length;
    out.push(sourceOf(/^[A-Za-z]*/.exec(text.slice(at, at + MAX_WORD))[0]));
  }
  return out;
}

// tells returns which sentence says best what the marks of a file say, and the
// program that it names: {say, program}.
export function tells(marks) {
  const makes = ({ generator }) => GENERATORS.some(({ name, makes }) => makes && name === generator);
  const changed = marks.find(({ source }) => source === 'compositeWithTrainedAlgorithmicMedia' || source === 'compositeSynthetic');
  const made = marks.find((mark) => mark !== changed && makes(mark));
  if (made) return { say: 'mark_made', program: made.generator };
  const byAI = ({ kind, key, source, generator }) =>
    kind === 'aigc' || (kind === 'text' && !generator) || key === 'AISystemUsed' || source === 'trainedAlgorithmicMedia' || source === 'trainedAlgorithmicData';
  if (marks.some((mark) => byAI(mark) && !mark.generator)) return { say: 'mark_ai', program: '' };
  if (changed) return { say: 'mark_changed', program: '' };
  if (marks.some(byAI)) return { say: 'mark_ai', program: '' };
  const edited = marks.find(({ generator }) => generator);
  return edited ? { say: 'mark_edited', program: edited.generator } : { say: 'mark_other', program: '' };
}
