// The frames of the picture socket: a header of 24 bytes, little-endian, then tight I420.

export const HEADER_BYTES = 24
/** "VVF1" */
const MAGIC = 0x31465656
const FLAG_VEILED = 1
/** Beyond any camera; a larger claim is a malformed frame. */
const MAX_SIDE = 4096

export interface Frame {
  width: number
  height: number
  sequence: number
  /** Unix time, milliseconds with a fraction. */
  capturedMs: number
  veiled: boolean
  /** Y, then U, then V; chroma planes are half the size, rounded up. */
  planes: Uint8Array<ArrayBuffer>
}

/** `null` for anything that is not exactly one frame. */
export function parseFrame(bytes: ArrayBuffer): Frame | null {
  if (bytes.byteLength < HEADER_BYTES) return null
  const view = new DataView(bytes)
  if (view.getUint32(0, true) !== MAGIC) return null
  const width = view.getUint16(4, true)
  const height = view.getUint16(6, true)
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) return null
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2)
  if (bytes.byteLength !== HEADER_BYTES + width * height + 2 * chroma) return null
  return {
    width,
    height,
    sequence: view.getUint32(8, true),
    capturedMs: Number(view.getBigUint64(12, true)) / 1000,
    veiled: (view.getUint32(20, true) & FLAG_VEILED) !== 0,
    planes: new Uint8Array(bytes, HEADER_BYTES),
  }
}

/** BT.601, limited range, to RGBA. `out` holds width * height * 4 bytes. */
export function toRgba(frame: Frame, out: Uint8ClampedArray): void {
  const { width, height, planes } = frame
  const chromaWidth = Math.ceil(width / 2)
  const u = width * height
  const v = u + chromaWidth * Math.ceil(height / 2)
  let to = 0
  for (let row = 0; row < height; row += 1) {
    const lumaRow = row * width
    const chromaRow = (row >> 1) * chromaWidth
    for (let column = 0; column < width; column += 1) {
      const luma = 298 * ((planes[lumaRow + column] ?? 0) - 16) + 128
      const cb = (planes[u + chromaRow + (column >> 1)] ?? 0) - 128
      const cr = (planes[v + chromaRow + (column >> 1)] ?? 0) - 128
      out[to] = (luma + 409 * cr) >> 8
      out[to + 1] = (luma - 100 * cb - 208 * cr) >> 8
      out[to + 2] = (luma + 516 * cb) >> 8
      out[to + 3] = 255
      to += 4
    }
  }
}
