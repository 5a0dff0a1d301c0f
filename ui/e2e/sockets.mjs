// The picture sockets of the shell, real ones: a loopback WebSocket server (RFC 6455) that answers each credit with a picture at
// 30 a second at most, as src-tauri/src/screen.rs does. What a page does with its pictures is measured without a browser's
// own remote control carrying them.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { frame } from './frames.mjs'

/** Of RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const PICTURE_MS = 1000 / 30
const [TEXT, BINARY, CLOSE] = [1, 2, 8]

function message(opcode, payload) {
  const header = payload.length < 126 ? Buffer.alloc(2) : payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  header[0] = 0x80 | opcode
  if (header.length === 2) header[1] = payload.length
  else if (header.length === 4) header.writeUInt16BE(payload.length, header.writeUInt8(126, 1))
  else header.writeBigUInt64BE(BigInt(payload.length), header.writeUInt8(127, 1))
  return Buffer.concat([header, payload])
}

/** Short unfragmented messages of a browser, unmasked; what is not whole yet stays. */
function* messages(bytes) {
  while (bytes.held.length >= 6) {
    const length = bytes.held[1] & 0x7f
    if (length > 125) throw new Error('a longer message than any credit')
    if (bytes.held.length < 6 + length) return
    const [mask, payload] = [bytes.held.subarray(2, 6), bytes.held.subarray(6, 6 + length)]
    const opcode = bytes.held[0] & 0x0f
    bytes.held = bytes.held.subarray(6 + length)
    yield { opcode, text: Buffer.from(payload.map((byte, at) => byte ^ mask[at % 4])).toString() }
  }
}

/** Resolves to the address under which the streams of a state are served, and the way to end them. */
export async function servePictures(state) {
  const server = createServer((_, response) => response.writeHead(404).end())
  server.on('upgrade', (request, socket) => {
    const who = request.url.split('/').at(-1)
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + MAGIC).digest('base64')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    socket.setNoDelay(true)
    const bytes = { held: Buffer.alloc(0) }
    let [credits, sequence] = [0, 0]
    // A camera makes its pictures at its own pace; whoever has no credit then waits for the next.
    const camera = setInterval(() => {
      if (credits === 0) return
      credits -= 1
      sequence += 1
      socket.write(message(BINARY, frame(who, state.veiled?.[who] ?? false, sequence)))
    }, PICTURE_MS)
    socket.on('data', (data) => {
      bytes.held = Buffer.concat([bytes.held, data])
      for (const { opcode, text } of messages(bytes)) {
        if (opcode === CLOSE) socket.end()
        else if (opcode !== TEXT || !/^\d+x\d+$/.test(text)) throw new Error(`not a credit: ${text}`)
        else credits += 1
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clearInterval(camera))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `ws://127.0.0.1:${server.address().port}/token`, close: () => server.close() }
}
