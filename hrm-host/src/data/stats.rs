//! What a puzzle set holds: sizes, givens, ratings, sources, and what it holds twice.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    hash::Hash,
};

use hrm_core::task::Task;
use rayon::prelude::*;
use serde::Serialize;

use super::{PuzzleSet, rating::Rating, split::Forms};

/// Rows looked at between two tellings of how many were.
const ROWS_AT_ONCE: usize = 1000;

/// Figures of a puzzle set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// The task's name.
    pub task: &'static str,
    /// Number of rows.
    pub rows: usize,
    /// Rows by number of givens.
    pub givens: BTreeMap<usize, usize>,
    /// Mean number of givens.
    pub mean_givens: f64,
    /// The ratings of the rows that have one; `None` where no row has.
    pub ratings: Option<Ratings>,
    /// Rows by source, the largest first.
    pub sources: Vec<(String, usize)>,
    /// Rows whose question stands in an earlier row.
    pub duplicates: usize,
    /// Rows whose puzzle (givens and answer) is an earlier row's up to symmetry; includes `duplicates`.
    pub duplicates_up_to_symmetry: usize,
    /// Different solution grids up to symmetry.
    pub solutions_up_to_symmetry: usize,
}

/// Figures of ratings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratings {
    /// Rows with a rating.
    pub rows: usize,
    /// Smallest.
    pub min: Rating,
    /// Mean.
    pub mean: f64,
    /// Middle one (the lower of two).
    pub median: Rating,
    /// Nine tenths are at most this.
    pub ninth_decile: Rating,
    /// Largest.
    pub max: Rating,
}

impl Ratings {
    fn of(mut ratings: Vec<Rating>) -> Option<Self> {
        ratings.sort_unstable();
        let (&min, &max) = (ratings.first()?, ratings.last()?);
        let rows = ratings.len();
        let mean = ratings.iter().map(|rating| rating.to_f64()).sum::<f64>() / rows as f64;
        let at = |tenths: usize| ratings[(rows * tenths).div_ceil(10) - 1];
        Some(Ratings { rows, min, mean, median: at(5), ninth_decile: at(9), max })
    }
}

/// Measures `set`; `watch` is told how many of its rows have been looked at.
pub fn stats(set: &PuzzleSet, mut watch: impl FnMut(usize)) -> Stats {
    let (forms_of, blank) = (Forms::of(set.task()), set.task().blank());
    let mut forms = Vec::with_capacity(set.len());
    let rows: Vec<usize> = (0..set.len()).collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let form = |&row: &usize| forms_of.form(set.question(row), set.answer(row));
        forms.par_extend(rows.par_iter().map(form));
        watch(forms.len());
    }
    let mut givens = BTreeMap::new();
    let mut sources: HashMap<&str, usize> = HashMap::new();
    for puzzle in set.iter() {
        let given = puzzle.question.iter().filter(|&&token| token != blank).count();
        *givens.entry(given).or_insert(0) += 1;
        *sources.entry(puzzle.source).or_default() += 1;
    }
    let mut sources: Vec<(String, usize)> =
        sources.into_iter().map(|(source, rows)| (source.to_owned(), rows)).collect();
    sources.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let total_givens: usize = givens.iter().map(|(givens, rows)| givens * rows).sum();
    Stats {
        task: set.task().name(),
        rows: set.len(),
        mean_givens: if set.is_empty() { 0.0 } else { total_givens as f64 / set.len() as f64 },
        givens,
        ratings: Ratings::of(set.iter().filter_map(|puzzle| puzzle.rating).collect()),
        sources,
        duplicates: set.len() - distinct(set.iter().map(|puzzle| puzzle.question)),
        duplicates_up_to_symmetry: set.len() - distinct(&forms),
        solutions_up_to_symmetry: distinct(forms.iter().map(|form| &form.answer)),
    }
}

