//! Which interests lie near each other, learnt from who lists which together.
//!
//! Words are free text. A word that nobody is known to list with others has a direction of its own, so two people who both wrote
//! it are near; once enough lists were seen the directions come from how often words stand together (positive pointwise mutual
//! information, its main axes by orthogonal iteration), so "sketching" lies near "drawing" without anybody having said so.

use crate::chance::{Chance, hash};
use std::collections::BTreeMap;

pub const AXES: usize = 16;
pub type Direction = [f32; AXES];

/// Words beyond these are not told apart; those listed most often stay.
const MOST_WORDS: usize = 2_048;
const LISTS_KEPT: usize = 32_768;
/// Lists after which the first axes are worth more than the words themselves.
const FIRST_FIT: usize = 512;
/// A word in fewer lists keeps the direction of its own.
const LEAST_LISTS: f32 = 4.0;
const ROUNDS: usize = 40;
/// Mutual information of a word with itself: what makes one word in common more than a related one.
const ITSELF: f32 = 1.5;
/// So many words make half of what is to be known of somebody's interests.
const HALF_KNOWN: f32 = 1.0;

#[derive(Clone, Debug)]
struct Word {
    text: Box<str>,
    direction: Direction,
}

#[derive(Clone, Debug, Default)]
pub struct Interests {
    known: BTreeMap<Box<str>, u32>,
    words: Vec<Word>,
    /// A ring of the latest.
    lists: Vec<Vec<u32>>,
    seen: usize,
    fitted_at: usize,
}

impl Interests {
    /// The words of a list by number; notes the list for the next fit.
    pub fn read(&mut self, list: &[String]) -> Vec<u32> {
        let mut numbers: Vec<u32> = list.iter().filter_map(|text| self.number(text)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Notes who lists what together.
    pub fn note(&mut self, numbers: &[u32]) {
        if numbers.len() < 2 {
            return;
        }
        if self.lists.len() < LISTS_KEPT {
            self.lists.push(numbers.to_vec());
        } else {
            self.lists[self.seen % LISTS_KEPT] = numbers.to_vec();
        }
        self.seen += 1;
    }

    /// Four times as many lists as at the last fit, or a whole ring of new ones.
    pub fn fit_is_due(&self) -> bool {
        self.seen >= (self.fitted_at * 4).max(FIRST_FIT) || self.seen >= self.fitted_at + 4 * LISTS_KEPT
    }

    /// The direction of a person, and 0 to 1 for how much is known: its length is the root of that, so that the product of two
    /// says how near the two may be believed to be.
    pub fn direction(&self, numbers: &[u32]) -> Direction {
        let mut sum = [0.0; AXES];
        for number in numbers {
            add(&mut sum, &self.words[*number as usize].direction, 1.0);
        }
        let count = numbers.len() as f32;
        let length = (count / (count + HALF_KNOWN)).sqrt();
        scaled(sum, length)
    }

    fn number(&mut self, text: &str) -> Option<u32> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        if let Some(number) = self.known.get(text.as_str()) {
            return Some(*number);
        }
        if self.words.len() >= MOST_WORDS {
            return None;
        }
        let number = self.words.len() as u32;
        self.known.insert(text.clone().into(), number);
        self.words.push(Word { direction: own_direction(&text), text: text.into() });
        Some(number)
    }

    /// Learns the directions anew. Takes some tens of milliseconds with many words. Numbers handed out before stay valid.
    pub fn fit(&mut self) {
        self.fitted_at = self.seen;
        let together = Together::count(&self.lists, self.words.len());
        let axes = together.main_axes();
        for (number, word) in self.words.iter_mut().enumerate() {
            if together.lists_with[number] >= LEAST_LISTS && length(&axes[number]) > 1e-6 {
                word.direction = axes[number];
            } else {
                word.direction = own_direction(&word.text);
            }
        }
    }

    /// Directions of people seen lately.
    pub fn examples(&self, most: usize) -> Vec<Direction> {
        self.lists.iter().rev().take(most).map(|list| self.direction(list)).collect()
    }
}

/// Pointwise mutual information of words, by row.
struct Together {
    rows: Vec<Vec<(u32, f32)>>,
    lists_with: Vec<f32>,
}

impl Together {
    fn count(lists: &[Vec<u32>], words: usize) -> Self {
        let mut lists_with = vec![0.0; words];
        let mut all: Vec<u64> = Vec::new();
        for list in lists {
            for a in list {
                lists_with[*a as usize] += 1.0;
                all.extend(list.iter().filter(|b| *b != a).map(|b| u64::from(*a) << 32 | u64::from(*b)));
            }
        }
        all.sort_unstable();
        let mut of_word = vec![0.0_f32; words];
        for key in &all {
            of_word[(key >> 32) as usize] += 1.0;
        }
        let mut rows: Vec<Vec<(u32, f32)>> = (0..words as u32).map(|word| vec![(word, ITSELF)]).collect();
        for run in all.chunk_by(|a, b| a == b) {
            let (a, b) = ((run[0] >> 32) as usize, run[0] as u32);
            let information = (run.len() as f32 * all.len() as f32 / (of_word[a] * of_word[b as usize])).ln();
            if information > 0.0 {
                rows[a].push((b, information));
            }
        }
        Self { rows, lists_with }
    }

