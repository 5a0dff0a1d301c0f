//! The plain plurals: those that an ending tells. A word that merely ends alike loses its ending too, on both sides of the
//! comparison; that no two words of a list become one is checked by the test of the lists.

use crate::words::Language;
use std::borrow::Cow;

/// Shorter words are too easily another word ("bus", "gas").
const SHORTEST: usize = 4;

/// Expects small letters without accents.
pub fn singular(language: Language, word: &str) -> Cow<'_, str> {
    if word.len() < SHORTEST {
        return Cow::Borrowed(word);
    }
    match language {
        Language::En => english(word),
        Language::Es => spanish(word),
        Language::Fr => Cow::Borrowed(french(word)),
        Language::De => Cow::Borrowed(german(word)),
        Language::Pt => portuguese(word),
        Language::Zh => Cow::Borrowed(word),
    }
}

fn english(word: &str) -> Cow<'_, str> {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return Cow::Owned(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix("es").filter(|stem| ["s", "x", "z", "ch", "sh"].iter().any(|end| stem.ends_with(end))) {
        return Cow::Borrowed(stem);
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => Cow::Borrowed(stem),
        _ => Cow::Borrowed(word),
    }
}

/// "luces", "flores", "casas".
fn spanish(word: &str) -> Cow<'_, str> {
    if let Some(stem) = word.strip_suffix("ces") {
        return Cow::Owned(format!("{stem}z"));
    }
    if let Some(stem) = word.strip_suffix("es").filter(|stem| stem.ends_with(['l', 'n', 'r', 'd', 'y', 'j'])) {
        return Cow::Borrowed(stem);
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.ends_with(['a', 'e', 'o', 'i', 'u']) => Cow::Borrowed(stem),
        _ => Cow::Borrowed(word),
    }
}

/// "pommes", "gâteaux"; what ends in -aux for -al is not plain.
fn french(word: &str) -> &str {
    word.strip_suffix('s').or_else(|| word.strip_suffix('x')).unwrap_or(word)
}

/// "Hunde", "Blumen", "Drachen"; plurals in -er and -s are not plain.
fn german(word: &str) -> &str {
    word.strip_suffix("en").or_else(|| word.strip_suffix('e')).unwrap_or(word)
}

/// "leões", "balões", "animais", "flores", "nuvens", "casas", without their accents.
fn portuguese(word: &str) -> Cow<'_, str> {
    if let Some(stem) = word.strip_suffix("oes").or_else(|| word.strip_suffix("aes")) {
        return Cow::Owned(format!("{stem}ao"));
    }
    if let Some(stem) = word.strip_suffix("ais") {
        return Cow::Owned(format!("{stem}al"));
    }
    if let Some(stem) = word.strip_suffix("ns") {
        return Cow::Owned(format!("{stem}m"));
    }
    if let Some(stem) = word.strip_suffix("es").filter(|stem| stem.ends_with(['r', 'z'])) {
        return Cow::Borrowed(stem);
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.ends_with(['a', 'e', 'o', 'i', 'u']) => Cow::Borrowed(stem),
        _ => Cow::Borrowed(word),
    }
}
