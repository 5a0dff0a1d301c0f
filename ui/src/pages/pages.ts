import type { Page } from '../bindings/Page'

export type PageName = Page['page']
export type PageOf<Name extends PageName> = Extract<Page, { page: Name }>
