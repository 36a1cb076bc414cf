use hrm_core::task::Task;
use hrm_core::task::maze::{Maze, OPEN, WAY};

use crate::data::generate::{Recipe, generate};
use crate::data::import::{Answers, Options, import};
use crate::task::{Exact, Game, Looks, View, find, of_fields, of_text};

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
        assert_eq!(import(&path, &Options::default()).unwrap().set, set, "the file tells its size");
        let header = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(header.ends_with(",task"), rows != columns, "{header}");
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
    assert_eq!(of_text("S.\n.G\n"), Looks::Like(maze(2, 2)));
    assert_eq!(of_fields(&[format!("S{}G", "..".repeat(17))]), Looks::Like(maze(6, 6)));
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
    let refused = maze(2, 3).refuse(asked[0].1.as_ref().unwrap()).unwrap();
    let told = maze(2, 3).told(refused);
    assert!(told.contains("column 2") && told.contains("marks a way"), "{told}");
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

/// What a text without a header, or a table of one column, is taken for.
fn taken(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes");
    std::fs::write(&path, text).unwrap();
    let options = Options { answers: Answers::Any, ..Options::default() };
    match import(&path, &options) {
        Ok(read) => format!("{} {}", read.set.len(), read.set.task().name()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mazes_on_one_line_are_square_only_where_each_has_a_way_in_the_square() {
    // 3x12: in 6x6 a wall is between S and G
    let oblong = format!("S....#{}#{}G", "#".repeat(5), ".".repeat(23));
    let square = format!("S....#{}G", ".".repeat(29));
    for (text, looks) in [
        (format!("{square}\n"), "1 maze6x6"),
        (format!("question\n{square}\n{square}\n"), "2 maze6x6"),
        (format!("question,rating\n{square},3\n"), "1 maze6x6"),
        (format!("question\n{}\n", square.replace('.', " ")), "1 maze6x6"),
        (format!("question\n{}\n", "S.. .#...........#..G....".replace('.', " ")), "1 maze5x5"),
        ("question\nS #..#..G\n..#S...G.\n".into(), "2 maze3x3"),
        (format!("{oblong}\n"), "--task maze4x9"),
        (format!("{square}\n{oblong}\n"), "maze4x9 or maze3x12"),
        (format!("question\n{square}\n{oblong}\n"), "--task maze4x9"),
        (format!("question\n{}\n", oblong.replace('.', " ")), "maze of 36 cells on one line"),
        (format!("question,rating\nS.#..{}G,3\n", ".".repeat(29)), "--task maze5x7 has 5 rows of 7 cells"),
        ("S#..#..#G\n".into(), "in no shape of so many cells each maze has a way"),
        (format!("S{}G\n", ".".repeat(959)), "a maze has 2 to 900 cells"),
        ("S . # . . . . . G\n".into(), "1 maze3x3"),
    ] {
        let taken = taken(&text);
        assert!(taken.contains(looks), "{text}: {taken}");
    }
}

#[test]
fn a_text_with_the_cells_of_mazes_is_never_taken_for_another_task() {
    for (text, looks) in [
        (
            "S..#\n....\n..\n...G\n",
            "line 3 looks like a row of a maze, and has 2 cells, where the one above it has 4",
        ),
        ("S.G\n....\n", "line 2 looks like a row of a maze, and has 4 cells"),
        ("S..\n.S.\n..G\n", "hold 2 starts (`S`) and 1 goals (`G`)"),
        ("title\nS..\n.#.\n..\n\n", "no goal"),
        // a space behind each cell
        ("S . . #\n# . . .\n. . # G\n", "1 maze3x4"),
        ("S . . # \n# . . . \n. . # G \n", "1 maze3x4"),
        ("puzzle\nS.G  ..........\n...............\n", "line 1: 'p' in \"puzzle\": a maze2x15"),
        ("S     #\n#      \n    # G\n", "--task maze3x7 or --task maze3x4"),
        ("S     #\n#      \n    # G\n\nS.#....\n.......\n......G\n", "2 maze3x7"),
    ] {
        let taken = taken(text);
        assert!(taken.contains(looks) && !taken.contains("sudoku"), "{text}: {taken}");
    }
    for text in [
        "######\n1.....2..3.....4\n",
        "SG\n1.....2..3.....4\n2.....1..3.....4\n",
        "#\n....\n.1..\n..2.\n3...\n",
    ] {
        assert!(matches!(of_text(text), Looks::Like(task) if task.name() == "sudoku4"), "{text}");
    }
}

#[test]
fn a_column_of_tasks_is_obeyed_where_its_rows_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes.csv");
    let read = |text: &str, columns: &str, task: Option<Game>| {
        std::fs::write(&path, text).unwrap();
        let columns = if columns.is_empty() { Ok(Default::default()) } else { columns.parse() };
        let options = Options { task, columns: columns.unwrap(), answers: Answers::Any };
        import(&path, &options).map(|read| read.set.task().name()).map_err(|error| error.to_string())
    };
    let row = "S........G..";
    for (text, columns, looks) in [
        (format!("task,question\nmaze2x6,{row}\n"), "", Ok("maze2x6")),
        (format!("question,TASK\n{row},maze3x4\n{row},\n{row}, maze3x4\n"), "", Ok("maze3x4")),
        (format!("question,size,task\n{row},maze1x12,easy\n"), "task=size", Ok("maze1x12")),
        (
            format!("question,task\n{row},maze3x4\n{row},maze4x3\n"),
            "",
            Err("line 3, column `task`: maze4x3, where the rows above are maze3x4"),
        ),
        (
            format!("question,task\n{row},latin4\n"),
            "",
            Err("line 2, column `task`: this program knows no task latin4; it has sudoku4"),
        ),
        (format!("question,task\n{row},maze31x31\n"), "", Err("900 cells")),
        (
            format!("question,task\n{row},maze5x5\n"),
            "",
            Err("line 2, column `question`: 25 characters expected and 12 found"),
        ),
        (format!("question\n{row}\n"), "task=size", Err("there is no column `size`")),
    ] {
        let found = read(&text, columns, None);
        match looks {
            Ok(name) => assert_eq!(found.as_deref(), Ok(name), "{text}"),
            Err(told) => assert!(found.as_ref().is_err_and(|why| why.contains(told)), "{text}: {found:?}"),
        }
    }
    let text = format!("task,question\nmaze2x6,{row}\n");
    assert_eq!(read(&text, "", Some(maze(2, 6))), Ok("maze2x6"));
    let told = read(&text, "", Some(maze(3, 4))).unwrap_err();
    assert!(told.contains("has maze2x6 puzzles, and maze3x4 is wanted"), "{told}");
    let told =
        crate::data::import::questions(&path, maze(3, 4), &Default::default()).unwrap_err().to_string();
    assert!(told.contains("has maze2x6 puzzles, and maze3x4 is wanted"), "{told}");
}
