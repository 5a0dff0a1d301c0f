//! What became of the view that this camera showed before: structure that was there and is lost, structure that is new, and
//! whether the changed part of the picture is empty.
//!
//! Structure is compared by local correlation, so that neither exposure nor a light that goes off counts as a loss. Two views
//! are remembered: a slow average, and that average as it was before the last great change, so that something which was held up
//! for a while and is taken away again is no loss either. Nothing here can see a camera that was covered from the start.

use crate::grids::{ACROSS, BLOCKS, TILES, box_means, quantile, steps};

/// The memory takes in a look's share of this; more while it is young.
const SHARE: f32 = 1.0 / 90.0;
const YOUNG: u32 = 20;
/// Lost share from which the memory slows down, over how much more it does, and what is left of its speed.
const SLOW_FROM: f32 = 0.12;
const SLOW_OVER: f32 = 0.15;
const SLOWEST: f32 = 0.15;
/// Lost share that counts as a great change, how long the view before it is kept (looks), and under which lost share of both
/// views it is forgotten again.
const GREAT: f32 = 0.2;
const KEEP: u32 = 225;
const RETURNED: f32 = 0.12;
const SETTLED: u32 = 30;
/// Blocks around a block that make its neighbourhood, each way.
const REACH: usize = 2;
/// Deviation of a neighbourhood at which there is structure, at which it counts in full, and at which it counts no more for
/// being stronger; levels of luma.
const FAINT: f32 = 2.0;
const CLEARLY: f32 = 3.0;
const STRONG: f32 = 15.0;
/// How much a block must have changed to count for [`Change::edges`].
const CHANGED: f32 = 0.3;
const FEW: usize = 10;

/// One look against one remembered view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Share of the remembered structure that is not there any more.
    pub lost: f32,
    /// Structure that is new, against structure that is lost: logarithm, under 0 when less has come than gone.
    pub gained: f32,
    /// Remembered structure that is still there, levels of luma.
    pub remains: f32,
    /// Texture in the changed part: now, and as remembered.
    pub texture: f32,
    pub texture_was: f32,
    /// Structure of the changed part as remembered, levels of luma.
    pub structure_was: f32,
    /// Step between neighbouring blocks that a quarter of the changed part exceeds.
    pub edges: f32,
}

impl Change {
    pub(crate) fn named(&self) -> [(&'static str, f32); 7] {
        [
            ("lost", self.lost),
            ("gained", self.gained),
            ("remains", self.remains),
            ("texture", self.texture),
            ("texture_was", self.texture_was),
            ("structure_was", self.structure_was),
            ("edges", self.edges),
        ]
    }
}

#[derive(Clone, Debug)]
struct View {
    y: Vec<f32>,
    texture: Vec<f32>,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    view: Option<View>,
    looks: u32,
    /// The view before the last great change, and how many looks ago that was.
    before: Option<(View, u32)>,
}

impl Memory {
    /// Against the slow view, and against the one before the last great change (the same while there was none).
    pub fn compare(&mut self, now: &[f32], texture: &[f32]) -> (Change, Change) {
        let Some(view) = &self.view else { return <(Change, Change)>::default() };
        let seen = Seen::new(now);
        let since = seen.against(view, texture);
        if let Some((_, age)) = &mut self.before {
            *age += 1;
        }
        if since.lost > GREAT && self.before.as_ref().is_none_or(|(_, age)| *age > KEEP) {
            self.before = Some((view.clone(), 0));
        }
        let Some((view, age)) = &self.before else { return (since, since) };
        let before = seen.against(view, texture);
        if *age > SETTLED && since.lost < RETURNED && before.lost < RETURNED {
            self.before = None;
        }
        (since, before)
    }

    pub fn learn(&mut self, y: &[f32], texture: &[f32], lost: f32) {
        self.looks = self.looks.saturating_add(1);
        let Some(view) = &mut self.view else {
            self.view = Some(View { y: y.to_vec(), texture: texture.to_vec() });
            return;
        };
        let mut share = SHARE.max(1.0 / self.looks as f32);
        if self.looks > YOUNG {
            share *= (1.0 - (lost - SLOW_FROM) / SLOW_OVER).clamp(SLOWEST, 1.0);
        }
        let towards = |old: &mut [f32], new: &[f32]| {
            for (old, new) in old.iter_mut().zip(new) {
                *old += share * (new - *old);
            }
        };
        towards(&mut view.y, y);
        towards(&mut view.texture, texture);
    }
}

/// The present view with what every comparison needs of it.
struct Seen<'a> {
    y: &'a [f32],
    means: Vec<f32>,
    variances: Vec<f32>,
    steps: Vec<f32>,
}

fn products(a: &[f32], b: &[f32]) -> Vec<f32> {
    let products: Vec<f32> = a.iter().zip(b).map(|(a, b)| a * b).collect();
    box_means(&products, ACROSS, REACH)
}

fn variances(y: &[f32], means: &[f32]) -> Vec<f32> {
    products(y, y).iter().zip(means).map(|(square, mean)| (square - mean * mean).max(0.0)).collect()
}

impl<'a> Seen<'a> {
    fn new(y: &'a [f32]) -> Self {
        let means = box_means(y, ACROSS, REACH);
        let variances = variances(y, &means);
        Self { y, variances, steps: steps(y), means }
    }

    fn against(&self, view: &View, texture: &[f32]) -> Change {
        let means = box_means(&view.y, ACROSS, REACH);
        let variances = variances(&view.y, &means);
        let shared = products(self.y, &view.y);
        let (mut weights, mut edges) = (vec![0.0; BLOCKS], Vec::with_capacity(BLOCKS));
        let (mut capped, mut capped_lost, mut lost, mut gained) = (0.0, 0.0, 0.0, 0.0);
        for at in 0..BLOCKS {
            let covariance = shared[at] - self.means[at] * means[at];
            let same = (covariance / ((self.variances[at] * variances[at]).sqrt() + FAINT * FAINT)).clamp(0.0, 1.0);
            let (now, was) = (self.variances[at].sqrt(), variances[at].sqrt());
            capped += was.min(STRONG);
            capped_lost += was.min(STRONG) * (1.0 - same);
            lost += was * (1.0 - same);
            gained += now * (1.0 - same);
            weights[at] = (1.0 - same) * (was / CLEARLY).min(1.0);
            if weights[at] > CHANGED {
                edges.push(self.steps[at]);
            }
        }
        let weighted = |weights: &[f32], values: &[f32]| {
            let sum: f32 = weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
            sum / (weights.iter().sum::<f32>() + FEW as f32)
        };
        let tiles = &weights[BLOCKS - TILES..];
        Change {
            lost: capped_lost / (capped + 30.0),
            gained: ((gained + 100.0) / (lost + 100.0)).ln(),
            remains: (capped - capped_lost) / BLOCKS as f32,
            texture: weighted(tiles, texture),
            texture_was: weighted(tiles, &view.texture),
            structure_was: weighted(&weights, &variances).sqrt(),
            edges: if edges.len() > FEW { quantile(&mut edges, 0.75) } else { 0.0 },
        }
    }
}
