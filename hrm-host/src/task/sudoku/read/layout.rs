//! In which ways the lines of drawn grids make up grids, where some of them need not be rows.
//!
//! A layout says where something may stand between two rows: between grids alone, between the bands of each,
//! or between all rows. All grids are laid out alike. Lines are read where there is exactly one reading over
//! all layouts, and none even if a row were missing.

use super::stretch::{Drawn, Item};

/// Lines, rules and space, as grids of `side` rows in bands of `band`.
pub(super) struct Lines<'i> {
    pub(super) side: usize,
    pub(super) band: usize,
    pub(super) items: Vec<&'i Item>,
    pub(super) open: Open,
}

/// What the lines are that may be rows or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// Rows: as many lines as a grid or a band has stand alone.
    Rows,
    /// Space: single lines between whole grids.
    Space,
    /// One or the other.
    Either,
}

/// The ways to take the lines.
pub(super) enum Readings<'i> {
    None,
    /// The rows of all grids.
    One(Vec<&'i Drawn>),
    Several,
}

/// What stands between rows, as indices of [`Layout::units`].
const KINDS: [usize; 3] = [OPEN, BLANK, RULE];
const OPEN: usize = 0;
const BLANK: usize = 1;
const RULE: usize = 2;

#[derive(Clone, Copy)]
struct Layout {
    /// So many rows stand between things of each kind: a grid's, a band's, or one.
    units: [usize; 3],
    heads: Heads,
}

/// What stands right above grids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Heads {
    None,
    /// A row that numbers the columns, above the first grid.
    First,
    /// One above each of several.
    Each,
    /// The number of each grid. Such grids are never read, since it may as well be a row.
    Numbers,
}

/// Where a reading stands between two lines.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// Rows of the grid so far.
    row: usize,
    /// What stands below the last of them.
    seen: [bool; 3],
    /// Whether one of them is certain.
    certain: bool,
    /// Whether a row is missing, or there twice.
    damaged: bool,
    /// How many open lines were taken for rows beside places where they may be space, up to two. Where grids
    /// have no space within, one is likely above or below a row that is there twice, and none where a row is
    /// missing.
    edges: u8,
    /// Whole grids, up to two.
    grids: u8,
    /// The last head.
    head: Option<u32>,
    /// Whether it stands above the next row.
    headed: bool,
}

/// A state after a line.
#[derive(Clone, Copy)]
struct Node {
    state: State,
    /// How many readings lead here, up to two.
    ways: u8,
    /// The place of the first of them after the line before.
    from: usize,
    /// Whether the line is a row.
    is_row: bool,
}

