//! How much speaks for a cover: two logistic regressions, each over a few measures and each weight with the sign that reason
//! gives it. [`whole`] asks how little there is to see, however it came about; [`part`] asks whether structure was lost that
//! nothing replaces, and so sees a cover that leaves half of the picture free. A veiled picture has weights of its own, since a
//! mosaic has no texture inside its blocks.
//!
//! The weights are found by `fit/fit.py`; how they do on people and rooms that they were not fitted on is written down in
//! `fit/README.md`.

use crate::change::Change;
use crate::features::Measures;

struct Whole {
    sharpest: f32,
    colours: f32,
    step: f32,
    remains: f32,
    bias: f32,
}

struct Part {
    lost: f32,
    gained: f32,
    texture: f32,
    edges: f32,
    emptied: f32,
    least_side: f32,
    bias: f32,
}

const WHOLE: Whole = Whole { sharpest: -2.931, colours: -0.520, step: -1.480, remains: -1.725, bias: 12.437 };
const PART: Part =
    Part { lost: 1.215, gained: -1.767, texture: -1.457, edges: -0.214, emptied: 2.610, least_side: -0.881, bias: 4.310 };
const WHOLE_VEILED: Whole = Whole { sharpest: -1.799, colours: -1.973, step: -1.632, remains: -1.057, bias: 12.973 };
const PART_VEILED: Part =
    Part { lost: 2.734, gained: -2.633, texture: -1.501, edges: 0.0, emptied: 0.0, least_side: 0.0, bias: 1.961 };

/// Logit of "this camera is covered, or sees next to nothing".
pub(crate) fn whole(measures: &Measures, mosaic: bool) -> f32 {
    let weights = if mosaic { WHOLE_VEILED } else { WHOLE };
    weights.bias
        + weights.sharpest * (measures.sharpest + 1.0).ln()
        + weights.colours * (measures.colours + 2.0).ln()
        + weights.step * (measures.step + 0.5).ln()
        + weights.remains * (measures.since.remains + 1.0).ln()
}

/// Logit of "something came before this camera". Both remembered views must say so.
pub(crate) fn part(measures: &Measures, mosaic: bool) -> f32 {
    let weights = if mosaic { PART_VEILED } else { PART };
    let against = |change: &Change| {
        weights.bias
            + weights.lost * (change.lost + 0.05).ln()
            + weights.gained * change.gained
            + weights.texture * (change.texture + 0.3).ln()
            + weights.edges * (change.edges + 1.0).ln()
            + weights.emptied * (change.emptied + 0.05).ln()
            + weights.least_side * (change.least_side + 0.05).ln()
    };
    against(&measures.since).min(against(&measures.before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f32, expected: f32) -> bool {
        (is - expected).abs() < 1e-3
    }

    /// Each measure with the value at which it says nothing, the value at which it says its weight once, and the weight.
    #[test]
    fn the_less_there_is_to_see_the_more_speaks_for_a_cover() {
        let e = std::f32::consts::E;
        let nothing = Measures { colours: -1.0, step: 0.5, ..Measures::default() };
        for (mosaic, weights) in [(false, WHOLE), (true, WHOLE_VEILED)] {
            assert!(weights.bias > 0.0 && near(whole(&nothing, mosaic), weights.bias));
            let mut once = [nothing; 4];
            (once[0].sharpest, once[1].colours, once[2].step, once[3].since.remains) = (e - 1.0, e - 2.0, e - 0.5, e - 1.0);
            for (measures, weight) in once.into_iter().zip([weights.sharpest, weights.colours, weights.step, weights.remains]) {
                assert!(weight < 0.0 && near(whole(&measures, mosaic), weights.bias + weight), "{measures:?}");
            }
        }
    }

    fn seen(since: Change, before: Change) -> Measures {
        Measures { since, before, ..Measures::default() }
    }

    #[test]
    fn the_more_is_lost_and_the_less_has_come_for_it_the_more_speaks_for_something_before_the_camera() {
        let e = std::f32::consts::E;
        let nothing = Change { lost: 0.95, texture: 0.7, emptied: 0.95, least_side: 0.95, ..Change::default() };
        for (mosaic, weights) in [(false, PART), (true, PART_VEILED)] {
            let of = |change| part(&seen(change, change), mosaic);
            assert!(weights.bias > 0.0 && near(of(nothing), weights.bias));
            let mut once = [nothing; 6];
            (once[0].lost, once[1].emptied, once[2].gained) = (e - 0.05, e - 0.05, 2.0);
            (once[3].texture, once[4].edges, once[5].least_side) = (e - 0.3, e - 1.0, e - 0.05);
            let expected =
                [weights.lost, weights.emptied, 2.0 * weights.gained, weights.texture, weights.edges, weights.least_side];
            for (at, (change, weight)) in once.into_iter().zip(expected).enumerate() {
                let sign = if at < 2 { weight } else { -weight };
                let unused = mosaic && matches!(at, 1 | 4 | 5);
                assert!((sign > 0.0 || (unused && weight == 0.0)) && near(of(change), weights.bias + weight), "{change:?}");
            }
            let gone = Change { lost: 0.1, ..nothing };
            assert_eq!(
                [part(&seen(gone, nothing), mosaic), part(&seen(nothing, gone), mosaic)],
                [of(gone); 2],
                "both must say so"
            );
        }
    }
}
