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

    /// For the matcher, which tells nobody.
    pub fn said_yes(&self) -> [bool; 2] {
        self.answers.map(|answer| answer == Some(true))
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

/// Two wishes for one of many things, which meet when they are the same. Nobody learns of a wish that was not shared.
#[derive(Clone, Debug)]
pub struct Wishes<T> {
    wishes: [Option<T>; 2],
}

impl<T: Copy + PartialEq> Wishes<T> {
    pub fn new() -> Self {
        Self { wishes: [None; 2] }
    }

    /// Takes the place of the side's wish before. `Some`: both wish for that, and both wishes are spent.
    pub fn wish(&mut self, side: Side, for_what: T) -> Option<T> {
        self.wishes[side.index()] = Some(for_what);
        if self.wishes != [Some(for_what); 2] {
            return None;
        }
        self.wishes = [None; 2];
        Some(for_what)
    }

    /// Only the wish that is meant: another one may have been made since.
    pub fn take_back(&mut self, side: Side, for_what: T) {
        let wish = &mut self.wishes[side.index()];
        if *wish == Some(for_what) {
            *wish = None;
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

    #[test]
    fn the_matcher_knows_who_said_yes_and_nobody_else_does() {
        let mut question = Blind::new(Kind::Standing);
        assert_eq!(question.said_yes(), [false; 2]);
        for (side, yes, known) in [
            (Side::B, true, [false, true]),
            (Side::A, false, [false, true]),
            (Side::B, false, [false; 2]),
            (Side::A, true, [true, false]),
        ] {
            assert_eq!(question.answer(side, yes), None);
            assert_eq!(question.said_yes(), known);
        }
    }

    #[test]
    fn wishes_meet_once_and_can_be_taken_back() {
        let mut wishes = Wishes::new();
        assert_eq!(wishes.wish(Side::A, 'x'), None);
        assert_eq!(wishes.wish(Side::A, 'x'), None, "one person cannot wish for two");
        assert_eq!(wishes.wish(Side::B, 'y'), None);
        assert_eq!(wishes.wish(Side::A, 'z'), None);
        wishes.take_back(Side::B, 'z');
        assert_eq!(wishes.wish(Side::A, 'y'), Some('y'));
        assert_eq!(wishes.wish(Side::B, 'y'), None, "spent");
        wishes.take_back(Side::B, 'y');
        assert_eq!(wishes.wish(Side::A, 'y'), None);
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
