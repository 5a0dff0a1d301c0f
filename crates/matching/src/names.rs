//! Words that people typed, as small numbers. Letter case and surrounding space do not count.

use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Names {
    known: BTreeMap<Box<str>, u16>,
    texts: Vec<Box<str>>,
    most: u16,
}

impl Names {
    /// Beyond `most` nothing new is told apart.
    pub fn new(most: u16) -> Self {
        Self { known: BTreeMap::new(), texts: Vec::new(), most }
    }

    /// From 1 on; `None` for nothing and for what is one too many.
    pub fn number(&mut self, text: &str) -> Option<u16> {
        let text = text.trim().to_lowercase();
        if let Some(number) = self.known.get(text.as_str()) {
            return Some(*number);
        }
        if text.is_empty() || self.known.len() >= usize::from(self.most) {
            return None;
        }
        let number = self.known.len() as u16 + 1;
        self.texts.push(text.clone().into());
        self.known.insert(text.into(), number);
        Some(number)
    }

    pub fn text(&self, number: u16) -> &str {
        &self.texts[usize::from(number) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count_and_there_is_an_end() {
        let mut names = Names::new(2);
        assert_eq!(names.number("Lisbon"), Some(1));
        assert_eq!(names.number(" lisbon "), Some(1));
        assert_eq!((names.number(" "), names.number("Porto"), names.number("Faro")), (None, Some(2), None));
        assert_eq!(names.text(2), "porto");
    }
}
