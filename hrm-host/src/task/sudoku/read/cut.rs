//! Grids whose blanks are spaces, where an editor has cut off those at the end of each line: an empty line
//! may have been a row.

use super::stretch::Item;

/// Whether empty lines may be rows of blanks that were cut off: as grids that stand apart, of which the last
/// may lack its end, rows and empty lines make up more than the rows alone; even if one line were missing.
pub(super) fn may_be_cut(items: &[Item], side: usize) -> bool {
    if items.iter().any(Item::is_open) {
        return false;
    }
    let is_row = |item: &Item| std::iter::repeat_n(item.line().is_some(), item.height());
    let mut lines: Vec<bool> =
        items.iter().filter(|item| !matches!(item, Item::Rule { .. })).flat_map(is_row).collect();
    lines.truncate(lines.iter().rposition(|is_row| *is_row).map_or(0, |last| last + 1));
    // Where a grid may end, whether empty rows are among those so far, and whether a line is missing.
    let mut ends = vec![[[false; 2]; 2]; lines.len() + 1];
    ends[0][0][0] = true;
    for end in 0..lines.len() {
        let empty = lines[end..].iter().take_while(|is_row| !**is_row).count();
        for (cut, lost) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            if !ends[end][cut][lost] {
                continue;
            }
            for (skipped, short) in (0..=empty).flat_map(|skipped| [(skipped, 0), (skipped, 1)]) {
                let start = end + skipped;
                let grid = &lines[start..lines.len().min(start + side - short)];
                let lost = lost + short + usize::from(end > 0 && skipped == 0);
                let lacks_end = grid.len() + short < side;
                if lost > 1 || !grid.contains(&true) || lacks_end && lost > 0 && 2 * grid.len() < side {
                    continue;
                }
                let cut = cut | usize::from(lacks_end || grid.contains(&false));
                ends[start + grid.len()][cut][lost] = true;
            }
        }
    }
    ends[lines.len()][1].contains(&true)
}
