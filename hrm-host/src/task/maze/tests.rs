use hrm_core::task::Task;
use hrm_core::task::maze::{Maze, OPEN, WAY};

use crate::data::generate::{Recipe, generate};
use crate::data::import::{Answers, Options, import};
use crate::task::{Exact, Game, View, find, of_field, of_text};

fn maze(rows: usize, columns: usize) -> Game {
    Maze::new(rows, columns).unwrap().into()
}

#[test]
fn generated_mazes_have_one_shortest_way_and_are_read_back() {
    for (rows, columns) in [(6, 6), (5, 9), (12, 12)] {
        let task = maze(rows, columns);
        let recipe = Recipe { task, count: 20, seed: 3, givens: None };
        let set = generate(&recipe, |_| {}).unwrap();
        assert_eq!(set, generate(&recipe, |_| {}).unwrap());
        for puzzle in set.iter() {
            assert!(task.accepts(puzzle.question, puzzle.answer));
            let exact = task.exact().unwrap();
            assert_eq!(exact.search_within(puzzle.question, 9, u64::MAX).solutions, [puzzle.answer]);
            let steps = puzzle.answer.iter().filter(|&&token| token == WAY).count() + 1;
            assert_eq!(puzzle.rating, Some(u32::try_from(steps).unwrap().into()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mazes.csv");
        crate::data::export::save(&set, &path).unwrap();
        let options = Options { task: Some(task), ..Options::default() };
        assert_eq!(import(&path, &options).unwrap().set, set);
        if rows == columns {
            assert_eq!(import(&path, &Options::default()).unwrap().set, set, "its size is that of its rows");
        }
    }
}

#[test]
fn large_mazes_with_one_shortest_way_are_rare_and_found() {
    // one of 240 attempts at 20x20
    let set = generate(&Recipe { task: maze(20, 20), count: 60, seed: 3, givens: None }, |_| {}).unwrap();
    assert_eq!(set.len(), 60);
}

#[test]
fn all_shortest_ways_are_found() {
    let task = Maze::new(3, 3).unwrap();
    let mut question = vec![OPEN; 9];
    task.parse("S.......G", &mut question).unwrap();
    assert_eq!(task.search_within(&question, 99, u64::MAX).solutions.len(), 6);
    assert_eq!(task.search_within(&question, 2, u64::MAX).solutions.len(), 2);
}

#[test]
fn drawn_mazes_are_read_with_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drawn.txt");
    std::fs::write(&path, "S #  \n  # G\n     \n\nS.#..\n..#.G\n.....\n").unwrap();
    let options = Options { answers: Answers::Any, ..Options::default() };
    let read = import(&path, &options).unwrap();
    assert_eq!((read.set.task().name(), read.set.len(), read.solved), ("maze3x5", 2, 2));
    assert_eq!(read.set.question(0), read.set.question(1));
}

#[test]
fn what_is_wrong_with_a_maze_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.csv");
    let told = |question: &str, answer: &str| {
        std::fs::write(&path, format!("question,answer\n{question},{answer}\n")).unwrap();
        let options = Options { task: Some(maze(2, 3)), ..Options::default() };
        import(&path, &options).unwrap_err().to_string()
    };
    for (question, answer, why) in [
        ("S..S.G", "SooS.G", "one start, and here 2 cells are `S`"),
        ("S.....", "S.....", "0 cells are `G`"),
        ("S#.##G", "S#.##G", "no way leads"),
        ("S....G", "So.oG", "characters expected"),
        ("S....G", "S....G", "no shortest way; one has 3 steps"),
        ("S.x..G", "Soxo.G", "'x'"),
    ] {
        let told = told(question, answer);
        assert!(told.contains("line 2") && told.contains(why), "{question}: {told}");
    }
}

#[test]
fn names_lead_to_mazes_of_any_size_and_to_no_other() {
    assert_eq!(find("maze7x9").unwrap().dims(), (7, 9));
    assert!(find("maze31x31").unwrap_err().to_string().contains("30x30"));
    assert_eq!(of_text("S.\n.G\n").map(|task| task.name()), Some("maze2x2"));
    assert_eq!(of_field(&format!("S{}G", "#.".repeat(17))).map(|task| task.name()), Some("maze6x6"));
}

#[test]
fn a_picture_shows_the_way() {
    let task = Maze::new(2, 3).unwrap();
    let (mut puzzle, mut grid) = (vec![0; 6], vec![0; 6]);
    task.parse("S.#..G", &mut puzzle).unwrap();
    task.parse("So#.oG", &mut grid).unwrap();
    let view = View { puzzle: &puzzle, grid: &grid, before: &puzzle, colour: false };
    assert_eq!(Game::from(task).picture(&view), "S o ██\n  o G \n");
}

#[test]
fn a_solved_drawing_below_its_maze_is_its_answer_and_a_way_is_no_question() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes.txt");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        import(&path, &Options::default())
    };
    for text in
        ["S.#\n..G\n\nSo#\n.oG\n", "S.#\n..G\nSo#\n.oG\n", "S.#\n..G\n\nSo#\n.oG\n\nS.#\n..G\n\nSo#\n.oG\n"]
    {
        let read = read(text).unwrap();
        assert_eq!((read.set.task().name(), read.solved), ("maze2x3", 0), "{text}");
        assert_eq!(read.set.len(), text.matches('S').count() / 2);
        assert!(read.set.answer(0).contains(&WAY) && !read.set.question(0).contains(&WAY));
    }
    let told = read("So#\n.oG\n").unwrap_err().to_string();
    assert!(told.contains("line 1") && told.contains("marks a way"), "{told}");
    let (asked, _) = crate::data::import::questions_in("So#.oG", maze(2, 3)).unwrap();
    assert!(asked[0].1.as_ref().is_err_and(|problem| problem.to_string().contains("marks a way")));
}

