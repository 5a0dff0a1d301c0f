//! The words to draw: six languages in three difficulties, written for this project, inside the binary. Which of them a game
//! takes is the business of that game.
//!
//! A file of `assets/words` has three parts, `# easy`, `# medium` and `# hard`, and a word a line; where a word is known by more
//! than one name, `colour|color`, the first is the one that is shown.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use ts_rs::TS;

/// Characters of a form of a word.
pub const LONGEST_FORM: usize = 48;
const MOST_FORMS: usize = 4;
const MOST_WORDS: usize = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Language {
    En,
    Zh,
    Es,
    Fr,
    De,
    Pt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Difficulty {
    Easy,
    Medium,
    Hard,
}

impl Language {
    pub const ALL: [Self; 6] = [Self::En, Self::Zh, Self::Es, Self::Fr, Self::De, Self::Pt];

    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::De => "de",
            Self::Pt => "pt",
        }
    }

    /// By the primary part of a BCP 47 tag; `None` for a language that has no list.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

impl Difficulty {
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];
}

/// A line of a list: one word, under each of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word(&'static str);

impl Word {
    /// The one that is shown.
    pub fn shown(self) -> &'static str {
        self.forms().next().unwrap_or_default()
    }

    pub fn forms(self) -> impl Iterator<Item = &'static str> {
        self.0.split('|')
    }
}

#[derive(Debug)]
pub struct List {
    words: [Vec<Word>; 3],
}

impl List {
    pub fn of(&self, difficulty: Difficulty) -> &[Word] {
        &self.words[difficulty as usize]
    }

    /// The word that is shown so, whatever its difficulty.
    pub fn find(&self, shown: &str) -> Option<Word> {
        self.words.iter().flatten().copied().find(|word| word.shown() == shown)
    }
}

/// The list of a language, read once.
pub fn list(language: Language) -> &'static List {
    static LISTS: [OnceLock<List>; 6] = [const { OnceLock::new() }; 6];
    LISTS[language as usize].get_or_init(|| {
        // The files are part of the binary, and a test reads each of them.
        parse(text(language)).expect("the lists of words are well formed")
    })
}

fn text(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("../../../assets/words/en.txt"),
        Language::Zh => include_str!("../../../assets/words/zh.txt"),
        Language::Es => include_str!("../../../assets/words/es.txt"),
        Language::Fr => include_str!("../../../assets/words/fr.txt"),
        Language::De => include_str!("../../../assets/words/de.txt"),
        Language::Pt => include_str!("../../../assets/words/pt.txt"),
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("line {0}: a word before the first part")]
    NoPart(usize),
    #[error("line {0}: no such part")]
    UnknownPart(usize),
    #[error("line {0}: a form is empty or longer than {LONGEST_FORM} characters")]
    FormLength(usize),
    #[error("line {0}: more than {MOST_FORMS} forms")]
    TooManyForms(usize),
    #[error("line {0}: more than {MOST_WORDS} words in a part")]
    TooManyWords(usize),
}

pub fn parse(text: &'static str) -> Result<List, ParseError> {
    let mut list = List { words: Default::default() };
    let mut part: Option<Difficulty> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        match line.trim() {
            "" => {}
            "# easy" => part = Some(Difficulty::Easy),
            "# medium" => part = Some(Difficulty::Medium),
            "# hard" => part = Some(Difficulty::Hard),
            line if line.starts_with('#') => return Err(ParseError::UnknownPart(number)),
            line => {
                let words = &mut list.words[part.ok_or(ParseError::NoPart(number))? as usize];
                if words.len() == MOST_WORDS {
                    return Err(ParseError::TooManyWords(number));
                }
                words.push(word(line, number)?);
            }
        }
    }
    Ok(list)
}

fn word(line: &'static str, number: usize) -> Result<Word, ParseError> {
    let word = Word(line);
    if word.forms().count() > MOST_FORMS {
        return Err(ParseError::TooManyForms(number));
    }
    let fits = |form: &str| form == form.trim() && (1..=LONGEST_FORM).contains(&form.chars().count());
    if word.forms().all(fits) { Ok(word) } else { Err(ParseError::FormLength(number)) }
}