fn distinct<T: Hash + Eq>(items: impl IntoIterator<Item = T>) -> usize {
    items.into_iter().collect::<HashSet<T>>().len()
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "task                        {}", self.task)?;
        writeln!(f, "rows                        {}", self.rows)?;
        writeln!(f, "identical questions         {}", self.duplicates)?;
        writeln!(f, "same puzzle up to symmetry  {}", self.duplicates_up_to_symmetry)?;
        writeln!(f, "solutions up to symmetry    {}", self.solutions_up_to_symmetry)?;
        match &self.ratings {
            Some(r) => writeln!(
                f,
                "ratings                     {} rows: mean {:.2}, median {}, 90 % at most {}, range {} to {}",
                r.rows, r.mean, r.median, r.ninth_decile, r.min, r.max
            )?,
            None => writeln!(f, "ratings                     none")?,
        }
        writeln!(f, "givens                      mean {:.2}", self.mean_givens)?;
        let most = self.givens.values().copied().max().unwrap_or(1);
        for (givens, rows) in &self.givens {
            let bar = "#".repeat((rows * 40).div_ceil(most));
            writeln!(f, "  {givens:>2} {rows:>8} {bar}")?;
        }
        writeln!(f, "sources")?;
        for (source, rows) in &self.sources {
            let name = if source.is_empty() { "(none)" } else { source };
            writeln!(f, "  {rows:>8} {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{Sudoku, SudokuKind};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::data::{
        Puzzle,
        generate::{Recipe, generate},
    };

    #[test]
    fn duplicates_and_histograms() {
        let task = Sudoku::new(SudokuKind::Nine);
        let base = generate(&Recipe { task: task.into(), count: 10, seed: 2, givens: Some(30) }, |_| {})
            .expect("puzzles");
        let mut set = base.clone();
        set.push(base.get(3));
        let symmetry = task.draw(&mut Pcg64::new(1, 1));
        let (mut question, mut answer) = ([0; 81], [0; 81]);
        task.apply(&symmetry, base.question(4), &mut question);
        task.apply(&symmetry, base.answer(4), &mut answer);
        set.push(Puzzle { question: &question, answer: &answer, source: "turned", rating: None });
        // The same solution with one given fewer is another puzzle.
        let mut fewer = base.question(5).to_vec();
        let given = fewer.iter().position(|&token| token > 1).expect("a given");
        fewer[given] = 1;
        set.push(Puzzle {
            question: &fewer,
            answer: base.answer(5),
            source: "turned",
            rating: Some(1000.into()),
        });

        let stats = stats(&set, |_| ());
        assert_eq!((stats.rows, stats.duplicates), (13, 1));
        assert_eq!(stats.duplicates_up_to_symmetry, 2);
        assert_eq!(stats.solutions_up_to_symmetry, 10);
        assert_eq!(stats.givens, BTreeMap::from([(29, 1), (30, 12)]));
        assert_eq!(stats.sources, [("generated_30".to_owned(), 11), ("turned".to_owned(), 2)]);
        let ratings = stats.ratings.as_ref().expect("ratings");
        assert_eq!((ratings.rows, ratings.max), (12, 1000.into()));
        assert!(stats.to_string().contains("identical questions         1\n"));
    }

    #[test]
    fn deciles_are_nearest_ranks() {
        let ratings = Ratings::of((1..=10).rev().map(Rating::from).collect()).expect("ratings");
        let expected = (1.into(), 5.into(), 9.into(), 10.into());
        assert_eq!((ratings.min, ratings.median, ratings.ninth_decile, ratings.max), expected);
        let single = Ratings::of(vec![7.into()]).map(|r| (r.median, r.ninth_decile));
        assert_eq!(single, Some((7.into(), 7.into())));
        assert_eq!(Ratings::of(vec![]), None);
    }

    #[test]
    fn an_empty_set_has_figures_too() {
        let stats = stats(&PuzzleSet::new(Sudoku::new(SudokuKind::Four)), |_| ());
        assert_eq!((stats.rows, stats.mean_givens, stats.ratings.is_none()), (0, 0.0, true));
    }
}