    /// For each word its place on the main axes.
    fn main_axes(&self) -> Vec<Direction> {
        let mut chance = Chance::new(7);
        let mut basis: Vec<Direction> = self.rows.iter().map(|_| std::array::from_fn(|_| chance.signed())).collect();
        let mut stretch = [0.0; AXES];
        for _ in 0..ROUNDS {
            let mut next = vec![[0.0; AXES]; basis.len()];
            for (sum, row) in next.iter_mut().zip(&self.rows) {
                for (word, information) in row {
                    add(sum, &basis[*word as usize], *information);
                }
            }
            stretch = make_orthonormal(&mut next);
            basis = next;
        }
        for place in &mut basis {
            for axis in 0..AXES {
                place[axis] *= stretch[axis].sqrt();
            }
        }
        basis
    }
}

/// Gram and Schmidt over the columns; their lengths before.
fn make_orthonormal(rows: &mut [Direction]) -> Direction {
    let mut lengths = [0.0; AXES];
    for axis in 0..AXES {
        lengths[axis] = rows.iter().map(|row| row[axis] * row[axis]).sum::<f32>().sqrt();
        for earlier in 0..axis {
            let along: f32 = rows.iter().map(|row| row[axis] * row[earlier]).sum();
            rows.iter_mut().for_each(|row| row[axis] -= along * row[earlier]);
        }
        let rest = rows.iter().map(|row| row[axis] * row[axis]).sum::<f32>().sqrt().max(1e-12);
        rows.iter_mut().for_each(|row| row[axis] /= rest);
    }
    lengths
}

fn own_direction(text: &str) -> Direction {
    let mut chance = Chance::new(hash(text.as_bytes()));
    scaled(std::array::from_fn(|_| chance.signed()), 1.0)
}

pub fn dot(a: &Direction, b: &Direction) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(of: &Direction) -> f32 {
    dot(of, of).sqrt()
}

pub fn add(to: &mut Direction, what: &Direction, times: f32) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * times;
    }
}

