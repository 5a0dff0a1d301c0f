// Limits of a profile as the wire has them, so that the page does not let anybody type what would be refused.

/** Characters of a text. */
export const TEXT_MOST = 64
/** Entries of a list. */
export const LIST_MOST = 16
/** Languages to choose from; others that a profile holds are shown beside them. */
export const TONGUES: readonly string[] = ['en', 'zh', 'de', 'fr', 'es', 'pt', 'it', 'ru', 'ja', 'ko', 'ar', 'hi']
/** Characters of a text to somebody one follows. */
export const TEXT_LONGEST = 1000
