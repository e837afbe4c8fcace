//! From ticks to wall time.

use nashtrace::record::Anchor;
use nashtrace::trace::FileHeader;

/// The known moments of one process: ticks and wall time, in tick order.
#[derive(Debug, Clone)]
pub struct Timeline {
    moments: Vec<(u64, u64)>,
}

impl Timeline {
    /// A timeline that knows when the session started.
    #[must_use]
    pub fn new(header: &FileHeader) -> Self {
        Self { moments: vec![(header.started_ticks, header.started_wall_ns)] }
    }

    /// Add what an anchor says.
    pub fn add(&mut self, anchor: &Anchor) {
        let at = self.moments.partition_point(|(ticks, _)| *ticks < anchor.head.time);
        self.moments.insert(at, (anchor.head.time, anchor.wall_ns));
    }

    /// Wall time in nanoseconds since the Unix epoch, interpolated between the moments around `ticks`,
    /// or extended from the nearest two. With a single moment the rate is unknown and a tick counts as
    /// a nanosecond.
    #[must_use]
    pub fn wall_ns(&self, ticks: u64) -> f64 {
        let behind = self.moments.partition_point(|(known, _)| *known < ticks);
        let right = behind.clamp(1, self.moments.len().max(2) - 1);
        let (ticks_0, wall_0) = self.moments[right - 1];
        let rate = match self.moments.get(right) {
            Some((ticks_1, wall_1)) if *ticks_1 > ticks_0 => {
                (*wall_1 as f64 - wall_0 as f64) / (ticks_1 - ticks_0) as f64
            }
            _ => 1.0,
        };
        wall_0 as f64 + (ticks as f64 - ticks_0 as f64) * rate
    }
}

#[cfg(test)]
mod tests {
    use nashtrace::record::{Head, Kind};

    use super::*;

    fn timeline(moments: &[(u64, u64)]) -> Timeline {
        let mut timeline = Timeline { moments: vec![moments[0]] };
        for &(time, wall_ns) in &moments[1..] {
            let mut head = Head::new(Kind::Anchor, size_of::<Anchor>());
            head.time = time;
            timeline.add(&Anchor { head, monotonic_ns: 0, wall_ns, uncertainty_ticks: 0 });
        }
        timeline
    }

    #[test]
    fn times_are_interpolated_and_extended() {
        // Anchors may come out of order; the clock is adjusted at 200.
        let timeline = timeline(&[(100, 1_000), (300, 1_900), (200, 1_500)]);
        assert_eq!(timeline.wall_ns(150), 1_250.0);
        assert_eq!(timeline.wall_ns(250), 1_700.0);
        assert_eq!(timeline.wall_ns(50), 750.0);
        assert_eq!(timeline.wall_ns(400), 2_300.0);
    }

    #[test]
    fn a_single_moment_gives_the_offset_only() {
        assert_eq!(timeline(&[(100, 1_000)]).wall_ns(107), 1_007.0);
    }
}
