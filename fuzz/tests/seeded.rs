//! Every decoder against thousands of changed inputs, by a seed, on every test run. `VISAVIS_SEED=N` repeats a run,
//! `VISAVIS_TRIES=N` multiplies it, `VISAVIS_WRITE=1` writes the corpora anew.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use visavis_fuzz::mutate::{Dice, mutate};
use visavis_fuzz::{TARGETS, Target};

#[path = "corpora.rs"]
mod corpora;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    if std::env::var_os("VISAVIS_WRITE").is_some() {
        fs::create_dir_all(folder(name)).expect("a folder");
        for (at, data) in corpora::of(name).iter().enumerate() {
            fs::write(folder(name).join(format!("seed-{at}")), data).expect("a file");
        }
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder(name)).expect(name).map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a file")).collect()
}

/// A description of the input that the target does not survive.
fn fails(target: &Target, data: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(data))).is_err()
}

fn try_all(targets: &[Target], seed: u64) {
    for target in targets {
        let corpus = corpus(target.name);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        let mut dice = Dice::new(seed ^ target.tries as u64);
        for data in &corpus {
            assert!(!fails(target, data), "{}: a file of the corpus", target.name);
        }
        let mut data = Vec::new();
        for _ in 0..u64::from(target.tries) * number("VISAVIS_TRIES", 1) {
            let (one, other) = (dice.below(corpus.len()), dice.below(corpus.len()));
            // Some go on from the input before.
            let from = if dice.below(4) == 0 && !data.is_empty() { data } else { corpus[one].clone() };
            data = mutate(&from, &corpus[other], &mut dice);
            if fails(target, &data) {
                let file = std::env::temp_dir().join(format!("visavis-fuzz-{}", target.name));
                let kept = fs::write(&file, &data).map(|()| file.display().to_string()).unwrap_or_default();
                panic!("{} does not survive an input (seed {seed}), {} bytes, kept in {kept}", target.name, data.len());
            }
        }
    }
}

#[test]
fn every_decoder_survives_changed_inputs() {
    let seed = number("VISAVIS_SEED", 1);
    println!("seed {seed}");
    let half = TARGETS.len() / 2;
    std::thread::scope(|scope| {
        let other = scope.spawn(move || try_all(&TARGETS[half..], seed));
        try_all(&TARGETS[..half], seed);
        if let Err(panic) = other.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Files of the corpora reach behind the first check of their decoder, and stay few.
#[test]
fn corpora_are_small_and_understood() {
    for target in &TARGETS {
        let corpus = corpus(target.name);
        let bytes: usize = corpus.iter().map(Vec::len).sum();
        assert!(bytes < 64 * 1024 && corpus.len() < 64, "{}: {bytes} bytes in {} files", target.name, corpus.len());
    }
    for text in corpus("settings") {
        visavis_server::pure::settings(std::str::from_utf8(&text).unwrap()).unwrap();
    }
    for data in corpus("bus") {
        visavis_server::pure::decode(&data).unwrap();
    }
}

/// The driver itself finds what is there to be found.
#[test]
fn a_decoder_with_a_fault_is_found_out() {
    fn breaks(data: &[u8]) {
        assert!(!data.windows(2).any(|pair| pair == [0xff, b'"']));
    }
    let target = Target { name: "socket", run: breaks, tries: 30_000 };
    let found = catch_unwind(|| try_all(&[target], 1));
    assert!(found.is_err(), "nothing was found");
}
