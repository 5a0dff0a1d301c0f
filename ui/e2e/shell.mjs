// A scripted shell for a page in a browser: the calls of Tauri, a fixed view, and the two picture sockets.
import { frame } from './frames.mjs'
import { operations, viewOf } from './views.mjs'

export const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const SCREEN = 'ws://127.0.0.1:9/token'

/** Runs in the page, before its own code. */
function internals({ first, screen }) {
  const callbacks = new Map()
  const commands = []
  const said = []
  const small = []
  let chosen = { notifications: true, tray: true, stay_in_tray: false, talk_key: null }
  const desktop = () => ({ preferences: chosen, tray_works: true, talk_key_problem: chosen.talk_key === 'KeyT' ? 'unusable' : null })
  // How updates stand; without a configuration there are none. A step first tells the one, then answers with the other.
  const updates = { now: { state: 'off' }, steps: {}, taken: [] }
  let last = 0
  let deliver = () => undefined
  window.scripted = { commands, said, small, updates, say: (event) => deliver(event) }
  window.__TAURI_INTERNALS__ = {
    transformCallback(callback) {
      last += 1
      callbacks.set(last, callback)
      return last
    },
    unregisterCallback: (id) => callbacks.delete(id),
    async invoke(name, given) {
      if (name === 'act') commands.push(given.command)
      if (name === 'say') said.push(given.body)
      if (name === 'set_desktop') chosen = given.preferences
      if (name === 'desktop' || name === 'set_desktop') return desktop()
      if (name === 'set_small') {
        small.push(given.on)
        return given.on
      }
      if (name === 'update') {
        const [told, answer] = updates.steps[given.step] ?? []
        if (given.step !== 'look') updates.taken.push(given.step)
        if (told) callbacks.get(given.channel.id)({ message: told, index: 0 })
        updates.now = answer ?? updates.now
        return updates.now
      }
      if (name === 'screen') return { url: screen }
      if (name === 'subscribe') {
        let index = 0
        deliver = (message) => callbacks.get(given.channel.id)({ message, index: index++ })
        for (const event of first) deliver(event)
      }
      return null
    },
  }
}

/**
 * Makes the page meet this shell; resolves to the picture sockets that it opens. With `pictures`, an address of sockets.mjs, they
 * are real ones: else the browser's remote control carries each picture, which costs the page more than the picture itself.
 */
export async function scripted(page, state, pictures) {
  const first = [
    { event: 'view', view: viewOf(state) },
    { event: 'paper', own: 0, ground: null, items: operations },
    { event: 'microphone_level', level: 0.42 },
  ]
  await page.addInitScript(internals, { first, screen: pictures ?? SCREEN })
  const sockets = []
  if (pictures) return sockets
  await page.routeWebSocket(`${SCREEN}/*`, (socket) => {
    const who = socket.url().split('/').at(-1)
    let sequence = 0
    sockets.push({ who, close: () => socket.close() })
    socket.onMessage((wanted) => {
      if (!/^\d+x\d+$/.test(String(wanted))) throw new Error(`not a credit: ${wanted}`)
      if (state.silent?.includes(who)) return
      sequence += 1
      setTimeout(() => socket.send(frame(who, state.veiled?.[who] ?? false, sequence)), 33)
    })
  })
  return sockets
}
