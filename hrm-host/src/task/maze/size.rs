//! Which size mazes have that nobody has named: drawn ones tell it, and those on one line
//! are square, or do not tell.

use std::borrow::Cow;

use hrm_core::task::Task;
use hrm_core::task::maze::{GOAL, Maze, START};

use crate::task::{Looks, plain};

/// Mazes on one line each that are looked at for the shapes that they may have.
const LOOKED_AT: usize = 100;
/// Shapes that are told.
const TOLD: usize = 6;

/// What `text` looks like, which is no table. A drawn maze decides, or else the first one on one line; what
/// is wrong with mazes is only told where most lines are a maze's.
pub(super) fn of_text(text: &str) -> Looks<Maze> {
    if !text.contains(['S', 'G']) {
        return Looks::Unlike;
    }
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let paragraphs = paragraphs(&lines);
    let mut told = None;
    for block in paragraphs.iter().flat_map(|rows| rows.chunk_by(|a, b| a.text.len() == b.text.len())) {
        match drawn(block) {
            Looks::Like(maze) => return Looks::Like(maze),
            Looks::Unsized(why) => told = told.or(Some(why)),
            Looks::Unlike => (),
        }
    }
    let lists = paragraphs.iter().map(|rows| whole(rows.iter().map(|row| row.text)));
    // In what is drawn, at most every second row is a start and a goal.
    let lists = lists.zip(&paragraphs).filter(|(whole, rows)| 2 * whole.len() > rows.len());
    let whole: Vec<&str> = lists.flat_map(|(whole, _)| whole).collect();
    let rows = paragraphs.iter().map(Vec::len).sum::<usize>();
    let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
    match told.map_or_else(|| on_one_line(&whole), Looks::Unsized) {
        Looks::Like(maze) => Looks::Like(maze),
        _ if 2 * rows < filled => Looks::Unlike,
        Looks::Unsized(why) => Looks::Unsized(why),
        Looks::Unlike => paragraphs.iter().find_map(|rows| fault(rows)).map_or(Looks::Unlike, Looks::Unsized),
    }
}

/// What the questions of a table look like: the first is drawn in its field, or each stands on one line.
pub(super) fn of_fields(fields: &[String]) -> Looks<Maze> {
    let Some(first) = fields.first().map(|field| field.trim_matches(['\r', '\n'])) else {
        return Looks::Unlike;
    };
    if first.contains('\n') {
        return of_text(first);
    }
    match on_one_line(&whole(fields.iter().map(String::as_str))) {
        Looks::Unlike if are_cells(first) && first.contains(['#', 'S', 'G']) => of_text(first),
        looks => looks,
    }
}

/// A row of a maze, or a maze on one line.
struct Row<'t> {
    line: usize,
    text: &'t str,
}

/// The lines of mazes that follow each other, where one of them is more than dots and spaces.
fn paragraphs<'t>(lines: &[&'t str]) -> Vec<Vec<Row<'t>>> {
    let width = |line: Option<usize>| line.and_then(|line| lines.get(line)).map_or(0, |line| line.len());
    // A row of open cells may be nothing but spaces, as long as a row beside it.
    let is_row = |line: usize, text: &str| {
        let beside = [line.checked_sub(1), Some(line + 1)].map(width).contains(&text.len());
        are_cells(text) && (beside || !text.trim().is_empty())
    };
    let mut paragraphs = vec![Vec::new()];
    for (line, text) in lines.iter().enumerate() {
        match paragraphs.last_mut() {
            Some(rows) if is_row(line, text) => rows.push(Row { line: line + 1, text }),
            _ => paragraphs.push(Vec::new()),
        }
    }
    paragraphs.retain(|rows| rows.iter().any(|row| row.text.contains(['#', 'S', 'G'])));
    paragraphs
}

