import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

/** Two components of one name would share their styles: the build stops. */
const names = new Map()
function shortName({ hash, css, filename }) {
  // The same on every machine.
  const file = filename?.split('/ui/').pop() ?? css
  const name = `s${hash(file).slice(0, 3)}`
  if ((names.get(name) ?? file) !== file) throw new Error(`${file} and ${names.get(name)} would both be ${name}`)
  names.set(name, file)
  return name
}

export default {
  preprocess: vitePreprocess({ script: false }),
  compilerOptions: { runes: true, discloseVersion: false, cssHash: shortName },
}
