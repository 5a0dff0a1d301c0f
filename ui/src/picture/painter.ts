// Puts a frame on a 2D canvas: by a WebCodecs VideoFrame where the webview has one that takes I420, else by converting here.
// The canvas keeps the size of the picture, so that its pixels can be read back as they came.
import { toRgba, type Frame } from './frame'

type Paint = (context: CanvasRenderingContext2D, frame: Frame) => void

const byVideoFrame: Paint = (context, frame) => {
  const picture = new VideoFrame(frame.planes, {
    format: 'I420',
    codedWidth: frame.width,
    codedHeight: frame.height,
    timestamp: 0,
    colorSpace: { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false },
  })
  try {
    context.drawImage(picture, 0, 0, frame.width, frame.height)
  } finally {
    picture.close()
  }
}

function byConversion(): Paint {
  let image: ImageData | null = null
  return (context, frame) => {
    if (image?.width !== frame.width || image.height !== frame.height) image = new ImageData(frame.width, frame.height)
    toRgba(frame, image.data)
    context.putImageData(image, 0, 0)
  }
}

let probed: boolean | null = null

/** Draws one small picture and looks at it: a webview may have the class without the format. */
function videoFrameWorks(): boolean {
  if (probed !== null) return probed
  probed = false
  try {
    const canvas = document.createElement('canvas')
    canvas.width = 16
    canvas.height = 16
    const context = canvas.getContext('2d', { willReadFrequently: true })
    const planes = new Uint8Array(16 * 16 * 1.5).fill(128)
    planes.fill(235, 0, 256)
    if (context && 'VideoFrame' in globalThis) {
      byVideoFrame(context, { width: 16, height: 16, sequence: 0, capturedMs: 0, veiled: false, planes })
      probed = (context.getImageData(8, 8, 1, 1).data[1] ?? 0) > 200
    }
  } catch {
    probed = false
  }
  return probed
}

export class Painter {
  readonly #context: CanvasRenderingContext2D
  #paint: Paint

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false })
    if (!context) throw new Error('the webview gives no 2D canvas')
    this.#context = context
    this.#paint = videoFrameWorks() ? byVideoFrame : byConversion()
  }

  draw(frame: Frame): void {
    if (this.canvas.width !== frame.width) this.canvas.width = frame.width
    if (this.canvas.height !== frame.height) this.canvas.height = frame.height
    try {
      this.#paint(this.#context, frame)
    } catch {
      this.#paint = byConversion()
      this.#paint(this.#context, frame)
    }
    this.canvas.dataset.sequence = String(frame.sequence)
    // How old it is now that it is drawn; the benches read it.
    this.canvas.dataset.age = (performance.timeOrigin + performance.now() - frame.capturedMs).toFixed(1)
    this.canvas.dataset.veiled = String(frame.veiled)
  }
}
