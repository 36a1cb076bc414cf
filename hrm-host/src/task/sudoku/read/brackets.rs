//! What stands in the brackets of a text, as programs, JSON and prose have them, without comments.

use super::comments::{Ahead, has_letter, is_block, lines_with_cells};

/// So many brackets stand in each other, at most.
const DEEPEST: usize = 60;

/// A part of a text.
#[derive(Debug)]
pub(super) enum Node<'t> {
    List(List<'t>),
    Leaf(Leaf<'t>),
    Comma,
    Semicolon,
    /// `=` or `:` behind a name, before what it names.
    Key,
    /// A bracket that nothing closes, or that closes nothing.
    Stray(Mark),
}

/// Where a bracket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) bracket: char,
    pub(super) line: u64,
    /// Characters before it, and itself.
    pub(super) column: usize,
}

/// What a pair of brackets holds.
#[derive(Debug)]
pub(super) struct List<'t> {
    /// What stands right before it: `np.array`, `vec!`.
    pub(super) name: &'t str,
    pub(super) open: Mark,
    /// The line that it ends in.
    pub(super) end: u64,
    pub(super) closed: bool,
    pub(super) nodes: Vec<Node<'t>>,
}

/// A word or a text between quotation marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'t> {
    pub(super) text: &'t str,
    pub(super) line: u64,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    /// A quotation mark without another.
    Lone,
}

/// A text by its brackets.
pub(super) struct Brackets<'t> {
    pub(super) nodes: Vec<Node<'t>>,
    /// The lines of comments that seem to hold cells, and their texts.
    pub(super) comments: Vec<(u64, &'t str)>,
    /// The first and the last lines of comments outside of all brackets that have those for themselves.
    pub(super) blocks: Vec<(u64, u64)>,
}

impl<'t> Brackets<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut scanner = Scanner { text, ..Scanner::default() };
        scanner.begin_line(0);
        while scanner.at < text.len() {
            scanner.step();
        }
        scanner.end_word();
        while let Some(list) = scanner.open.pop() {
            scanner.put(unclosed(list));
        }
        Brackets { nodes: scanner.nodes, comments: scanner.comments, blocks: scanner.blocks }
    }
}

