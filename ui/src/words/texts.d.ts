// A catalogue without its keys, made by the plugin of vite.config.ts.
declare module '@locales/*?texts' {
  const texts: readonly string[]
  export default texts
}
