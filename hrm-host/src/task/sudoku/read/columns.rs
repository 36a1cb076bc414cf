//! Drawings whose fields are as wide in every row. There a narrower field that looks blank has lost a
//! character.

/// How wide the fields between bars or delimiters are.
pub(super) struct Columns {
    by: char,
    /// Whether one stands at both ends of a row.
    closed: bool,
    widths: Vec<usize>,
}

impl Columns {
    /// Those of `rows`, where half of them are drawn alike; with a cell in each field, a blank is as wide as
    /// a digit somewhere.
    pub(super) fn of(by: char, closed: bool, rows: &[String], are_cells: bool) -> Option<Self> {
        let fields = |row| fields(row, by, closed);
        let widths: Vec<Vec<usize>> = rows.iter().map(|row| fields(row).map(width).collect()).collect();
        let alike = |of: &Vec<usize>| widths.iter().filter(|widths| *widths == of).count();
        let usual =
            widths.iter().max_by_key(|widths| alike(widths)).filter(|of| 2 * alike(of) >= rows.len())?;
        let usual_rows = || rows.iter().zip(&widths).filter(|(_, widths)| *widths == usual);
        let is_both = |place: usize| {
            let mut fields = usual_rows().filter_map(|(row, _)| fields(row).nth(place));
            usual[place] > 0 && fields.clone().any(is_blank) && !fields.all(is_blank)
        };
        let are_columns = !are_cells || (0..usual.len()).any(is_both);
        are_columns.then(|| Columns { by, closed, widths: usual.clone() })
    }

    /// Whether a field of `row` that leaves a blank unwritten is too narrow. Spaces at the ends of a line may
    /// be cut off, but for those behind a digit where they are `kept`.
    pub(super) fn has_narrow(&self, row: &str, kept: bool) -> bool {
        let last = self.widths.len() - 1;
        let fields = || fields(row, self.by, self.closed);
        let is_narrow = |(place, (field, wide)): (usize, (&str, &usize))| {
            let may_be_cut = !self.closed
                && match place {
                    0 => field.is_empty(),
                    place => place == last && (field.is_empty() || !kept && !is_blank(field)),
                };
            width(field) < *wide && (is_blank(field) || field.contains(' ')) && !may_be_cut
        };
        fields().count() == self.widths.len() && fields().zip(&self.widths).enumerate().any(is_narrow)
    }
}

/// What stands between the `by`s in `row`, but for what stands outside where it is `closed`.
fn fields(row: &str, by: char, closed: bool) -> impl Iterator<Item = &str> + Clone {
    let inner = row.trim().strip_prefix(by).and_then(|row| row.strip_suffix(by));
    inner.filter(|_| closed).unwrap_or(row).split(by)
}

fn width(field: &str) -> usize {
    field.chars().count()
}

fn is_blank(field: &str) -> bool {
    field.trim().is_empty()
}