/// What is left of a list that nothing closes.
fn unclosed(mut list: List<'_>) -> Vec<Node<'_>> {
    let line = |node: &Node<'_>| if let Node::Leaf(leaf) = node { Some(leaf.line) } else { None };
    list.end = list.nodes.iter().rev().find_map(line).unwrap_or(list.open.line);
    match list.nodes.iter().any(|node| matches!(node, Node::List(_) | Node::Stray(_))) {
        true => [Node::Stray(list.open)].into_iter().chain(list.nodes).collect(),
        false => vec![Node::List(list)],
    }
}

#[derive(Default)]
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Lines above, where this one begins, and where it ends.
    above: u64,
    start: usize,
    end: usize,
    /// So many of its characters stand before a place in it.
    counted: (usize, usize),
    ahead: Ahead,
    /// Where a word begins.
    word: Option<usize>,
    open: Vec<List<'t>>,
    nodes: Vec<Node<'t>>,
    comments: Vec<(u64, &'t str)>,
    blocks: Vec<(u64, u64)>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// What of this line is still to come.
    fn rest_of_line(&self) -> &'t str {
        &self.text[self.at..self.end]
    }

    /// What stands before it on this line.
    fn before(&self) -> &'t str {
        &self.text[self.start..self.at]
    }

    fn begin_line(&mut self, start: usize) {
        self.start = start;
        self.end = self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length);
        self.counted = (start, 0);
    }

    fn column(&mut self) -> usize {
        let (at, characters) = self.counted;
        self.counted = (self.at, characters + self.text[at..self.at].chars().count());
        self.counted.1 + 1
    }

    fn line(&self) -> u64 {
        self.above + 1
    }

    fn put(&mut self, nodes: impl IntoIterator<Item = Node<'t>>) {
        self.open.last_mut().map_or(&mut self.nodes, |list| &mut list.nodes).extend(nodes);
    }

    fn leaf(&mut self, text: &'t str, kind: Kind) {
        let line = self.line();
        self.put([Node::Leaf(Leaf { text, line, kind })]);
    }

    fn end_word(&mut self) {
        if let Some(start) = self.word.take() {
            let word = &self.text[start..self.at];
            // Haskell's for what is there.
            if word != "Just" {
                self.leaf(word, Kind::Word);
            }
        }
    }

    fn step(&mut self) {
        let Some(c) = self.rest().chars().next() else { return };
        if self.skips_comment() {
            return;
        }
        match c {
            '"' | '\'' | '`' => return self.quote(c),
            '[' | '(' | '{' => self.open(c),
            ']' | ')' | '}' => self.close(c),
            ',' | ';' => {
                self.end_word();
                self.put([if c == ',' { Node::Comma } else { Node::Semicolon }]);
            }
            '=' | ':' => {
                self.end_word();
                self.put([Node::Key]);
            }
            c if c.is_whitespace() || matches!(c, '|' | '+' | '>') => {
                self.end_word();
                if c == '\n' {
                    self.at += 1;
                    self.end_line();
                    return;
                }
            }
            _ => _ = self.word.get_or_insert(self.at),
        }
        self.at += c.len_utf8();
    }

    fn end_line(&mut self) {
        self.above += 1;
        self.begin_line(self.at);
        // Words outside of all brackets only tell that something stands there.
        if self.open.is_empty() {
            let is_bracket = |node: &Node<'_>| matches!(node, Node::List(_) | Node::Stray(_));
            let behind = self.nodes.iter().rposition(is_bracket).map_or(0, |last| last + 1);
            let word = self.nodes.split_off(behind).into_iter().find(|node| matches!(node, Node::Leaf(_)));
            self.nodes.extend(word.filter(|_| behind > 0));
        }
    }

    /// Goes behind a comment that begins here, if one does.
    fn skips_comment(&mut self) -> bool {
        let (before, line) = (self.before(), self.rest_of_line());
        let inside = self.open.last().map(|list| list.open.bracket);
        let text = (self.text, self.at);
        let Some(comment) = self.ahead.comment(text, (before, line), inside) else { return false };
        self.end_word();
        let first = self.line();
        // Others are known outside of arrays, too.
        let is_of_programs = is_block(comment) || comment.starts_with("--");
        if inside.is_some() || is_of_programs {
            self.comments.extend(lines_with_cells(comment).map(|(place, text)| (first + place, text)));
        }
        self.at += comment.len();
        let lines = comment.matches('\n').count() as u64;
        if lines > 0 {
            self.begin_line(self.text[..self.at].rfind('\n').map_or(0, |end| end + 1));
        }
        self.above += lines;
        let is_alone = before.trim().is_empty() && self.rest_of_line().trim().is_empty();
        if inside.is_none() && is_of_programs && is_alone {
            self.blocks.push((first, self.line()));
        }
        true
    }

    fn quote(&mut self, quote: char) {
        let before = self.before().chars().next_back();
        let length = quote.len_utf8();
        let behind = &self.rest_of_line()[length..];
        let word = self.word.map(|start| &self.text[start..self.at]);
        // An apostrophe.
        if quote == '\'' && word.is_some_and(|word| word.chars().count() > 1 || !is_prefix(word)) {
            self.at += length;
            return;
        }
        match word.is_some_and(is_prefix) {
            true => self.word = None,
            false => self.end_word(),
        }
        let triple = [quote; 3].iter().collect::<String>();
        if self.rest().starts_with(&triple) {
            self.at += 3 * length;
            return;
        }
        self.at += length;
        // A text that is an array, or Lisp's mark before one.
        let is_around = behind.starts_with(['[', '(', '{'])
            || before.is_some_and(|c| "])}".contains(c)) && !behind.contains(quote);
        if is_around || self.open.is_empty() && behind.is_empty() {
            return;
        }
        let mut escaped = false;
        let end = behind.char_indices().find(|(_, c)| {
            let is_end = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            is_end
        });
        match end {
            Some((end, _)) => {
                self.leaf(&behind[..end], Kind::Quoted);
                self.at += end + length;
            }
            None if quote == '`' => {}
            None => self.leaf("", Kind::Lone),
        }
    }

    fn open(&mut self, bracket: char) {
        let word = self.word.map_or("", |start| &self.text[start..self.at]);
        let is_name = has_letter(word) || !word.contains(|c: char| c.is_ascii_digit());
        if is_name {
            self.word = None;
        } else {
            self.end_word();
        }
        let open = Mark { bracket, line: self.line(), column: self.column() };
        let name = if is_name { word } else { "" };
        let list = List { name, open, end: 0, closed: false, nodes: Vec::new() };
        if self.open.len() < DEEPEST {
            self.open.push(list);
        }
    }

    fn close(&mut self, bracket: char) {
        self.end_word();
        let opens = match bracket {
            ']' => '[',
            ')' => '(',
            _ => '{',
        };
        let Some(place) = self.open.iter().rposition(|list| list.open.bracket == opens) else {
            let mark = Mark { bracket, line: self.line(), column: self.column() };
            return self.put([Node::Stray(mark)]);
        };
        while self.open.len() > place + 1 {
            let list = self.open.pop().map(unclosed);
            self.put(list.into_iter().flatten());
        }
        let Some(mut list) = self.open.pop() else { return };
        (list.closed, list.end) = (true, self.line());
        match &list.nodes[..] {
            // Rust's for what is there.
            [Node::Leaf(leaf)] if list.name == "Some" => self.put([Node::Leaf(*leaf)]),
            // What a call of a function gives is not known; `.toCharArray()` says what is known.
            [] if list.name.starts_with('.') => {}
            [] => self.leaf(list.name, Kind::Word),
            _ => self.put([Node::List(list)]),
        }
    }
}

/// Whether `word` may stand right before a quotation mark, as in `b'5'`.
fn is_prefix(word: &str) -> bool {
    matches!(word, "b" | "B" | "u" | "U" | "r" | "R" | "f" | "F" | "c" | "L" | "@")
}
