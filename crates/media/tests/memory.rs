//! Memory of calls goes back to the system. In a process of its own, since it looks at the process.

use std::sync::Barrier;

/// Of this process, MiB.
fn private() -> Option<f64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kib = rollup.lines().filter(|line| line.starts_with("Private_")).filter_map(|line| line.split_whitespace().nth(1));
    Some(kib.filter_map(|kib| kib.parse::<f64>().ok()).sum::<f64>() / 1024.0)
}

/// Eight threads have ten buffers each as codecs have them, and leave something small behind.
fn call(kept: &mut Vec<Vec<u8>>) {
    let begun = Barrier::new(8);
    let use_memory = || {
        begun.wait();
        let buffers: Vec<Vec<u8>> = (6..=15).map(|size| vec![7; size * 100_000]).collect();
        let small = vec![9; 2000];
        assert!(buffers.iter().all(|buffer| buffer.last() == Some(&7)));
        begun.wait();
        small
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(use_memory)).collect();
        kept.extend(threads.into_iter().map(|thread| thread.join().expect("a call")));
    });
}

#[test]
fn what_calls_used_goes_back_to_the_system() {
    visavis_media::memory::return_what_is_freed();
    let Some(before) = private() else {
        println!("LEFT OUT: there is no /proc here");
        return;
    };
    let mut kept = Vec::new();
    (0..20).for_each(|_| call(&mut kept));
    let grown = private().unwrap() - before;
    assert!(grown < 24.0, "{grown:.1} MiB are kept of 80 that a call used at once");
    // Small ones, of which every hundredth stays: nothing of it lies at the end.
    let mut small: Vec<Option<Box<[u8; 1000]>>> = (0..60_000).map(|_| Some(Box::new([7; 1000]))).collect();
    (0..small.len()).filter(|at| at % 100 != 0).for_each(|at| small[at] = None);
    let scattered = private().unwrap() - before - grown;
    visavis_media::memory::give_back();
    let left = private().unwrap() - before - grown;
    assert!(left < 12.0, "{left:.1} MiB are kept of {scattered:.1} that hold 0.6");
    assert_eq!(small.iter().flatten().count(), 600);
}
