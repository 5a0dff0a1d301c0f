// The picture socket with its credits: one text message `WxH` asks for one frame of at most that size; two are in flight. A frame
// is drawn as it arrives, at most one for each repaint: of more, the newest. A socket that closes is opened again, later each time.
import { parseFrame, type Frame } from './frame'

export const IN_FLIGHT = 2
const FIRST_DELAY_MS = 250
const LAST_DELAY_MS = 4000

export function delayAfter(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1), LAST_DELAY_MS)
}

export interface SocketLike {
  binaryType: string
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: (() => void) | null
  send(text: string): void
  close(): void
}

export interface Surroundings {
  /** Address of the stream; asked anew at each attempt, since the shell may have moved. */
  address(): Promise<string>
  open(address: string): SocketLike
  /** Size that the page shows, device pixels. */
  size(): { width: number; height: number }
  draw(frame: Frame): void
  /** Calls back before the next repaint. */
  nextRepaint(callback: () => void): void
  later(callback: () => void, ms: number): void
}

export class PictureSocket {
  #socket: SocketLike | null = null
  #newest: Frame | null = null
  /** Frames that have arrived and are not yet asked for again. */
  #owed = 0
  #failures = 0
  #closed = false
  #repaintAsked = false
  /** The coming repaint has its frame already. */
  #drawn = false

  constructor(private readonly around: Surroundings) {
    void this.#connect()
  }

  close(): void {
    this.#closed = true
    this.#socket?.close()
    this.#socket = null
  }

  async #connect(): Promise<void> {
    let socket: SocketLike
    try {
      const address = await this.around.address()
      if (this.#closed) return
      socket = this.around.open(address)
    } catch {
      this.#retry()
      return
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      this.#owed = IN_FLIGHT
      this.#repaint()
    }
    socket.onmessage = ({ data }) => {
      this.#owed += 1
      const frame = data instanceof ArrayBuffer ? parseFrame(data) : null
      if (frame) {
        this.#failures = 0
        this.#newest = frame
        if (!this.#drawn) this.#draw()
      }
      this.#repaint()
    }
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.#retry()
    }
  }

  #retry(): void {
    if (this.#closed) return
    this.#failures += 1
    this.around.later(() => {
      if (!this.#closed) void this.#connect()
    }, delayAfter(this.#failures))
  }

  #draw(): void {
    if (!this.#newest || this.#closed) return
    this.around.draw(this.#newest)
    this.#newest = null
    this.#drawn = true
  }

  /** Asking only at a repaint keeps a hidden window from having pictures made for it. */
  #repaint(): void {
    if (this.#repaintAsked) return
    this.#repaintAsked = true
    this.around.nextRepaint(() => {
      this.#repaintAsked = false
      if (this.#closed) return
      this.#draw()
      this.#drawn = false
      const { width, height } = this.around.size()
      for (; this.#owed > 0 && this.#socket; this.#owed -= 1) this.#socket.send(`${width}x${height}`)
    })
  }
}
