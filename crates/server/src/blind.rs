//! A question that two people answer without seeing the other's answer. Only yes + yes is ever told; a no looks like silence.

/// Which of the two of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    A,
    B,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May be answered anew; a no closes what had been opened.
    Standing,
    /// The first answer of each side counts.
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Opened,
    /// Told to both, so that it says nothing of who took the yes back.
    Closed,
}

#[derive(Clone, Debug)]
pub struct Blind {
    kind: Kind,
    answers: [Option<bool>; 2],
}

impl Blind {
    pub fn new(kind: Kind) -> Self {
        Self { kind, answers: [None; 2] }
    }

    pub fn is_open(&self) -> bool {
        self.answers == [Some(true); 2]
    }

    pub fn answer(&mut self, side: Side, yes: bool) -> Option<Change> {
        let was_open = self.is_open();
        let answer = &mut self.answers[side.index()];
        if self.kind == Kind::Standing || answer.is_none() {
            *answer = Some(yes);
        }
        match (was_open, self.is_open()) {
            (false, true) => Some(Change::Opened),
            (true, false) => Some(Change::Closed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_standing_question_opens_and_closes() {
        let mut question = Blind::new(Kind::Standing);
        assert_eq!(question.answer(Side::A, true), None);
        assert_eq!(question.answer(Side::A, true), None, "one person cannot answer for two");
        assert_eq!(question.answer(Side::B, false), None);
        assert_eq!(question.answer(Side::B, true), Some(Change::Opened));
        assert_eq!(question.answer(Side::B, true), None);
        assert_eq!(question.answer(Side::A, false), Some(Change::Closed));
        assert_eq!(question.answer(Side::B, false), None);
        assert_eq!(question.answer(Side::A, true), None);
    }

    #[test]
    fn of_a_question_asked_once_the_first_answer_counts() {
        let mut question = Blind::new(Kind::Once);
        question.answer(Side::A, false);
        assert_eq!(question.answer(Side::A, true), None);
        assert_eq!(question.answer(Side::B, true), None);
        assert!(!question.is_open());
    }

    proptest! {
        /// Whatever the other does, one who never said yes sees nothing at all.
        #[test]
        fn without_a_yes_nothing_is_told(answers in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..20)) {
            for kind in [Kind::Standing, Kind::Once] {
                let mut question = Blind::new(kind);
                for (a, yes) in &answers {
                    let change = if *a { question.answer(Side::A, false) } else { question.answer(Side::B, *yes) };
                    prop_assert_eq!(change, None);
                }
            }
        }
    }
}
