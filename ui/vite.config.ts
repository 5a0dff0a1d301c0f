import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { '@locales': here('../assets/locales'), '@words': here('../assets/words') } },
  // The shell loads the page from this very address (devUrl of tauri.conf.json).
  server: { port: 5173, strictPort: true, fs: { allow: [here('.'), here('../assets')] } },
  build: {
    target: 'safari16',
    // A data: address would be refused by the content security policy for anything but pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
