// The paper by keyboard. Left alone while somebody types.
import { COLOUR_KEYS, COLOURS, TOOL_KEYS, TOOLS, tools } from './tools.svelte'

export interface Acts {
  undo: () => void
  redo: () => void
  clear: () => void
  /** Where there is something to save. */
  save?: () => void
}

export function typing(event: KeyboardEvent): boolean {
  const target = event.target
  return target instanceof HTMLElement && target.matches('input:not([type="radio"], [type="range"], [type="color"]), textarea, select')
}

function withControl(event: KeyboardEvent, { undo, redo, save }: Acts): (() => void) | undefined {
  switch (event.key.toLowerCase()) {
    case 'z':
      return event.shiftKey ? redo : undo
    case 'y':
      return redo
    case 's':
      return save
    default:
      return undefined
  }
}

function plain(event: KeyboardEvent, { clear }: Acts): (() => void) | undefined {
  const key = event.key.toUpperCase()
  if (event.key === 'Delete' && event.shiftKey) return clear
  if (event.shiftKey) return undefined
  if (key === '[' || key === ']') return () => tools.resize(key === '[' ? -1 : 1)
  const tool = TOOLS.find((name) => TOOL_KEYS[name] === key)
  if (tool) return () => tools.choose(tool)
  const colour = COLOURS[COLOUR_KEYS.indexOf(key)]
  return colour && (() => tools.paint(colour.value))
}

export function paperKeys(acts: Acts): (event: KeyboardEvent) => void {
  return (event) => {
    if (typing(event) || event.altKey) return
    const act = event.ctrlKey || event.metaKey ? withControl(event, acts) : plain(event, acts)
    if (!act) return
    event.preventDefault()
    act()
  }
}
