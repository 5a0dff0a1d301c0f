//! What became of the view that this camera showed before: structure that was there and is lost, structure that is new, and
//! whether the changed part of the picture is empty.
//!
//! Structure is compared by local correlation, so that neither exposure nor a light that goes off counts as a loss. Two views
//! are remembered: a slow average, and that average as it was before the last great change, so that something which was held up
//! for a while and is taken away again is no loss either. Nothing here can see a camera that was covered from the start.

use crate::grids::{ACROSS, BLOCKS, Colours, DOWN, TILES, box_means, quantile, steps};

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
/// Deviation of a neighbourhood at which there is structure, at which it counts in full, and at which it counts no more for
/// being stronger; levels of luma.
const FAINT: f32 = 2.0;
const CLEARLY: f32 = 3.0;
const STRONG: f32 = 15.0;
/// A tile is empty where structure was when so much of its block's structure is lost, when its texture is less than this share of
/// what was remembered, and when there was that much to remember.
const LOST: f32 = 0.4;
const FADED: f32 = 0.35;
const TEXTURED: f32 = 0.6;
/// It is empty in another brightness or colour when it is so smooth, and by so many levels another.
const SMOOTH: f32 = 0.6;
const OTHER_LIGHT: f32 = 14.0;
const OTHER_COLOUR: f32 = 9.0;
const BLACK: f32 = 16.0;
/// Correlation from which a neighbourhood tells of exposure alone.
const UNCHANGED: f32 = 0.6;
/// How much a block must have changed to count for [`Change::edges`].
const CHANGED: f32 = 0.3;
const FEW: usize = 10;
/// Blocks from an edge that make a side of the picture, and structure that a side must have had to tell much, summed levels.
const SIDE_ACROSS: usize = 5;
const SIDE_DOWN: usize = 4;
const SIDE_FAINT: f32 = 10.0;

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
    /// Of the largest connected part of the picture that became empty (smooth where structure was, or smooth in another brightness
    /// or colour), that which had structure, as a share of the picture. A cover is in one piece; who moves leaves pieces behind.
    pub emptied: f32,
    /// [`Self::lost`] of that side of the picture (left, right, upper, lower) where least is lost. What covers half of a camera
    /// leaves a side as it was; who leans in, or a camera that is moved, changes all four.
    pub least_side: f32,
}

impl Change {
    pub(crate) fn named(&self) -> [(&'static str, f32); 9] {
        [
            ("lost", self.lost),
            ("gained", self.gained),
            ("remains", self.remains),
            ("texture", self.texture),
            ("texture_was", self.texture_was),
            ("structure_was", self.structure_was),
            ("edges", self.edges),
            ("emptied", self.emptied),
            ("least_side", self.least_side),
        ]
    }
}

#[derive(Clone, Debug)]
struct View {
    y: Vec<f32>,
    colours: Colours,
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
    pub fn compare(&mut self, now: &[f32], colours: &Colours, texture: &[f32]) -> (Change, Change) {
        let Some(view) = &self.view else { return <(Change, Change)>::default() };
        let seen = Seen::new(now, colours);
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

    /// The view is another one since, and this is it: somebody came nearer.
    pub fn renew(&mut self, y: &[f32], colours: &Colours, texture: &[f32]) {
        *self = Self::default();
        self.learn(y, colours, texture, 0.0);
    }

    pub fn learn(&mut self, y: &[f32], colours: &Colours, texture: &[f32], lost: f32) {
        self.looks = self.looks.saturating_add(1);
        let Some(view) = &mut self.view else {
            self.view = Some(View { y: y.to_vec(), colours: colours.clone(), texture: texture.to_vec() });
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
        towards(&mut view.colours.u, &colours.u);
        towards(&mut view.colours.v, &colours.v);
        towards(&mut view.texture, texture);
    }
}

/// The present view with what every comparison needs of it.
struct Seen<'a> {
    y: &'a [f32],
    colours: &'a Colours,
    means: Vec<f32>,
    variances: Vec<f32>,
    steps: Vec<f32>,
}

fn products(a: &[f32], b: &[f32]) -> Vec<f32> {
    let products: Vec<f32> = a.iter().zip(b).map(|(a, b)| a * b).collect();
    box_means(&products, ACROSS)
}

fn variances(y: &[f32], means: &[f32]) -> Vec<f32> {
    products(y, y).iter().zip(means).map(|(square, mean)| (square - mean * mean).max(0.0)).collect()
}

impl<'a> Seen<'a> {
    fn new(y: &'a [f32], colours: &'a Colours) -> Self {
        let means = box_means(y, ACROSS);
        let variances = variances(y, &means);
        Self { y, colours, variances, steps: steps(y), means }
    }

