//! Figures, their targets, and whether they are reached.

use serde_json::{Value, json};

#[derive(Default)]
pub struct Report {
    figures: Vec<Value>,
    missed: usize,
}

impl Report {
    pub fn figure(&mut self, seed: u64, name: &str, value: f64, target: Option<(f64, bool)>) {
        let shown = match target {
            None => String::new(),
            Some((target, met)) => {
                self.missed += usize::from(!met);
                format!("  target {target}  {}", if met { "reached" } else { "MISSED" })
            }
        };
        println!("seed {seed}  {name:<48} {value:>12.3}{shown}");
        let (target, met) = target.unzip();
        self.figures.push(json!({ "seed": seed, "name": name, "value": value, "target": target, "reached": met }));
    }

    pub fn least(&mut self, seed: u64, name: &str, value: f64, target: f64) {
        self.figure(seed, name, value, Some((target, value >= target)));
    }

    pub fn most(&mut self, seed: u64, name: &str, value: f64, target: f64) {
        self.figure(seed, name, value, Some((target, value <= target)));
    }

    pub fn note(&self, seed: u64, text: &str) {
        println!("seed {seed}  {text}");
    }

    pub fn finish(self, json: Option<&str>) -> Result<(), String> {
        println!("{} figures, {} targets missed", self.figures.len(), self.missed);
        let Some(path) = json else { return Ok(()) };
        let text = format!("{:#}\n", json!({ "bench": "matching", "figures": self.figures }));
        std::fs::write(path, text).map_err(|error| format!("cannot write {path}: {error}"))
    }
}

pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(((values.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