#[test]
fn rows_of_two_mazes_are_never_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes.txt");
    let mazes = [["S..", "##.", "..G"], ["..#", "S.G", "#.."]];
    let written: Vec<String> = mazes.iter().map(|maze| maze.concat().replace('.', " ")).collect();
    for (gap, place, remark) in [true, false]
        .into_iter()
        .flat_map(|gap| (0..7).map(move |place| (gap, place)))
        .flat_map(|(gap, place)| ["a remark", "S.x", "S....", "\tx"].map(|remark| (gap, place, remark)))
    {
        let mut lines: Vec<&str> = mazes.concat();
        if gap {
            lines.insert(3, "");
        }
        let mut replaced = lines.clone();
        lines.insert(place, remark);
        if let Some(line) = replaced.get_mut(place) {
            *line = remark;
        }
        for lines in [lines, replaced] {
            std::fs::write(&path, lines.join("\n")).unwrap();
            let Ok((asked, _)) = crate::data::import::questions(&path, maze(3, 3), &Default::default())
            else {
                continue;
            };
            for tokens in asked.iter().filter_map(|(_, tokens)| tokens.as_ref().ok()) {
                assert!(written.contains(&maze(3, 3).text(tokens).to_string()), "{lines:?}");
            }
        }
    }
}

#[test]
fn what_looks_like_a_maze_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes.txt");
    for (text, why) in [
        ("S.#..G\nS.#..G\n", "maze of 6 cells on one line"),
        ("S.#\n...\n", "no goal (`G`)"),
        ("..#\n..G\n", "no start (`S`)"),
        ("question\nS.#..G\n", "maze of 6 cells on one line"),
    ] {
        std::fs::write(&path, text).unwrap();
        let told = import(&path, &Options::default()).unwrap_err().to_string();
        assert!(told.contains(why), "{text}: {told}");
    }
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        import(&path, &Options { task: Some(maze(2, 3)), ..Options::default() }).unwrap_err().to_string()
    };
    assert!(told("S.#...\n").contains("one goal, and here 0 cells are `G`"));
    assert!(told("S.#.G\n").contains("a maze2x3 is a line of 6 cells, or 2 lines of 3"));
}