pub fn scaled(direction: Direction, to: f32) -> Direction {
    let now = length(&direction);
    if now < 1e-9 { direction } else { direction.map(|x| x * to / now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(interests: &mut Interests, a: &str, b: &str) -> f32 {
        let [a, b] = [a, b].map(|text| interests.read(&[text.into()]));
        dot(&interests.direction(&a), &interests.direction(&b))
    }

    #[test]
    fn a_word_is_near_itself_from_the_first_day() {
        let mut interests = Interests::default();
        assert!(near(&mut interests, "Drawing ", "drawing") > 0.49, "one word of each: half is known");
        assert!(near(&mut interests, "drawing", "tango") < 0.4);
        assert_eq!(interests.read(&["".into(), " ".into()]), [0; 0]);
    }

    #[test]
    fn words_that_stand_together_come_near() {
        let mut interests = Interests::default();
        let groups = [["drawing", "sketching", "ink", "paper"], ["football", "running", "tennis", "rowing"]];
        let mut chance = Chance::new(1);
        while !interests.fit_is_due() {
            let group = groups[chance.below(2)];
            let list = interests.read(&[group[chance.below(4)].into(), group[chance.below(4)].into()]);
            interests.note(&list);
        }
        interests.fit();
        assert!(!interests.fit_is_due());
        let (inside, across) = (near(&mut interests, "drawing", "ink"), near(&mut interests, "drawing", "tennis"));
        assert!(inside > across + 0.2, "{inside} {across}");
    }

    #[test]
    fn a_flood_of_words_ends() {
        let mut interests = Interests::default();
        for word in 0..10_000 {
            interests.read(&[format!("word {word}")]);
        }
        assert_eq!(interests.words.len(), MOST_WORDS);
    }

    #[test]
    fn the_more_words_the_more_is_known() {
        let mut interests = Interests::default();
        for (list, known) in [(&[][..], 0.0), (&["tango"], 0.5), (&["tango", "chess"], 2.0 / 3.0), (&["a", "b", "c"], 0.75)] {
            let list: Vec<String> = list.iter().copied().map(String::from).collect();
            let numbers = interests.read(&list);
            let direction = interests.direction(&numbers);
            assert!((dot(&direction, &direction) - known).abs() < 1e-4, "{list:?}: {direction:?}");
        }
    }

    #[test]
    fn vectors_are_added_and_scaled() {
        let (mut sum, mut other) = ([0.0; AXES], [0.0; AXES]);
        (sum[0], other[0], other[1]) = (1.0, 1.0, 2.0);
        add(&mut sum, &other, 2.0);
        assert_eq!((sum[0], sum[1]), (3.0, 4.0));
        assert_eq!((dot(&sum, &other), length(&sum)), (11.0, 5.0));
        let half = scaled(sum, 2.5);
        assert!((half[0] - 1.5).abs() < 1e-6 && (half[1] - 2.0).abs() < 1e-6);
        assert_eq!(scaled([0.0; AXES], 1.0), [0.0; AXES], "nothing has no direction");
    }

    #[test]
    fn lists_of_two_words_are_noted_the_latest_stay_and_come_first() {
        let mut interests = Interests::default();
        let words: Vec<String> = (0..4).map(|word| format!("word {word}")).collect();
        interests.read(&words);
        interests.note(&[1]);
        assert_eq!((interests.seen, interests.lists.len()), (0, 0));
        interests.note(&[0, 1]);
        interests.note(&[2, 3]);
        assert_eq!(interests.examples(1), [interests.direction(&[2, 3])]);
        assert_eq!(interests.examples(5).len(), 2);
        (2..LISTS_KEPT).for_each(|_| interests.note(&[0, 1]));
        interests.note(&[0, 2]);
        interests.note(&[0, 3]);
        assert_eq!((interests.lists.len(), interests.seen), (LISTS_KEPT, LISTS_KEPT + 2));
        assert_eq!(interests.lists[..3], [[0, 2], [0, 3], [0, 1]], "in place of the oldest");
    }

    #[test]
    fn a_fit_is_due_with_four_times_as_many_lists_or_four_rings_of_new_ones() {
        let due = |fitted_at, seen| Interests { fitted_at, seen, ..Interests::default() }.fit_is_due();
        for (fitted_at, at) in [(0, FIRST_FIT), (FIRST_FIT, 4 * FIRST_FIT), (100_000, 100_000 + 4 * LISTS_KEPT)] {
            assert_eq!([due(fitted_at, at - 1), due(fitted_at, at)], [false, true], "after {fitted_at}");
        }
    }

    /// Words 0 and 1 stand in three lists together, 0 and 2 in three, 1 and 2 in one: less than chance would have it.
    #[test]
    fn what_words_say_of_each_other_is_how_much_more_often_than_by_chance_they_stand_together() {
        let lists = [[0, 1], [0, 1], [0, 1], [0, 2], [0, 2], [0, 2], [1, 2]].map(|list| list.to_vec());
        let together = Together::count(&lists, 4);
        assert_eq!(together.lists_with, [6.0, 4.0, 4.0, 0.0]);
        let more = (3.0 * 14.0 / (6.0 * 4.0_f32)).ln();
        let expected = [
            vec![(0, ITSELF), (1, more), (2, more)],
            vec![(1, ITSELF), (0, more)],
            vec![(2, ITSELF), (0, more)],
            vec![(3, ITSELF)],
        ];
        for (row, expected) in together.rows.iter().zip(&expected) {
            assert_eq!(row.len(), expected.len(), "{row:?}");
            assert!(row.iter().zip(expected).all(|(is, wanted)| is.0 == wanted.0 && (is.1 - wanted.1).abs() < 1e-5), "{row:?}");
        }
    }

    #[test]
    fn axes_have_length_one_and_stand_upright_on_each_other() {
        let mut chance = Chance::new(9);
        let mut rows: Vec<Direction> = (0..40).map(|_| std::array::from_fn(|axis| chance.signed() * (axis + 1) as f32)).collect();
        let along = |rows: &[Direction], one: usize, other: usize| rows.iter().map(|row| row[one] * row[other]).sum::<f32>();
        let before: Vec<f32> = (0..AXES).map(|axis| along(&rows, axis, axis).sqrt()).collect();
        let lengths = make_orthonormal(&mut rows);
        for one in 0..AXES {
            assert!((lengths[one] - before[one]).abs() < 1e-3 * before[one], "{lengths:?}");
            for other in 0..=one {
                let expected = if one == other { 1.0 } else { 0.0 };
                assert!((along(&rows, one, other) - expected).abs() < 1e-3, "{one} {other}");
            }
        }
    }

    /// Four lists are enough, three are not.
    #[test]
    fn a_word_in_few_lists_keeps_its_own_direction_and_others_get_one_of_their_company() {
        let mut interests = Interests::default();
        let words: Vec<String> = (0..8).map(|word| format!("word {word}")).collect();
        let numbers: Vec<u32> = words.iter().map(|word| interests.read(std::slice::from_ref(word))[0]).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
        (0..4).for_each(|_| interests.note(&[0, 1]));
        (0..3).for_each(|_| interests.note(&[2, 3]));
        (0..20).for_each(|_| interests.note(&[4, 5, 6, 7]));
        interests.fit();
        for (number, word) in words.iter().enumerate() {
            assert_eq!(interests.words[number].direction == own_direction(word), (2..4).contains(&number), "{word}");
        }
        assert_eq!(interests.fitted_at, 27);
    }
}
