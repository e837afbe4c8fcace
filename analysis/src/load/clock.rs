//! From ticks to wall time.

use nashtrace::record::Anchor;
use nashtrace::trace::FileHeader;

/// The known moments of one process: ticks and wall time, in tick order.
#[derive(Debug, Clone)]
pub struct Timeline {
    moments: Vec<(u64, u64)>,
    /// Ticks and monotonic nanoseconds of the first and the last anchor.
    anchors: Option<[(u64, u64); 2]>,
}

impl Timeline {
    /// A timeline that knows when the session started.
    #[must_use]
    pub fn new(header: &FileHeader) -> Self {
        Self { moments: vec![(header.started_ticks, header.started_wall_ns)], anchors: None }
    }

    /// Add what an anchor says.
    pub fn add(&mut self, anchor: &Anchor) {
        let at = self.moments.partition_point(|(ticks, _)| *ticks < anchor.head.time);
        self.moments.insert(at, (anchor.head.time, anchor.wall_ns));
        let this = (anchor.head.time, anchor.monotonic_ns);
        let [first, last] = self.anchors.unwrap_or([this; 2]);
        self.anchors = Some([first.min(this), last.max(this)]);
    }

    /// Wall time in nanoseconds since the Unix epoch, interpolated between the moments around `ticks`,
    /// or extended from the nearest two; in whole numbers, because a double is 256 ns off in this century.
    /// With a single moment the rate is unknown and a tick counts as a nanosecond.
    #[must_use]
    pub fn wall_ns(&self, ticks: u64) -> i64 {
        let (moment, ticks_between, ns_between) = self.around(ticks);
        let (ticks_0, wall_0) = moment;
        let passed = (i128::from(ticks) - i128::from(ticks_0)) * ns_between;
        let wall_ns = i128::from(wall_0) + passed.div_euclid(ticks_between);
        wall_ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Nanoseconds from one tick to another, below zero if the second is the earlier one. Their rate is that of
    /// the monotonic clock, which nobody sets, as far as two anchors tell it.
    #[must_use]
    pub fn elapsed_ns(&self, from: u64, to: u64) -> f64 {
        let ns_per_tick = match self.anchors {
            Some([first, last]) if first.0 < last.0 => {
                last.1.saturating_sub(first.1) as f64 / (last.0 - first.0) as f64
            }
            _ => {
                let (_, ticks_between, ns_between) = self.around(from);
                ns_between as f64 / ticks_between as f64
            }
        };
        (i128::from(to) - i128::from(from)) as f64 * ns_per_tick
    }

    /// The moment before a tick, or the nearest one, and the ticks and nanoseconds from there to the next.
    fn around(&self, ticks: u64) -> ((u64, u64), i128, i128) {
        let behind = self.moments.partition_point(|(known, _)| *known < ticks);
        let right = behind.clamp(1, self.moments.len().max(2) - 1);
        let (ticks_0, wall_0) = self.moments[right - 1];
        match self.moments.get(right) {
            Some((ticks_1, wall_1)) if *ticks_1 > ticks_0 => {
                let ns_between = i128::from(*wall_1) - i128::from(wall_0);
                ((ticks_0, wall_0), i128::from(ticks_1 - ticks_0), ns_between)
            }
            _ => ((ticks_0, wall_0), 1, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use nashtrace::record::{Head, Kind};

    use super::*;

    fn timeline(moments: &[(u64, u64)]) -> Timeline {
        let mut timeline = Timeline { moments: vec![moments[0]], anchors: None };
        for &(time, wall_ns) in &moments[1..] {
            let mut head = Head::new(Kind::Anchor, size_of::<Anchor>());
            head.time = time;
            // The monotonic clock ticks four times in a tick, whatever the wall clock is set to.
            let monotonic_ns = 4 * time;
            timeline.add(&Anchor { head, monotonic_ns, wall_ns, uncertainty_ticks: 0 });
        }
        timeline
    }

    #[test]
    fn times_are_interpolated_and_extended() {
        // Anchors may come out of order; the clock is adjusted at 200.
        let timeline = timeline(&[(100, 1_000), (300, 1_900), (200, 1_500)]);
        assert_eq!(timeline.wall_ns(150), 1_250);
        assert_eq!(timeline.wall_ns(250), 1_700);
        assert_eq!(timeline.wall_ns(50), 750);
        assert_eq!(timeline.wall_ns(400), 2_300);
    }

    #[test]
    fn a_single_moment_gives_the_offset_only() {
        assert_eq!(timeline(&[(100, 1_000)]).wall_ns(107), 1_007);
    }

    #[test]
    fn neighbouring_ticks_have_times_of_their_own_and_durations_know_no_set_clock() {
        const NOW: u64 = 1_800_000_000_000_000_000;
        let timeline = timeline(&[(0, NOW), (1_000, NOW + 1_000), (2_000, NOW + 900_000)]);
        assert_eq!(timeline.wall_ns(501) - timeline.wall_ns(500), 1);
        assert_eq!(timeline.elapsed_ns(500, 501), 4.0);
        assert_eq!(timeline.elapsed_ns(1_500, 500), -4_000.0);
    }
}
