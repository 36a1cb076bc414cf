//! Segments a second on this machine:
//! `cargo run --release -p hrm-web-engine --example segments PACK PUZZLE SECONDS`.
use hrm_web_engine::session::{Session, Wish};
use std::time::{Duration, Instant};

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().collect();
    let [_, pack, puzzle, seconds] = &args[..] else { return Err("PACK PUZZLE SECONDS".into()) };
    let bytes = std::fs::read(pack).map_err(|error| error.to_string())?;
    let aligned = Box::leak(Box::new(hrm_core::pack::AlignedBytes::copy_of(&bytes)));
    let mut session = Session::open(aligned.bytes())?;
    let most = Duration::from_secs_f64(seconds.parse().map_err(|_| "SECONDS")?);
    let (start, mut segments) = (Instant::now(), 0);
    while start.elapsed() < most {
        session.begin(puzzle, Wish::default())?;
        loop {
            let report = session.advance();
            if report.done == 1 || start.elapsed() >= most {
                segments += report.segments;
                println!("{} {:08x} {} {}", session.grid(), report.digest, report.segments, report.solved);
                break;
            }
        }
    }
    println!("{:.1} segments a second", f64::from(segments) / start.elapsed().as_secs_f64());
    Ok(())
}