/// The size of the mazes that are drawn below each other in `rows`, which are equally long.
fn drawn(rows: &[Row<'_>]) -> Looks<Maze> {
    let mazes = rows.iter().map(|row| row.text.matches('S').count()).sum::<usize>();
    // One line may hold a whole maze.
    if mazes == 0 || !rows.len().is_multiple_of(mazes) || rows.len() == mazes && rows[0].text.len() > 1 {
        return Looks::Unlike;
    }
    let height = rows.len() / mazes;
    let size = |rows: &[String]| -> Option<Maze> {
        let maze = Maze::new(height, rows.first()?.len())?;
        rows.chunks(height).all(|rows| has_ends(&maze, &rows.concat())).then_some(maze)
    };
    let close = size(&rows.iter().map(|row| row.text.to_owned()).collect::<Vec<_>>());
    let spaced: Option<Vec<String>> = rows.iter().map(|row| plain::spaced(row.text)).collect();
    match (spaced.and_then(|rows| Some((size(&rows)?, rows.concat()))), close) {
        (Some((maze, cells)), _) if are_closed(&cells) => Looks::Like(maze),
        (Some((maze, _)), Some(close)) => Looks::Unsized(format!(
            "in line {} a maze begins of which every other column is open, or it is drawn with a space behind each cell: name its \
             size, --task {} or --task {}",
            rows[0].line,
            close.name(),
            maze.name()
        )),
        (_, close) => close.into(),
    }
}

/// The size of mazes on one line each, as long as the first: a square, where each has a way in it.
fn on_one_line(mazes: &[&str]) -> Looks<Maze> {
    let mazes: Vec<Cow<'_, str>> = mazes.iter().map(|maze| closed(maze)).collect();
    let Some(first) = mazes.first() else { return Looks::Unlike };
    let cells = first.len();
    let alike = || mazes.iter().filter(|maze| maze.len() == cells).take(LOOKED_AT);
    let fits = |maze: &Maze| alike().all(|text| has_way(maze, text));
    let side = cells.isqrt();
    if let Some(square) = Maze::new(side, side).filter(|square| square.cells() == cells && fits(square)) {
        return Looks::Like(square);
    }
    let shapes = (1..=cells).filter(|rows| cells.is_multiple_of(*rows));
    let shapes = shapes.filter_map(|rows| Maze::new(rows, cells / rows)).filter(fits);
    let mut shapes: Vec<Maze> = shapes.collect();
    shapes.sort_by_key(|maze| maze.dims().0.abs_diff(maze.dims().1));
    let begin: String = first.chars().take(40).collect();
    let looks = format!("{begin:?} is a maze of {cells} cells on one line");
    let Some(example) = shapes.first() else {
        let why = match Maze::new(1, cells) {
            None => "a maze has 2 to 900 cells (30x30)".to_owned(),
            Some(_) => "and in no shape of so many cells each maze has a way from `S` to `G`".to_owned(),
        };
        return Looks::Unsized(format!("{looks}, {why}"));
    };
    let more = if shapes.len() > TOLD { ", or others" } else { "" };
    let names: Vec<&str> = shapes.iter().take(TOLD).map(|maze| maze.name()).collect();
    let (rows, columns) = example.dims();
    Looks::Unsized(format!(
        "{looks}, which does not tell its height and width; in each maze a way leads from `S` to `G` as {}{more}. Name the size: \
         --task {} has {rows} rows of {columns} cells; a column `task` in a table says so, too",
        names.join(" or "),
        example.name()
    ))
}

/// What keeps `rows` from being mazes.
fn fault(rows: &[Row<'_>]) -> Option<String> {
    let count = |symbol: char| rows.iter().map(|row| row.text.matches(symbol).count()).sum::<usize>();
    let (starts, goals) = (count('S'), count('G'));
    if starts + goals == 0 {
        return None;
    }
    let Row { line, text } = rows.iter().find(|row| row.text.contains(['S', 'G', '#']))?;
    let ragged = rows.windows(2).find(|pair| pair[0].text.len() != pair[1].text.len());
    let (height, width) = (rows.len(), rows[0].text.len());
    Some(match (starts, goals, ragged) {
        (0, ..) => format!("line {line}, {text:?}, looks like a part of a maze, and there is no start (`S`)"),
        (_, 0, _) => {
            format!("line {line}, {text:?}, looks like a part of a maze, and there is no goal (`G`)")
        }
        (.., Some([above, row])) => format!(
            "line {} looks like a row of a maze, and has {} cells, where the one above it has {}: rows of a maze are equally long; \
             write an open cell at the end as `.`, and a blank line between mazes",
            row.line,
            row.text.len(),
            above.text.len()
        ),
        (1, 1, _) => format!(
            "the maze of {height} rows of {width} cells from line {} on is too large; a maze has at most 900 cells (30x30)",
            rows[0].line
        ),
        _ => format!(
            "the {height} rows from line {} on look like mazes, and hold {starts} starts (`S`) and {goals} goals (`G`); each maze \
             has one of both, and is as high as the others; a blank line stands between mazes",
            rows[0].line
        ),
    })
}

/// Whether `text` has nothing but cells of mazes.
fn are_cells(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| " .#SGo".contains(c))
}

/// Those of `lines` that are a whole maze each.
fn whole<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let has_one = |line: &&str, end: char| line.matches(end).count() == 1;
    lines.filter(|line| are_cells(line) && has_one(line, 'S') && has_one(line, 'G')).collect()
}

/// `text` without the spaces between its cells, where those cannot be cells themselves.
fn closed(text: &str) -> Cow<'_, str> {
    plain::spaced(text).filter(|cells| are_closed(cells)).map_or(text.into(), Cow::Owned)
}

/// Whether the open cells among `cells`, between which there were spaces, are dots: so
/// that the spaces were none.
fn are_closed(cells: &str) -> bool {
    cells.contains('.') && !cells.contains(' ')
}

/// The tokens of `text`, if it has one start and one goal.
fn tokens(maze: &Maze, text: &str) -> Option<Vec<u8>> {
    let mut grid = vec![0; maze.cells()];
    maze.parse(text, &mut grid).ok()?;
    let one = |token: u8| grid.iter().filter(|&&found| found == token).count() == 1;
    (one(START) && one(GOAL)).then_some(grid)
}

fn has_ends(maze: &Maze, text: &str) -> bool {
    tokens(maze, text).is_some()
}

fn has_way(maze: &Maze, text: &str) -> bool {
    tokens(maze, text).is_some_and(|grid| maze.distance(&grid).is_some())
}
