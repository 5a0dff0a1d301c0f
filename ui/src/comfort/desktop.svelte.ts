// What the desktop does for this window: the tray, notifications, a key to speak with from any program. The shell keeps what is
// chosen; its words are given to it from here.
import type { DesktopView } from '../bindings/DesktopView'
import type { Preferences } from '../bindings/Preferences'
import type { View } from '../bindings/View'
import { askDesktop, changeDesktop, say } from '../shell/shell'
import { t } from '../words/words.svelte'

class Desktop {
  /** `null` until the shell has answered, and where it does not. */
  view = $state.raw<DesktopView | null>(null)

  /** Again in each new language. */
  async speak(): Promise<void> {
    this.view = await askDesktop({ open: t('tray.open'), leave: t('tray.leave') })
  }

  async change(change: Partial<Preferences>): Promise<void> {
    if (this.view) this.view = (await changeDesktop({ ...this.view.preferences, ...change })) ?? this.view
  }
}

export const desktop = new Desktop()

const SAID = { match: 'say.match', ring: 'say.ring', text: 'say.text' } as const

/** What is worth saying to somebody who looks elsewhere: the one thing that is new in the later view. */
export function worthSaying(before: View, now: View): 'match' | 'ring' | 'text' | null {
  if (now.page.page === 'match' && before.page.page !== 'match') return 'match'
  if (now.ring && !now.ring.outgoing && !before.ring) return 'ring'
  return now.unread > before.unread ? 'text' : null
}

/** Follows the views; the shell stays silent while the window is in front. Nobody's name goes onto a desktop that others may see. */
export function teller(): (view: View) => void {
  let before: View | null = null
  return (view) => {
    const what = before && worthSaying(before, view)
    before = view
    if (what) say(t('app.name'), t(SAID[what]))
  }
}

/** The name that the shell knows a pressed key by, `null` while only Ctrl and its like are held. */
export function shellKey(event: Pick<KeyboardEvent, 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>): string | null {
  if (/^(Control|Shift|Alt|Meta)(Left|Right)$/.test(event.code)) return null
  const held = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift', event.metaKey && 'Super']
  return [...held.filter((name) => name !== false), event.code].join('+')
}
