// What can change no more, as one picture below everything else. It outlives the sheet that shows it, and does not follow the
// sheet's size, so that it loses nothing when a window is made smaller and larger again.
import type { Item } from '../bindings/Item'
import { CELL_COLUMNS, CELL_ROWS } from './fill'
import { draw, onPaper, wipe } from './marks'
import type { Ground } from './model'

export class GroundPicture implements Ground {
  #canvas: HTMLCanvasElement | null = null
  #loads = 0

  /** `loaded` is called when a picture that began the paper has come. */
  constructor(private readonly loaded: () => void) {}

  /** Nothing until something was frozen. */
  get canvas(): HTMLCanvasElement | null {
    return this.#canvas
  }

  freeze(items: readonly Item[]): void {
    const context = onPaper(this.#made())
    if (!context) return
    for (const { op, shown } of items) if (shown) draw(context, op.kind)
  }

  begin(picture: string | null): void {
    this.#loads += 1
    const context = this.#canvas && onPaper(this.#canvas)
    if (context) wipe(context)
    if (picture === null) return
    const [load, image] = [this.#loads, new Image()]
    image.onload = () => {
      const canvas = this.#made()
      if (load !== this.#loads) return
      canvas.getContext('2d')?.resetTransform()
      canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
      this.loaded()
    }
    image.src = picture
  }

  #made(): HTMLCanvasElement {
    if (!this.#canvas) {
      const fine = devicePixelRatio > 1.25 ? 2 : 1
      this.#canvas = document.createElement('canvas')
      this.#canvas.width = CELL_COLUMNS * fine
      this.#canvas.height = CELL_ROWS * fine
    }
    return this.#canvas
  }
}
