use super::*;
use crate::words::{Difficulty, list};
use proptest::prelude::*;

fn same(language: Language, one: &str, other: &str) -> bool {
    normal_form(language, one) == normal_form(language, other)
}

#[test]
fn case_accents_and_spacing_do_not_matter() {
    assert!(same(Language::Fr, "ŒUF", "oeuf"));
    assert!(same(Language::Fr, "  cerf -  VOLANT ", "cerf-volant"));
    assert!(same(Language::Fr, "appareil photo", "appareilphoto"));
    assert!(same(Language::Es, "ARANA", "araña"));
    assert!(same(Language::Pt, "coração", "CORACAO"));
    assert!(same(Language::En, "witch’s hat", "witchs hat"));
    assert!(same(Language::En, "ｗｉｎｄｍｉｌｌ", "windmill"));
    assert!(same(Language::De, "İglu", "iglu"));
    assert!(!same(Language::En, "cat", "hat"));
}

#[test]
fn german_umlauts_may_be_written_out_or_left_out() {
    for guess in ["Bär", "Baer", "Bar", "BÄR", "ba\u{308}r"] {
        assert!(same(Language::De, guess, "Bär"), "{guess}");
    }
    assert!(same(Language::De, "Strasse", "Straße"));
    assert!(same(Language::De, "Loewe", "Löwe"));
    assert!(!same(Language::De, "Bär", "Bier"));
}

#[test]
fn a_leading_article_is_no_part_of_the_word() {
    for (language, guess, word) in [
        (Language::En, "the moon", "moon"),
        (Language::En, "an owl", "owl"),
        (Language::Es, "el sol", "sol"),
        (Language::Fr, "l'arbre", "arbre"),
        (Language::Fr, "une pomme", "pomme"),
        (Language::De, "der Hund", "Hund"),
        (Language::Pt, "o gato", "gato"),
        (Language::Zh, "一只猫", "猫"),
    ] {
        assert!(same(language, guess, word), "{guess}");
    }
    assert_eq!(normal_form(Language::En, "the"), "the", "alone it is the whole guess");
    assert_eq!(normal_form(Language::Zh, "一只"), "一只");
}

#[test]
fn plain_plurals_count() {
    for (language, guess, word) in [
        (Language::En, "apples", "apple"),
        (Language::En, "cherries", "cherry"),
        (Language::En, "foxes", "fox"),
        (Language::En, "witches", "witch"),
        (Language::Es, "flores", "flor"),
        (Language::Es, "peces", "pez"),
        (Language::Fr, "gâteaux", "gâteau"),
        (Language::De, "Blumen", "Blume"),
        (Language::De, "Hunde", "Hund"),
        (Language::De, "Äpfel", "Apfel"),
        (Language::Pt, "leões", "leão"),
        (Language::Pt, "animais", "animal"),
        (Language::Pt, "nuvens", "nuvem"),
    ] {
        assert!(same(language, guess, word), "{guess}");
    }
    for (word, other) in [("glass", "glas"), ("bus", "bu"), ("octopus", "octopu")] {
        assert!(!same(Language::En, word, other), "{word}");
    }
}

#[test]
fn traditional_characters_and_full_width_forms_are_the_same_word() {
    for (guess, word) in [
        ("蘋果", "苹果"),
        ("烏龜", "乌龟"),
        ("畫蛇添足", "画蛇添足"),
        ("麵條", "面条"),
        ("麪條", "面条"),
        ("熊貓。", "熊猫"),
        ("　苹 果　", "苹果"),
    ] {
        assert!(same(Language::Zh, guess, word), "{guess}");
    }
}

#[test]
fn no_simplified_character_is_mapped_again() {
    let pairs: Vec<(char, char)> = hanzi::pairs().collect();
    assert!(pairs.len() > 2500);
    assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0), "each traditional character once");
    for (_, simplified) in pairs {
        assert_eq!(hanzi::simplified(simplified), simplified);
    }
}

#[test]
fn a_guess_is_close_by_the_length_of_the_word() {
    let verdict = |language, shown: &str, guess: &str| judge(language, list(language).find(shown).unwrap(), guess);
    assert_eq!(verdict(Language::En, "lighthouse", "Light house"), Verdict::Right);
    assert_eq!(verdict(Language::En, "lighthouse", "lihgthouse"), Verdict::Close);
    assert_eq!(verdict(Language::En, "lighthouse", "greenhouse"), Verdict::Wrong);
    assert_eq!(verdict(Language::En, "cat", "cats"), Verdict::Right);
    assert_eq!(verdict(Language::En, "cat", "bat"), Verdict::Wrong, "short words are not nearly right");
    assert_eq!(verdict(Language::En, "lion", "loin"), Verdict::Close);
    assert_eq!(verdict(Language::En, "biscuit", "cookie"), Verdict::Right, "by another name");
    assert_eq!(verdict(Language::En, "biscuit", "cokie"), Verdict::Close);
    assert_eq!(verdict(Language::Zh, "苹果", "苹水"), Verdict::Close);
    assert_eq!(verdict(Language::Zh, "苹果", "蘋果"), Verdict::Right);
    assert_eq!(verdict(Language::Zh, "苹果", "香蕉"), Verdict::Wrong);
    assert_eq!(verdict(Language::Zh, "猫", "狗"), Verdict::Wrong);
    assert_eq!(verdict(Language::Zh, "画蛇添足", "画龙添足"), Verdict::Close);
    for nothing in ["", " - ", "!?", "\u{301}"] {
        assert_eq!(verdict(Language::En, "cat", nothing), Verdict::Wrong);
    }
}

