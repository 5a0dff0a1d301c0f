//! The lists of words as they are shipped: enough of them, each once, and nothing in them that cannot be typed.

use std::collections::HashMap;
use visavis_games::normalise::{Verdict, judge, normal_form};
use visavis_games::words::{Difficulty, LONGEST_FORM, Language, ParseError, list, parse};

const LEAST: usize = 300;

#[test]
fn every_language_has_its_words_in_three_difficulties() {
    for language in Language::ALL {
        for difficulty in Difficulty::ALL {
            let count = list(language).of(difficulty).len();
            assert!(count >= LEAST, "{language:?} {difficulty:?}: {count}");
        }
    }
}

#[test]
fn no_word_is_there_twice() {
    let mut twice = Vec::new();
    for language in Language::ALL {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for word in Difficulty::ALL.into_iter().flat_map(|difficulty| list(language).of(difficulty)) {
            for form in word.forms() {
                let normal = normal_form(language, form);
                assert!(!normal.is_empty(), "{form} has nothing to type");
                if let Some(other) = seen.insert(normal, form) {
                    twice.push(format!("{language:?}: {other} and {form}"));
                }
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

/// Unfit as a whole word of those that are shown, or in Chinese as a part of one; what is only taken as a guess may be anything.
#[test]
fn no_word_is_unfit_for_a_family() {
    let mut found = Vec::new();
    let lines: Vec<&str> = include_str!("unfit.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), Language::ALL.len());
    for line in lines {
        let (tag, unfit) = line.split_once(' ').unwrap();
        let language = Language::from_tag(tag).unwrap();
        let unfit: Vec<String> = unfit.split(' ').map(|word| normal_form(language, word)).collect();
        assert!(unfit.len() > 20 && unfit.iter().all(|word| !word.is_empty()), "{tag}");
        for word in Difficulty::ALL.into_iter().flat_map(|difficulty| list(language).of(difficulty)) {
            let parts = word.shown().split([' ', '-', '\'']).map(|part| normal_form(language, part));
            let is_unfit = |part: String| match language {
                Language::Zh => unfit.iter().any(|unfit| part.contains(unfit)),
                _ => unfit.contains(&part),
            };
            if parts.into_iter().any(is_unfit) {
                found.push(format!("{tag}: {}", word.shown()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn whoever_types_a_word_as_it_is_shown_is_right() {
    for language in Language::ALL {
        for &word in Difficulty::ALL.into_iter().flat_map(|difficulty| list(language).of(difficulty)) {
            for form in word.forms() {
                for guess in [form.to_owned(), form.to_lowercase(), form.to_uppercase(), form.replace([' ', '-', '\''], "")] {
                    assert_eq!(judge(language, word, &guess), Verdict::Right, "{language:?}: {guess} for {form}");
                }
            }
        }
    }
}

#[test]
fn words_are_made_of_letters_and_what_joins_them() {
    for language in Language::ALL {
        for word in Difficulty::ALL.into_iter().flat_map(|difficulty| list(language).of(difficulty)) {
            for form in word.forms() {
                let fits = |letter: char| match language {
                    Language::Zh => ('\u{4e00}'..='\u{9fff}').contains(&letter),
                    _ => letter.is_alphabetic() && letter < '\u{250}' || letter == 'œ' || " -'".contains(letter),
                };
                assert!(form.chars().all(fits), "{language:?}: {form}");
                let (least, most) = if language == Language::Zh { (1, 10) } else { (2, LONGEST_FORM) };
                assert!((least..=most).contains(&form.chars().count()), "{language:?}: {form}");
                assert!(!form.contains("  ") && !form.contains("--"), "{form}");
            }
        }
    }
}

#[test]
fn hard_words_are_more_than_easy_ones() {
    for language in Language::ALL {
        let mean = |difficulty| {
            let words = list(language).of(difficulty);
            words.iter().map(|word| word.shown().chars().count()).sum::<usize>() as f64 / words.len() as f64
        };
        assert!(mean(Difficulty::Easy) < mean(Difficulty::Medium), "{language:?}");
        assert!(mean(Difficulty::Medium) < mean(Difficulty::Hard), "{language:?}");
    }
}

#[test]
fn chinese_words_are_right_in_traditional_characters_too() {
    let mut count = 0;
    for line in include_str!("traditional.txt").lines().filter(|line| !line.starts_with('#')) {
        let (simplified, traditional) = line.split_once(' ').unwrap();
        let shown = simplified.split('|').next().unwrap();
        let word = list(Language::Zh).find(shown).unwrap_or_else(|| panic!("{shown} is no word of the list"));
        for form in traditional.split('|') {
            assert_eq!(judge(Language::Zh, word, form), Verdict::Right, "{form} for {shown}");
            count += 1;
        }
    }
    assert!(count > 600, "{count}");
}

#[test]
fn a_language_is_found_by_its_tag() {
    assert_eq!(Language::from_tag("pt-BR"), Some(Language::Pt));
    assert_eq!(Language::from_tag("zh_Hant"), Some(Language::Zh));
    assert_eq!(Language::from_tag("EN"), Some(Language::En));
    assert_eq!(Language::from_tag("tlh"), None);
    assert_eq!(Language::from_tag(""), None);
}

#[test]
fn what_is_no_list_is_refused_with_its_line() {
    assert_eq!(parse("cat").unwrap_err(), ParseError::NoPart(1));
    assert_eq!(parse("# easy\ncat\n# harder\n").unwrap_err(), ParseError::UnknownPart(3));
    assert_eq!(parse("# easy\n\ncat||dog").unwrap_err(), ParseError::FormLength(3));
    assert_eq!(parse("# easy\ncat |dog").unwrap_err(), ParseError::FormLength(2));
    assert_eq!(parse("# easy\na|b|c|d|e").unwrap_err(), ParseError::TooManyForms(2));
    let long: &'static str = String::leak(format!("# easy\n{}", "a".repeat(LONGEST_FORM + 1)));
    assert_eq!(parse(long).unwrap_err(), ParseError::FormLength(2));
    let many: &'static str = String::leak(format!("# hard\n{}", "cat\n".repeat(2001)));
    assert_eq!(parse(many).unwrap_err(), ParseError::TooManyWords(2002));
    assert_eq!(
        parse("# easy\ncolour|color\r\n").unwrap().of(Difficulty::Easy)[0].forms().collect::<Vec<_>>(),
        ["colour", "color"]
    );
}
