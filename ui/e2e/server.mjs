// Serves the built page as the shell does: from one origin, under the content security policy of tauri.conf.json.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const dist = fileURLToPath(new URL('../dist/', import.meta.url))

/** Resolves to the server and its address, on a free loopback port. */
export async function serve() {
  const tauri = JSON.parse(await readFile(new URL('../../tauri.conf.json', import.meta.url), 'utf8'))
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    try {
      const body = await readFile(join(dist, path === '/' ? 'index.html' : path))
      response.writeHead(200, {
        'content-type': types[extname(path)] ?? 'text/html',
        'content-security-policy': tauri.app.security.csp,
      })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, address: `http://127.0.0.1:${server.address().port}/` }
}
