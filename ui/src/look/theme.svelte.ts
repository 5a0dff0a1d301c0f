// Day paper, night paper, or as the system says. Remembered by this window alone.
export type Theme = 'auto' | 'day' | 'night'
export const themes: readonly Theme[] = ['auto', 'day', 'night']

const STORED = 'visavis.theme'
const chosen = $state<{ theme: Theme }>({ theme: 'auto' })

export function theme(): Theme {
  return chosen.theme
}

export function setTheme(next: Theme): void {
  chosen.theme = next
  localStorage.setItem(STORED, next)
  show()
}

export function startTheme(): void {
  const stored = localStorage.getItem(STORED)
  chosen.theme = themes.find((name) => name === stored) ?? 'auto'
  show()
}

function show(): void {
  if (chosen.theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen.theme
}
