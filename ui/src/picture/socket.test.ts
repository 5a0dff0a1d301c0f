import { beforeEach, describe, expect, it } from 'vitest'
import type { Frame } from './frame'
import { delayAfter, IN_FLIGHT, PictureSocket, type SocketLike } from './socket'

class FakeSocket implements SocketLike {
  binaryType = ''
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null
  readonly sent: string[] = []
  closed = false
  send(text: string): void {
    this.sent.push(text)
  }
  close(): void {
    this.closed = true
    this.onclose?.()
  }
}

function bytes(sequence: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(24 + 6))
  view.setUint32(0, 0x31465656, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 2, true)
  view.setUint32(8, sequence, true)
  return view.buffer
}

let sockets: FakeSocket[]
let drawn: Frame[]
let repaints: (() => void)[]
let timers: { callback: () => void; ms: number }[]
let size: { width: number; height: number }

function start(): PictureSocket {
  return new PictureSocket({
    address: () => Promise.resolve('ws://127.0.0.1:1/token/own'),
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    size: () => size,
    draw: (frame) => drawn.push(frame),
    nextRepaint: (callback) => repaints.push(callback),
    later: (callback, ms) => timers.push({ callback, ms }),
  })
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
const repaint = (): void => repaints.splice(0).forEach((callback) => callback())
const latest = (): FakeSocket => {
  const socket = sockets.at(-1)
  if (!socket) throw new Error('no socket was opened')
  return socket
}

beforeEach(() => {
  sockets = []
  drawn = []
  repaints = []
  timers = []
  size = { width: 640, height: 360 }
})

describe('PictureSocket', () => {
  it('draws a frame as it arrives, and of more than one before a repaint the newest', async () => {
    start()
    await settle()
    latest().onopen?.()
    repaint()
    latest().onmessage?.({ data: bytes(1) })
    expect(drawn.map(({ sequence }) => sequence)).toEqual([1])
    latest().onmessage?.({ data: bytes(2) })
    latest().onmessage?.({ data: bytes(3) })
    expect(drawn).toHaveLength(1)
    repaint()
    expect(drawn.map(({ sequence }) => sequence)).toEqual([1, 3])
    expect(latest().sent.length).toBe(2 * IN_FLIGHT + 1)
  })

  it('asks for two frames and then for one for each that came, in the size shown then', async () => {
    start()
    await settle()
    latest().onopen?.()
    repaint()
    expect(latest().sent).toEqual(Array.from({ length: IN_FLIGHT }, () => '640x360'))
    size = { width: 336, height: 189 }
    latest().onmessage?.({ data: bytes(1) })
    repaint()
    expect(latest().sent.slice(IN_FLIGHT)).toEqual(['336x189'])
    expect(drawn.map(({ sequence }) => sequence)).toEqual([1])
  })

  it('asks for nothing while the window is not painted', async () => {
    start()
    await settle()
    latest().onopen?.()
    latest().onmessage?.({ data: bytes(1) })
    expect(latest().sent).toEqual([])
  })

  it('passes over what is no frame, and goes on', async () => {
    start()
    await settle()
    latest().onopen?.()
    repaint()
    latest().onmessage?.({ data: 'hello' })
    latest().onmessage?.({ data: new ArrayBuffer(7) })
    repaint()
    expect(drawn).toEqual([])
    expect(latest().sent.length).toBe(2 * IN_FLIGHT)
  })

  it('opens a closed socket again, later each time until a frame comes', async () => {
    start()
    for (const ms of [250, 500, 1000]) {
      await settle()
      latest().onclose?.()
      expect(timers.at(-1)?.ms).toBe(ms)
      timers.at(-1)?.callback()
    }
    await settle()
    latest().onopen?.()
    latest().onmessage?.({ data: bytes(1) })
    latest().onclose?.()
    expect(timers.at(-1)?.ms).toBe(250)
    expect(delayAfter(40)).toBe(4000)
  })

  it('is quiet once closed', async () => {
    const picture = start()
    await settle()
    const socket = latest()
    socket.onopen?.()
    picture.close()
    repaint()
    expect(socket.closed).toBe(true)
    expect(socket.sent).toEqual([])
    expect(timers).toEqual([])
  })
})
