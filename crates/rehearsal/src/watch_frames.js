const [testid] = arguments;
const seen = window.__seen = {};
const read = canvas => {
  const width = canvas.width, row = Math.floor(canvas.height / 36);
  const pixels = canvas.getContext('2d').getImageData(0, row, width, 1).data, cell = width / 16, bits = [];
  const level = i => { let sum = 0, count = 0; for (let x = Math.floor(cell * i + cell / 4); x < cell * i + cell * 3 / 4; x++) { sum += pixels[4 * x + 1]; count++; } return sum / count; };
  const white = level(0), black = level(1); if (white - black < 60) return -1;
  for (let i = 2; i < 16; i++) bits.push(level(i) > (white + black) / 2 ? 1 : 0);
  let g = 0, check = 0; for (let i = 0; i < 10; i++) g = g << 1 | bits[i]; for (let i = 10; i < 14; i++) check = check << 1 | bits[i];
  if (check !== ((g ^ g >> 4 ^ g >> 8 ^ 5) & 15)) return -1;
  let n = g; for (const shift of [1, 2, 4, 8]) n ^= n >> shift; return n;
};
const look = () => {
  const canvas = document.querySelector(`[data-testid="${testid}"]`);
  if (canvas && canvas.width) { const n = read(canvas); if (n >= 0 && !(n in seen)) seen[n] = Date.now(); }
  if (Object.keys(seen).length < 900) requestAnimationFrame(look);
};
look(); return true;