fn languages() -> impl Strategy<Value = Language> {
    prop::sample::select(&Language::ALL[..])
}

fn words() -> impl Strategy<Value = (Language, Word)> {
    (languages(), prop::sample::select(&Difficulty::ALL[..]), any::<prop::sample::Index>()).prop_map(
        |(language, difficulty, index)| {
            let words = list(language).of(difficulty);
            (language, words[index.index(words.len())])
        },
    )
}

/// The distance as it is defined, by trying everything.
fn distance_by_recursion(a: &[char], b: &[char]) -> usize {
    match (a, b) {
        ([], rest) | (rest, []) => rest.len(),
        ([first, a_rest @ ..], [other, b_rest @ ..]) => {
            let mut least = distance_by_recursion(a_rest, b_rest) + usize::from(first != other);
            least = least.min(distance_by_recursion(a_rest, b) + 1).min(distance_by_recursion(a, b_rest) + 1);
            if let ([a1, a2, a_rest @ ..], [b1, b2, b_rest @ ..]) = (a, b)
                && a1 == b2
                && a2 == b1
            {
                least = least.min(distance_by_recursion(a_rest, b_rest) + 1);
            }
            least
        }
    }
}

#[test]
fn letters_that_meet_where_a_space_was_are_no_umlaut() {
    let word = list(Language::De).find("das Rad neu erfinden").unwrap();
    for guess in ["das Rad neu erfinden", "dasradneuerfinden", "das rad neuerfinden"] {
        assert_eq!(judge(Language::De, word, guess), Verdict::Right, "{guess}");
    }
}

#[test]
fn a_letter_that_is_two_in_the_form_is_one_slip() {
    let word = list(Language::De).find("Straßenbahn").unwrap();
    assert_eq!(judge(Language::De, word, "Straenbahn"), Verdict::Close);
    assert_eq!(judge(Language::De, word, "Strassenbahn"), Verdict::Right);
    assert_eq!(judge(Language::De, word, "Stabahn"), Verdict::Wrong);
}

#[test]
fn a_letter_left_out_of_a_long_word_is_close_or_right() {
    for language in Language::ALL.into_iter().filter(|language| *language != Language::Zh) {
        for word in Difficulty::ALL.iter().flat_map(|difficulty| list(language).of(*difficulty)) {
            let letters: Vec<char> = word.shown().chars().collect();
            let long = normal_form(language, word.shown()).chars().count() > 8;
            for at in (0..letters.len()).filter(|_| long) {
                let guess: String = [&letters[..at], &letters[at + 1..]].concat().into_iter().collect();
                assert_ne!(judge(language, *word, &guess), Verdict::Wrong, "{guess} for {}", word.shown());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_and_settles(language in languages(), text in "\\PC{0,200}") {
        let form = normal_form(language, &text);
        prop_assert!(form.chars().all(char::is_alphanumeric), "{form:?}");
        prop_assert!(form.chars().count() <= LONGEST_GUESS * 4 * 3);
        let shouted = text.to_uppercase();
        // What a capital leaves behind may be more than one letter, so only plain letters are compared.
        if text.is_ascii() {
            prop_assert_eq!(form, normal_form(language, &shouted));
        }
    }

    #[test]
    fn every_word_is_right_however_it_is_written((language, word) in words(), form in any::<prop::sample::Index>(), loud in any::<bool>()) {
        let forms: Vec<&str> = word.forms().collect();
        let form = forms[form.index(forms.len())];
        let spaced = format!("  {}. ", form.replace(' ', " - ").replace('\'', "’"));
        let guess = if loud { spaced.to_uppercase() } else { spaced };
        prop_assert_eq!(judge(language, word, &guess), Verdict::Right, "{}", guess);
        prop_assert_eq!(judge(language, word, &form.replace([' ', '-', '\''], "")), Verdict::Right);
        let apart: String = form.nfd().collect();
        prop_assert_eq!(judge(language, word, &apart), Verdict::Right);
    }

    #[test]
    fn the_distance_is_the_least_number_of_slips(a in "[abc]{0,6}", b in "[abc]{0,6}", most in 0usize..5) {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        prop_assert_eq!(distance::within(&a, &b, most), distance_by_recursion(&a, &b) <= most);
    }
}
