// Which of the window's own pages lies over what the shell shows.
export type PanelName = 'settings' | 'keys'

class Panel {
  open = $state<PanelName | null>(null)
  #before: Element | null = null

  show(name: PanelName): void {
    if (this.open === null) this.#before = document.activeElement
    this.open = name
  }

  /** The focus goes back to where it came from. */
  close(): void {
    this.open = null
    const before = this.#before
    this.#before = null
    queueMicrotask(() => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    })
  }

  toggle(name: PanelName): void {
    if (this.open === name) this.close()
    else this.show(name)
  }
}

export const panel = new Panel()
