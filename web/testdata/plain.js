// For tests only: PDQ written down plainly, whole picture at a time, from the
// same public reference as /static/js/fingerprint.js, to compare bits and time.

const f32 = Math.fround;

// blur returns the running averages of count lines of n values: value i of line k
// is at k * line + i * step.
function blur(values, n, step, count, line) {
  const out = new Float32Array(values.length);
  const w = Math.ceil(n / 128);
  const half = (w + 2) >> 1;
  for (let k = 0; k < count; k++) {
    let [sum, size, right, left, to] = [0, 0, k * line, k * line, k * line];
    const take = () => {
      sum = f32(sum + values[right]);
      right += step;
    };
    const drop = () => {
      sum = f32(sum - values[left]);
      left += step;
    };
    const write = () => {
      out[to] = sum / size;
      to += step;
    };
    for (let i = 0; i < half - 1; i++, size++) take();
    for (let i = half - 1; i < w; i++) {
      take();
      size++;
      write();
    }
    for (let i = w; i < n; i++) {
      take();
      drop();
      write();
    }
    for (let i = 0; i < half - 1; i++) {
      drop();
      size--;
      write();
    }
  }
  return out;
}

// plainHash returns the hash of a picture of at least 5 x 5 pixels, without its
// quality, its turned forms, and the exception for 64 x 64.
export function plainHash(data, width, height) {
  let a = new Float32Array(width * height);
  for (let i = 0; i < a.length; i++) {
    a[i] = f32(f32(f32(0.299) * data[4 * i]) + f32(f32(0.587) * data[4 * i + 1])) + f32(f32(0.114) * data[4 * i + 2]);
  }
  for (let round = 0; round < 2; round++) {
    a = blur(a, width, 1, height, width);
    a = blur(a, height, width, width, 1);
  }
  const small = new Float32Array(64 * 64);
  for (let i = 0; i < 64; i++) {
    for (let j = 0; j < 64; j++) {
      small[i * 64 + j] = a[Math.floor(((i + 0.5) * height) / 64) * width + Math.floor(((j + 0.5) * width) / 64)];
    }
  }
  const cosine = (i, j) => f32(f32(Math.sqrt(2 / 64)) * Math.cos((Math.PI / 128) * (i + 1) * (2 * j + 1)));
  const product = (left, right) => {
    const out = new Float32Array(16 * 16 * 4);
    const rows = left.length / 64;
    const columns = right.length / 64;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < 64; k++) sum = f32(sum + f32(left[i * 64 + k] * right[k * columns + j]));
        out[i * columns + j] = sum;
      }
    }
    return out.subarray(0, rows * columns);
  };
  const forward = Float32Array.from({ length: 16 * 64 }, (_, at) => cosine(at >> 6, at & 63));
  const backward = Float32Array.from({ length: 64 * 16 }, (_, at) => cosine(at & 15, at >> 4));
  const b = product(product(forward, small), backward);
  const median = b.slice().sort()[127];
  let text = '';
  for (let k = 252; k >= 0; k -= 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) if (b[k + bit] > median) digit |= 1 << bit;
    text += digit.toString(16);
  }
  return text;
}
