// What the built page weighs on its way: node e2e/size.mjs
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const MOST = 200_000
const folder = new URL('../dist/assets/', import.meta.url)
const files = readdirSync(folder).filter((name) => /\.(js|css)$/.test(name))
const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length, 0)
const fits = files.length > 1 && bytes < MOST
console.log(`${fits ? 'ok    ' : 'FAILED'}  JS and CSS are ${bytes} bytes in gzip, of ${MOST} at most`)
process.exit(fits ? 0 : 1)
