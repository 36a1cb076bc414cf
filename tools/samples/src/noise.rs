//! Numbers that look random, the same ones everywhere.

/// A sequence of numbers that looks random.
pub struct Noise {
    /// Where it begins, and then where it is.
    pub state: u64,
    /// Whether a quarter of the numbers are the least and the greatest that there are.
    pub extremes: bool,
}

impl Noise {
    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> i32 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match self.state >> 61 {
            0 if self.extremes => i32::MIN,
            1 if self.extremes => i32::MAX,
            _ => (self.state >> 20) as i32,
        }
    }
}
