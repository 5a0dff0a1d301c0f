import { describe, expect, it } from 'vitest'
import { HEADER_BYTES, parseFrame, toRgba } from './frame'

function message(width: number, height: number, bytes = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)): DataView {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + bytes))
  view.setUint32(0, 0x31465656, true)
  view.setUint16(4, width, true)
  view.setUint16(6, height, true)
  view.setUint32(8, 4_000_000_000, true)
  view.setBigUint64(12, 2n ** 40n + 7n, true)
  view.setUint32(20, 1, true)
  return view
}

describe('parseFrame', () => {
  it('reads the header, little-endian', () => {
    expect([...new Uint8Array(message(4, 2).buffer, 0, 4)].map((byte) => String.fromCharCode(byte)).join('')).toBe('VVF1')
    const frame = parseFrame(message(4, 2).buffer as ArrayBuffer)
    expect(frame).toMatchObject({ width: 4, height: 2, sequence: 4_000_000_000, capturedMs: (2 ** 40 + 7) / 1000, veiled: true })
    expect(frame?.planes.length).toBe(12)
  })

  it('takes odd sizes, chroma rounded up', () => {
    expect(parseFrame(message(3, 3).buffer as ArrayBuffer)?.planes.length).toBe(9 + 8)
  })

  it('looks at the first flag alone', () => {
    const view = message(2, 2)
    view.setUint32(20, 2, true)
    expect(parseFrame(view.buffer as ArrayBuffer)?.veiled).toBe(false)
  })

  it('refuses everything else', () => {
    const wrongMagic = message(4, 2)
    wrongMagic.setUint32(0, 0x32465656, true)
    for (const view of [wrongMagic, message(0, 2), message(4, 2, 11), message(4, 2, 13), message(4098, 2)]) {
      expect(parseFrame(view.buffer as ArrayBuffer)).toBeNull()
    }
    for (let size = 0; size < HEADER_BYTES + 12; size += 1) {
      expect(parseFrame(message(4, 2).buffer.slice(0, size) as ArrayBuffer)).toBeNull()
    }
  })
})

describe('toRgba', () => {
  it('converts the primaries of BT.601, limited range', () => {
    const colours: [number, number, number, number[]][] = [
      [235, 128, 128, [255, 255, 255]],
      [16, 128, 128, [0, 0, 0]],
      [81, 90, 240, [255, 0, 0]],
      [145, 54, 34, [0, 255, 0]],
      [41, 240, 110, [0, 0, 255]],
    ]
    for (const [y, u, v, rgb] of colours) {
      const planes = new Uint8Array(6).fill(y, 0, 4)
      planes[4] = u
      planes[5] = v
      const out = new Uint8ClampedArray(16)
      toRgba({ width: 2, height: 2, sequence: 0, capturedMs: 0, veiled: false, planes }, out)
      for (let pixel = 0; pixel < 4; pixel += 1) {
        rgb.forEach((part, index) => expect(Math.abs((out[pixel * 4 + index] ?? 0) - part)).toBeLessThanOrEqual(2))
        expect(out[pixel * 4 + 3]).toBe(255)
      }
    }
  })
})
