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
    bias: f32,
}

const WHOLE: Whole = Whole { sharpest: -2.931, colours: -0.520, step: -1.480, remains: -1.725, bias: 12.437 };
const PART: Part = Part { lost: 1.373, gained: -2.052, texture: -1.954, edges: -0.144, emptied: 1.794, bias: 4.230 };
const WHOLE_VEILED: Whole = Whole { sharpest: -1.799, colours: -1.973, step: -1.632, remains: -1.057, bias: 12.973 };
const PART_VEILED: Part = Part { lost: 2.734, gained: -2.633, texture: -1.501, edges: 0.0, emptied: 0.0, bias: 1.961 };

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
    };
    against(&measures.since).min(against(&measures.before))
}