    fn against(&self, view: &View, texture: &[f32]) -> Change {
        let means = box_means(&view.y, ACROSS);
        let variances = variances(&view.y, &means);
        let shared = products(self.y, &view.y);
        let (mut weights, mut edges) = (vec![0.0; BLOCKS], Vec::with_capacity(BLOCKS));
        let mut unchanged = vec![0.0; BLOCKS];
        let mut structure = Vec::with_capacity(BLOCKS);
        let (mut capped, mut capped_lost, mut lost, mut gained) = (0.0, 0.0, 0.0, 0.0);
        for at in 0..BLOCKS {
            let covariance = shared[at] - self.means[at] * means[at];
            let same = (covariance / ((self.variances[at] * variances[at]).sqrt() + FAINT * FAINT)).clamp(0.0, 1.0);
            unchanged[at] = same;
            let (now, was) = (self.variances[at].sqrt(), variances[at].sqrt());
            let strong = was.min(STRONG);
            structure.push((strong, strong * (1.0 - same)));
            capped += strong;
            capped_lost += strong * (1.0 - same);
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
        let emptied = self.emptied(view, texture, &unchanged, tiles);
        Change {
            lost: capped_lost / (capped + 30.0),
            gained: ((gained + 100.0) / (lost + 100.0)).ln(),
            remains: (capped - capped_lost) / BLOCKS as f32,
            texture: weighted(tiles, texture),
            texture_was: weighted(tiles, &view.texture),
            structure_was: weighted(&weights, &variances).sqrt(),
            edges: if edges.len() > FEW { quantile(&mut edges, 0.75) } else { 0.0 },
            emptied,
            least_side: least_side(&structure),
        }
    }

    fn emptied(&self, view: &View, texture: &[f32], unchanged: &[f32], lost: &[f32]) -> f32 {
        let top = BLOCKS - TILES;
        let gain = self.gain(view, unchanged);
        let mut marks = vec![Mark::Kept; TILES];
        for (tile, mark) in marks.iter_mut().enumerate() {
            let at = tile + top;
            let faded = texture[tile] < FADED * view.texture[tile] + 0.1 && view.texture[tile] > TEXTURED;
            let light = (self.y[at] - BLACK - gain * (view.y[at] - BLACK)).abs();
            let colour = (self.colours.u[at] - view.colours.u[at]).abs() + (self.colours.v[at] - view.colours.v[at]).abs();
            let other = light > OTHER_LIGHT || colour > OTHER_COLOUR;
            if lost[tile] > LOST && faded {
                *mark = Mark::Lost;
            } else if other && texture[tile] < SMOOTH {
                *mark = Mark::Other;
            }
        }
        lost_of_largest(&mut marks) as f32 / TILES as f32
    }

    /// How much brighter the unchanged part has become: exposure.
    fn gain(&self, view: &View, unchanged: &[f32]) -> f32 {
        let (mut now, mut was) = (0.0, 0.0);
        for (at, same) in unchanged.iter().enumerate() {
            if *same > UNCHANGED {
                now += self.y[at] - BLACK;
                was += view.y[at] - BLACK;
            }
        }
        if was > 0.0 { (now / was).clamp(0.3, 3.0) } else { 1.0 }
    }
}

/// Lost share of that side where least is lost. `structure`: what was there of each block, and what of it is lost.
fn least_side(structure: &[(f32, f32)]) -> f32 {
    let mut sides = [(SIDE_FAINT, 0.0); 4];
    let mut add = |side: usize, blocks: &[(f32, f32)]| {
        for (was, lost) in blocks {
            sides[side].0 += was;
            sides[side].1 += lost;
        }
    };
    for (y, row) in structure.chunks_exact(ACROSS).enumerate() {
        add(0, &row[..SIDE_ACROSS]);
        add(1, &row[ACROSS - SIDE_ACROSS..]);
        if y < SIDE_DOWN {
            add(2, row);
        }
        if y >= DOWN - SIDE_DOWN {
            add(3, row);
        }
    }
    sides.into_iter().map(|(was, lost)| lost / was).fold(f32::INFINITY, f32::min)
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Kept,
    Lost,
    Other,
}

/// How many tiles are lost of the largest connected part of those that are not kept. Consumes the marks.
fn lost_of_largest(marks: &mut [Mark]) -> usize {
    let (mut best, mut waiting) = ((0, 0), Vec::new());
    for start in 0..marks.len() {
        waiting.push(start);
        let (mut all, mut lost) = (0, 0);
        while let Some(at) = waiting.pop() {
            let mark = std::mem::replace(&mut marks[at], Mark::Kept);
            if mark == Mark::Kept {
                continue;
            }
            all += 1;
            lost += usize::from(mark == Mark::Lost);
            if at % ACROSS > 0 {
                waiting.push(at - 1);
            }
            if at % ACROSS + 1 < ACROSS {
                waiting.push(at + 1);
            }
            waiting.extend(at.checked_sub(ACROSS));
            waiting.extend(Some(at + ACROSS).filter(|below| *below < marks.len()));
        }
        best = best.max((all, lost));
    }
    best.1
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
