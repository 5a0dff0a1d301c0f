//! Slips of the keys between two words: a letter more, less or another, or two neighbours swapped (Damerau-Levenshtein distance
//! in which no part is touched twice).

/// Whether `most` slips or fewer turn one into the other.
pub fn within(a: &[char], b: &[char], most: usize) -> bool {
    if a.len().abs_diff(b.len()) > most {
        return false;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, &letter) in a.iter().enumerate() {
        let mut now = vec![row + 1];
        for (column, &other) in b.iter().enumerate() {
            let mut least = (last[column] + usize::from(letter != other)).min(last[column + 1] + 1).min(now[column] + 1);
            if row > 0 && column > 0 && letter == b[column - 1] && a[row - 1] == other {
                least = least.min(before[column - 1] + 1);
            }
            now.push(least);
        }
        before = last;
        last = now;
    }
    last[b.len()] <= most
}