impl<'i> Lines<'i> {
    /// The readings over all layouts.
    pub(super) fn readings(&self) -> Readings<'i> {
        let (mut total, mut one) = (0_u8, None);
        for layout in self.layouts() {
            let levels = self.levels(layout);
            let Some(last) = levels.last() else { continue };
            for (place, node) in last.iter().enumerate().filter(|(_, node)| is_end(node.state, layout.heads))
            {
                let doubt = node.state.edges > 0 || layout.heads == Heads::Numbers;
                total = total.saturating_add(node.ways << u8::from(doubt));
                if one.is_none() && !node.state.damaged {
                    one = Some(self.taken(&levels, place));
                }
            }
        }
        match one {
            Some(rows) if total == 1 && self.is_even(&rows) => {
                Readings::One(rows.into_iter().filter_map(|place| self.items[place].line()).collect())
            }
            _ if total == 0 => Readings::None,
            _ => Readings::Several,
        }
    }

    /// All layouts that the lines may have.
    fn layouts(&self) -> Vec<Layout> {
        let all = [self.side, self.band, 1];
        let has = |wanted: fn(&Item) -> bool| if self.items.iter().any(|item| wanted(item)) { 3 } else { 1 };
        let open = if self.open == Open::Either { all.len() } else { 1 };
        let (blanks, rules) =
            (has(|item| matches!(item, Item::Blank(_))), has(|item| matches!(item, Item::Rule { .. })));
        let heads = |counts: fn(&Drawn) -> Option<u32>| {
            self.items.iter().any(|item| item.line().and_then(counts).is_some())
        };
        let (headed, numbered) = (heads(Drawn::heading), heads(Drawn::number));
        let heads: [(bool, Heads); 4] =
            [(true, Heads::None), (headed, Heads::First), (headed, Heads::Each), (numbered, Heads::Numbers)];
        let mut layouts = Vec::new();
        for heads in heads.into_iter().filter(|(may, _)| *may).map(|(_, heads)| heads) {
            for open in &all[..open] {
                for blank in &all[..blanks] {
                    layouts.extend(
                        all[..rules].iter().map(|rule| Layout { units: [*open, *blank, *rule], heads }),
                    );
                }
            }
        }
        layouts
    }

    /// Where readings stand before the first line and after each; nothing where none gets to the end.
    fn levels(&self, layout: Layout) -> Vec<Vec<Node>> {
        let start = Node { state: State::default(), ways: 1, from: 0, is_row: false };
        let mut levels = vec![vec![start]];
        for (place, item) in self.items.iter().enumerate() {
            let again = place > 0
                && item.line().is_some_and(|line| {
                    self.items[place - 1].line().is_some_and(|above| above.row == line.row)
                });
            let Some(level) = levels.last_mut() else { break };
            self.lack(layout, level);
            let mut next: Vec<Node> = Vec::new();
            for (from, node) in level.iter().enumerate() {
                let mut add = |state: Option<State>, is_row: bool| {
                    if let Some(state) = state {
                        insert(&mut next, Node { state, ways: node.ways, from, is_row });
                    }
                };
                // A line of space that is there twice is space, too.
                let is_space = || item.is_open() && self.skipped(layout, node.state, OPEN).is_some();
                if again && self.may_be_damaged(layout, node.state) && !is_space() {
                    add(Some(State { damaged: true, ..node.state }), false);
                }
                match item {
                    Item::Blank(_) => add(self.skipped(layout, node.state, BLANK), false),
                    Item::Rule { .. } => add(self.skipped(layout, node.state, RULE), false),
                    Item::Line(drawn) if drawn.is_open() => {
                        if self.open != Open::Rows {
                            add(self.skipped(layout, node.state, OPEN), false);
                        }
                        if self.open != Open::Space || layout.heads == Heads::Numbers {
                            add(self.open_row(layout, node.state), true);
                        }
                    }
                    Item::Line(drawn) => {
                        add(self.row(layout, node.state, true), true);
                        add(headed(layout.heads, node.state, drawn), false);
                    }
                }
            }
            if next.is_empty() {
                return Vec::new();
            }
            levels.push(next);
        }
        if let Some(level) = levels.last_mut() {
            self.lack(layout, level);
        }
        levels
    }

    /// Whether a row may be missing or there twice. Where no line is open, nothing else can fill its place.
    fn may_be_damaged(&self, layout: Layout, state: State) -> bool {
        self.open == Open::Either
            && layout.heads == Heads::None
            && !state.damaged
            && (state.edges < 2 || layout.units[OPEN] < self.side)
    }

    /// Adds the states in which the next line is missing.
    fn lack(&self, layout: Layout, level: &mut Vec<Node>) {
        for place in 0..level.len() {
            let node = level[place];
            if !self.may_be_damaged(layout, node.state)
                || layout.units[OPEN] == self.side && node.state.edges > 0
            {
                continue;
            }
            // A row is missing, or what stands between bands.
            let space = self.skipped(layout, node.state, OPEN).filter(|state| state.row > 0);
            for state in self.row(layout, node.state, false).into_iter().chain(space) {
                insert(
                    level,
                    Node { state: State { damaged: true, edges: state.edges.max(1), ..state }, ..node },
                );
            }
        }
    }

    /// The state below something between rows.
    fn skipped(&self, layout: Layout, state: State, kind: usize) -> Option<State> {
        let mut seen = state.seen;
        seen[kind] = true;
        state.row.is_multiple_of(layout.units[kind]).then_some(State { seen, ..state })
    }

    /// The state below an open line that is a row. Beside what may be space it may be space itself, and a row
    /// missing.
    fn open_row(&self, layout: Layout, state: State) -> Option<State> {
        let (place, unit) = (state.row % layout.units[OPEN], layout.units[OPEN]);
        let edge = self.open != Open::Rows && (place == 0 || place + 1 == unit);
        let edges = (state.edges + u8::from(edge)).min(2);
        let next =
            self.row(layout, state, false).filter(|_| !state.damaged || edges < 2 || unit < self.side)?;
        Some(State { edges, ..next })
    }

    /// The state below a row.
    fn row(&self, layout: Layout, state: State, certain: bool) -> Option<State> {
        let parted = |kind: usize| layout.units[kind] < self.side;
        let fits = match state.row {
            0 if !state.headed
                && (layout.heads >= Heads::Each || layout.heads == Heads::First && state.grids == 0) =>
            {
                false
            }
            // Grids stand apart where their parts do.
            0 => state.grids == 0 || !KINDS.into_iter().any(parted) || state.seen.contains(&true),
            row => KINDS.into_iter().all(|kind| state.seen[kind] || !row.is_multiple_of(layout.units[kind])),
        };
        let next = State {
            row: state.row + 1,
            seen: [false; 3],
            certain: certain || state.certain,
            headed: false,
            ..state
        };
        match next.row == self.side {
            _ if !fits => None,
            true if !next.certain => None,
            true => Some(State { row: 0, certain: false, grids: (next.grids + 1).min(2), ..next }),
            false => Some(next),
        }
    }

    /// The rows of the reading that ends at `place`.
    fn taken(&self, levels: &[Vec<Node>], mut place: usize) -> Vec<usize> {
        let mut rows = Vec::new();
        for index in (0..self.items.len()).rev() {
            let node = levels[index + 1][place];
            place = node.from;
            if node.is_row {
                rows.push(index);
            }
        }
        rows.reverse();
        rows
    }

    /// Whether bands stand equally far apart, rows do, and grids as far as these.
    fn is_even(&self, rows: &[usize]) -> bool {
        let between =
            |row: usize| self.items[rows[row - 1]..rows[row]].iter().map(|item| item.height()).sum::<usize>();
        let gaps = |unit: usize, within: usize| {
            let places =
                (1..rows.len()).filter(move |row| row.is_multiple_of(unit) && !row.is_multiple_of(within));
            places.map(between)
        };
        let equal = |mut gaps: &mut dyn Iterator<Item = usize>| {
            let first = gaps.next();
            (&mut gaps).all(|gap| Some(gap) == first).then_some(first.unwrap_or(1))
        };
        // Where open lines are rows as well as space, nothing else parts the grids.
        let opens = |places: &mut dyn Iterator<Item = usize>| {
            places.filter(|place| self.items[*place].is_open()).count()
        };
        let (taken, all) = (opens(&mut rows.iter().copied()), opens(&mut (0..self.items.len())));
        let is_parted = |row: usize| {
            let between = &self.items[rows[row - 1] + 1..rows[row]];
            !between.is_empty() && between.iter().all(|item| item.is_open())
        };
        if 0 < taken && taken < all && !(self.side..rows.len()).step_by(self.side).all(is_parted) {
            return false;
        }
        // The same rows of all grids are empty, and as many empty lines stand between them: either may be the
        // space between bands.
        let opens_of =
            |grid: &[usize]| grid.iter().map(|place| self.items[*place].is_open()).collect::<Vec<bool>>();
        let mut alike = rows.chunks(self.side).map(opens_of);
        let first = alike.next();
        if 0 < taken && (all - taken) * self.side == rows.len() && alike.all(|grid| Some(grid) == first) {
            return false;
        }
        let bands = equal(&mut gaps(self.band, self.side));
        let grids = gaps(self.side, usize::MAX).min();
        equal(&mut gaps(1, self.band)).is_some()
            && bands.is_some_and(|bands| grids.is_none_or(|grids| grids >= bands))
    }
}

/// Adds `node`, or its ways to those that lead to the same state.
fn insert(level: &mut Vec<Node>, node: Node) {
    match level.iter_mut().find(|known| known.state == node.state) {
        Some(known) => known.ways = (known.ways + node.ways).min(2),
        None => level.push(node),
    }
}

/// Whether nothing is begun.
fn is_end(state: State, heads: Heads) -> bool {
    state.row == 0 && !state.headed && state.grids > u8::from(heads == Heads::Each)
}

/// The state below a head.
fn headed(heads: Heads, state: State, drawn: &Drawn) -> Option<State> {
    let (number, next) = match heads {
        Heads::None => return None,
        Heads::Numbers => (drawn.number()?, 1),
        Heads::First | Heads::Each => (drawn.heading()?, 0),
    };
    let follows =
        state.head.is_none_or(|head| head + next == number) && (heads != Heads::First || state.grids == 0);
    let fits = state.row == 0 && !state.headed && follows;
    fits.then_some(State { head: Some(number), headed: true, ..state })
}
