import './look/tokens.css'
import './look/base.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { startComfort } from './comfort/comfort.svelte'
import { startTheme } from './look/theme.svelte'
import { sounds } from './games/sounds.svelte'
import { listen } from './shell/state.svelte'
import { startWords } from './words/words.svelte'

startTheme()
startComfort()
sounds.start()
listen()

const target = document.getElementById('app')
// Not one word in another language first.
void startWords().then(() => target && mount(App, { target }))
