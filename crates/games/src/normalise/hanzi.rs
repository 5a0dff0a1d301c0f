//! Chinese characters: traditional ones as simplified ones, and what stands before a noun when it is counted.

use std::collections::HashMap;
use std::sync::OnceLock;

static PAIRS: &str = include_str!("../../../../assets/words/simplified.txt");

/// The simplified form of a traditional character; every other character as it is.
pub fn simplified(character: char) -> char {
    static TABLE: OnceLock<HashMap<char, char>> = OnceLock::new();
    if character < '\u{3400}' {
        return character;
    }
    let table = TABLE.get_or_init(|| pairs().collect());
    table.get(&character).copied().unwrap_or(character)
}

pub fn pairs() -> impl Iterator<Item = (char, char)> {
    PAIRS.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let mut characters = line.chars();
        std::iter::from_fn(move || Some((characters.next()?, characters.next()?)))
    })
}

/// "一个苹果" and "一只猫" are an apple and a cat.
pub fn without_measure(word: &str) -> &str {
    let mut characters = word.chars();
    let counted = characters.next() == Some('一') && characters.next().is_some_and(|measure| MEASURES.contains(measure));
    if counted && characters.clone().next().is_some() { characters.as_str() } else { word }
}

const MEASURES: &str = "个只条张座辆朵棵匹头架艘颗本双";

/// One of two characters, one of three, two of four and more.
pub fn slips(characters: usize) -> usize {
    match characters {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => 2,
    }
}
