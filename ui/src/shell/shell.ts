// The only place that speaks with the shell.
import { Channel, invoke } from '@tauri-apps/api/core'
import type { Command } from '../bindings/Command'
import type { DesktopView } from '../bindings/DesktopView'
import type { Event } from '../bindings/Event'
import type { Preferences } from '../bindings/Preferences'
import type { UpdateStep } from '../bindings/UpdateStep'
import type { UpdateView } from '../bindings/UpdateView'

export function act(command: Command): void {
  // What comes of a command is told by the next view; a refused call means that the window is closing.
  invoke('act', { command }).catch(() => undefined)
}

/** The first events are the current view and the current paper. */
export async function subscribe(onEvent: (event: Event) => void): Promise<void> {
  const channel = new Channel<Event>()
  channel.onmessage = onEvent
  await invoke('subscribe', { channel })
}

/** Address under which the pictures are served, without the name of the stream. */
export async function screen(): Promise<string> {
  return (await invoke<{ url: string }>('screen')).url
}

/** Gives the tray its words and tells what was chosen; `null` where there is no such desktop. */
export async function askDesktop(words: { open: string; leave: string }): Promise<DesktopView | null> {
  return await invoke<DesktopView | null>('desktop', { words }).catch(() => null)
}

export async function changeDesktop(preferences: Preferences): Promise<DesktopView | null> {
  return await invoke<DesktopView | null>('set_desktop', { preferences }).catch(() => null)
}

/** Above other windows, as large as one picture; whether it is so. */
export async function setSmall(on: boolean): Promise<boolean> {
  return (await invoke<boolean | null>('set_small', { on }).catch(() => null)) === true
}

/** On the desktop, while the window is not in front. */
export function say(title: string, body: string): void {
  invoke('say', { title, body }).catch(() => undefined)
}

/** Takes one step towards a newer version; `onView` hears how it goes. */
export async function update(step: UpdateStep, onView: (view: UpdateView) => void): Promise<void> {
  const channel = new Channel<UpdateView>()
  channel.onmessage = onView
  // A shell without updates has no such command.
  onView((await invoke<UpdateView | null>('update', { step, channel }).catch(() => null)) ?? { state: 'off' })
}
