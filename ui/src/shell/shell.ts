// The only place that speaks with the shell.
import { Channel, invoke } from '@tauri-apps/api/core'
import type { Command } from '../bindings/Command'
import type { Event } from '../bindings/Event'

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
