// Pictures for the scripted shell: a drawn person in I420, plain or as a mosaic, in the format of the picture socket.
// Raw I420 files of 640x360 may take their place (`VISAVIS_OWN`, `VISAVIS_PEER`).
import { readFileSync } from 'node:fs'

const MAGIC = 0x31465656
const WIDTH = 640
const HEIGHT = 360

const clamp = (value) => Math.max(0, Math.min(255, Math.round(value)))

/** Colour of a place in the picture; `who` changes hair, clothes and wall. */
function person(x, y, who) {
  const [wall, hair, shirt, skin] =
    who === 'own'
      ? [[196, 184, 160], [58, 40, 28], [62, 92, 104], [214, 168, 138]]
      : [[148, 160, 158], [34, 30, 30], [150, 76, 60], [176, 124, 92]]
  const centre = 320
  const inside = (cx, cy, rx, ry) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
  const light = 1.08 - 0.28 * (x / WIDTH) - 0.1 * (y / HEIGHT)
  let colour = wall
  if (inside(centre, 395, 170, 130)) colour = shirt
  if (inside(centre, 250, 34, 60)) colour = skin.map((part) => part * 0.88)
  if (inside(centre, 140, 86, 104)) colour = hair
  if (inside(centre, 168, 68, 88) && y > 118 - 14 * Math.cos((x - centre) / 30)) {
    colour = skin
    if (inside(294, 160, 9, 5) || inside(346, 160, 9, 5)) colour = [40, 30, 26]
    if (inside(320, 190, 8, 14)) colour = skin.map((part) => part * 0.92)
    if (inside(320, 214, 24, 9) && y > 213) colour = [150, 70, 62]
  }
  return colour.map((part) => part * light)
}

function i420(who) {
  const given = process.env[who === 'own' ? 'VISAVIS_OWN' : 'VISAVIS_PEER']
  if (given) return new Uint8Array(readFileSync(given)).slice(0, WIDTH * HEIGHT * 1.5)
  const planes = new Uint8Array(WIDTH * HEIGHT * 1.5)
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const [r, g, b] = person(x, y, who)
      planes[y * WIDTH + x] = clamp(16 + 0.257 * r + 0.504 * g + 0.098 * b)
      if (x % 2 === 0 && y % 2 === 0) {
        const at = (y / 2) * (WIDTH / 2) + x / 2
        planes[WIDTH * HEIGHT + at] = clamp(128 - 0.148 * r - 0.291 * g + 0.439 * b)
        planes[WIDTH * HEIGHT * 1.25 + at] = clamp(128 + 0.439 * r - 0.368 * g - 0.071 * b)
      }
    }
  }
  return planes
}

/** Each plane in blocks of its mean: 32 x 18 of them. */
function mosaic(planes) {
  const out = planes.slice()
  let start = 0
  for (const scale of [1, 2, 2]) {
    const [width, height, side] = [WIDTH / scale, HEIGHT / scale, 20 / scale]
    for (let top = 0; top < height; top += side) {
      for (let left = 0; left < width; left += side) {
        let sum = 0
        for (let y = 0; y < side; y += 1) for (let x = 0; x < side; x += 1) sum += planes[start + (top + y) * width + left + x]
        for (let y = 0; y < side; y += 1) out.fill(sum / side ** 2, start + (top + y) * width + left, start + (top + y) * width + left + side)
      }
    }
    start += width * height
  }
  return out
}

const pictures = new Map()

/** One message of the socket. */
export function frame(who, veiled, sequence) {
  const name = `${who} ${veiled}`
  if (!pictures.has(name)) pictures.set(name, veiled ? mosaic(i420(who)) : i420(who))
  const planes = pictures.get(name)
  const message = Buffer.alloc(24 + planes.length)
  message.writeUInt32LE(MAGIC, 0)
  message.writeUInt16LE(WIDTH, 4)
  message.writeUInt16LE(HEIGHT, 6)
  message.writeUInt32LE(sequence, 8)
  message.writeBigUInt64LE(BigInt(sequence) * 33_333n, 12)
  message.writeUInt32LE(veiled ? 1 : 0, 20)
  message.set(planes, 24)
  return message
}
