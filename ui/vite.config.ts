import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** `@locales/xx.json?texts`: the texts alone, in the order of the English catalogue's keys, which need not be written eight times. */
const texts: Plugin = {
  name: 'texts',
  enforce: 'pre',
  resolveId: (id) => (id.startsWith('@locales/') && id.endsWith('?texts') ? here(`../assets/locales/${id.slice(9)}`) : undefined),
  load(id) {
    if (!id.endsWith('?texts')) return
    const [english, other] = [here('../assets/locales/en.json'), id.slice(0, -'?texts'.length)].map((path) => {
      this.addWatchFile(path)
      return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
    })
    const all = Object.keys(english ?? {}).map((key) => other?.[key] ?? '')
    // One text a line takes less than a list of them; none has a line end (a test).
    return { code: `export default ${JSON.stringify(all.join('\n'))}.split('\\n')`, moduleType: 'js' }
  },
}

type Strokes = [element: string, attributes: Record<string, string>][]

/** Icons are drawn by src/parts/Icon.svelte: an icon that it cannot read stops the build. */
const icons: Plugin = {
  name: 'icons',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('/@lucide/svelte/dist/icons/') || !id.endsWith('.svelte')) return undefined
    const data = /const iconData = (.*);\n/.exec(code)?.[1] ?? ''
    const { node } = JSON.parse(data) as { node: Strokes }
    const strokes = node.map(([element, attributes]) => {
      const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`)
      return `<${element}${written.join('')}/>`
    })
    return `<script>import Icon from '${here('./src/parts/Icon.svelte')}'; let { size, strokeWidth } = $props()</script>
<Icon {size} {strokeWidth} strokes='${strokes.join('')}' />`
  },
}

/** Short names of styles. Two files of one name would share theirs: the build stops. */
const files = new Map<string, string>()
const cssHash = ({ hash, css, filename }: { hash: (text: string) => string; css: string; filename?: string }): string => {
  // The same on every machine.
  const file = filename?.split('/ui/').pop() ?? css
  const name = `s${hash(file).slice(0, 3)}`
  const other = files.get(name) ?? file
  if (other !== file) throw new Error(`${file} and ${other} would both be ${name}`)
  files.set(name, file)
  return name
}

/** Files that are as they were are not written again: the program that has the page in it would be compiled anew for nothing. */
const unchanged: Plugin = {
  name: 'unchanged',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler({ dir = here('./dist') }, bundle) {
      const before = existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()) : []
      for (const { parentPath, name } of before) {
        const path = join(parentPath, name)
        const made = bundle[path.slice(dir.length + 1).replaceAll('\\', '/')]
        if (!made) rmSync(path)
        else if (readFileSync(path).equals(Buffer.from(made.type === 'chunk' ? made.code : made.source))) Reflect.deleteProperty(bundle, made.fileName)
      }
    },
  },
}

export default defineConfig({
  plugins: [texts, icons, svelte({ compilerOptions: { cssHash } }), unchanged],
  resolve: { alias: { '@locales': here('../assets/locales'), '@words': here('../assets/words') } },
  // The shell loads the page from this very address (devUrl of tauri.conf.json).
  server: { port: 5173, strictPort: true, fs: { allow: [here('.'), here('../assets')] } },
  build: {
    target: 'safari16',
    // Left to the plugin that keeps what has not changed.
    emptyOutDir: false,
    // A data: address would be refused by the content security policy for anything but pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
