// Undo and redo by keyboard. Left alone while somebody types.
interface Acts {
  undo: () => void
  redo: () => void
}

export function typing(event: KeyboardEvent): boolean {
  const target = event.target
  return target instanceof HTMLElement && target.matches('input:not([type="radio"], [type="range"]), textarea, select')
}

export function paperKeys({ undo, redo }: Acts): (event: KeyboardEvent) => void {
  return (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || typing(event)) return
    event.preventDefault()
    if (event.shiftKey) redo()
    else undo()
  }
}
