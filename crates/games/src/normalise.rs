//! Guesses and words made comparable: case, accents, spacing, leading articles, plain plurals, and for Chinese full-width and
//! traditional characters. What a game makes of a right or a close guess is the business of that game.
//!
//! The same steps are taken on both sides of a comparison, so a form need not be good language, only the same one.

mod distance;
mod hanzi;
mod plural;

use crate::words::{Language, Word};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a guess that are looked at; no word is nearly as long.
pub const LONGEST_GUESS: usize = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// A slip of the keys away, or one of two characters in Chinese.
    Close,
    Wrong,
}

pub fn judge(language: Language, word: Word, guess: &str) -> Verdict {
    let typed = as_typed(guess);
    let (guess, run_together) = (normal_form(language, guess), joined(language, guess));
    if guess.is_empty() {
        return Verdict::Wrong;
    }
    let mut close = false;
    for form in word.forms() {
        let normal = normal_form(language, form);
        // Where the spaces are left out, plurals inside are seen as such no more.
        let together = joined(language, form);
        if normal == guess || together == run_together {
            return Verdict::Right;
        }
        // A slip may make a word look like a plural, which takes more letters off it than the slip had.
        close |= is_close(language, &normal, &guess) || is_close(language, &together, &run_together);
        // The one letter that is missing may be two in the form, and those beside it look like one written out: "Straenbahn".
        close |= is_close(language, &as_typed(form), &typed);
    }
    if close { Verdict::Close } else { Verdict::Wrong }
}

fn joined(language: Language, text: &str) -> String {
    // Letters that meet where a space is left out may look like one written out.
    written_out(language, fold(language, text).replace(' ', ""))
}

/// As many letters as keys were pressed.
fn as_typed(text: &str) -> String {
    text.chars().take(LONGEST_GUESS * 4).flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).collect()
}

/// German letters that were written out for want of a key: "Baer", "Loewe", "Huette".
fn written_out(language: Language, text: String) -> String {
    if language == Language::De { text.replace("ae", "a").replace("oe", "o").replace("ue", "u") } else { text }
}

/// Letters and digits alone, in the one way in which this language compares them; empty for what has none.
pub fn normal_form(language: Language, text: &str) -> String {
    let folded = fold(language, text);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let words = match words.split_first() {
        Some((first, rest)) if !rest.is_empty() && articles(language).contains(first) => rest,
        _ => &words[..],
    };
    if language == Language::Zh {
        return hanzi::without_measure(&words.concat()).to_owned();
    }
    words.iter().map(|word| plural::singular(language, word)).collect()
}

/// Small letters without accents; what separates words becomes a space.
fn fold(language: Language, text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().take(LONGEST_GUESS * 4).filter(|&letter| !is_combining_mark(letter)).flat_map(char::to_lowercase) {
        match letter {
            'ß' => folded.push_str("ss"),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            // A capital I with a dot leaves one behind when it becomes small.
            letter if is_combining_mark(letter) => {}
            // "l'arbre" is an article and a word, "witch's" is one word.
            '\'' | '’' | 'ʼ' | '`' if language != Language::Fr => {}
            letter if letter.is_alphanumeric() => folded.push(hanzi::simplified(letter)),
            _ => folded.push(' '),
        }
    }
    written_out(language, folded)
}

fn articles(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &["the", "a", "an", "some"],
        Language::Zh => &[],
        Language::Es => &["el", "la", "los", "las", "un", "una", "unos", "unas"],
        Language::Fr => &["le", "la", "les", "l", "un", "une", "des", "du", "d"],
        Language::De => &["der", "die", "das", "dem", "den", "ein", "eine", "einen"],
        Language::Pt => &["o", "a", "os", "as", "um", "uma", "uns", "umas"],
    }
}

/// Of two different normal forms.
fn is_close(language: Language, word: &str, guess: &str) -> bool {
    let word: Vec<char> = word.chars().collect();
    let guess: Vec<char> = guess.chars().collect();
    let slips = if language == Language::Zh { hanzi::slips(word.len()) } else { slips(word.len()) };
    distance::within(&word, &guess, slips)
}

/// How many slips a word of so many letters may have: in a short one every letter is half of the answer.
fn slips(letters: usize) -> usize {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        8..=12 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests;
