//! Where a nondecreasing function crosses a level.

/// The largest argument, of at least 0, at which a nondecreasing function is at most `level`, to the last
/// bit; `scale` is an argument to begin with. The function must exceed the level somewhere.
pub(super) fn last_at_most(function: impl Fn(f64) -> f64, level: f64, scale: f64) -> f64 {
    let mut high = scale;
    while function(high) <= level && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return low;
        }
        if function(middle) <= level {
            low = middle;
        } else {
            high = middle;
        }
    }
}
