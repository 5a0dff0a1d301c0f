//! A model as text, for whoever keeps it: a version, then the weights and paces in their order.

use super::{COMMON, FIRST_PACE, MOST_WEIGHT, Model, OWN};

const VERSION: &str = "1";
/// A model of this version is far shorter.
const MOST_BYTES: usize = 4_096;

impl Model {
    pub fn to_text(&self) -> String {
        let numbers = self.common.iter().chain(&self.judging).chain(&self.judged).chain(&self.pace);
        numbers.fold(String::from(VERSION), |text, number| format!("{text} {number}"))
    }

    /// `None` for what another version wrote, or what no model can be.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let mut words = text.split(' ');
        if words.next() != Some(VERSION) {
            return None;
        }
        let mut model = Self { common: [0.0; COMMON], judging: [0.0; OWN], judged: [0.0; OWN], pace: [0.0; COMMON + 2 * OWN] };
        for weight in model.common.iter_mut().chain(&mut model.judging).chain(&mut model.judged) {
            *weight = words.next()?.parse().ok().filter(|weight: &f32| weight.abs() <= MOST_WEIGHT)?;
        }
        for pace in &mut model.pace {
            *pace = words.next()?.parse().ok().filter(|pace: &f32| pace.is_finite() && *pace >= FIRST_PACE)?;
        }
        words.next().is_none().then_some(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Pool, Settings, testkit};
    use proptest::prelude::*;

    #[test]
    fn what_was_learnt_is_read_back_to_the_bit() {
        let mut pool = Pool::new(Settings::default(), Model::default());
        let [a, b] = [1, 2].map(testkit::person);
        for round in 0..50 {
            pool.learn(&a, &b, &Outcome { follow: [round % 3 == 0, round % 7 == 0], ..Outcome::default() });
        }
        assert_ne!(*pool.model(), Model::default());
        assert_eq!(Model::from_text(&pool.model().to_text()).as_ref(), Some(pool.model()));
    }

    #[test]
    fn what_no_model_can_be_is_not_read() {
        let good = Model::default().to_text();
        assert!(Model::from_text(&good).is_some());
        let swapped = |to: &str| good.replacen("-1.6", to, 1);
        for bad in [swapped("NaN"), swapped("inf"), swapped("9"), swapped(""), good.replacen('1', "2", 1), format!("{good} 1")] {
            assert_eq!(Model::from_text(&bad), None, "{bad}");
        }
        assert_eq!(Model::from_text(&good.replace("30", "0")), None, "a pace that would be divided by");
        assert_eq!(Model::from_text(&format!("{good}{}", " ".repeat(5_000))), None);
    }

    #[test]
    fn the_largest_weight_and_the_longest_text_are_still_read() {
        let good = Model::default().to_text();
        for weight in ["8", "-8"] {
            assert!(Model::from_text(&good.replacen("-1.6", weight, 1)).is_some(), "{weight}");
        }
        assert_eq!(Model::from_text(&good.replacen("30", "inf", 1)), None);
        assert_eq!(Model::from_text(&good.replacen("30", "29.9", 1)), None);
        let long = |bytes: usize| good.replacen("-1.6", &format!("-1.6{}", "0".repeat(bytes - good.len())), 1);
        assert_eq!(Model::from_text(&long(4_096)), Some(Model::default()));
        assert_eq!(Model::from_text(&long(4_097)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9 .einfNa-]{0,300}", at in any::<prop::sample::Index>()) {
            let _ = Model::from_text(&text);
            let mut good = Model::default().to_text();
            good.truncate(at.index(good.len()));
            prop_assert_eq!(Model::from_text(&good), None);
        }
    }
}
